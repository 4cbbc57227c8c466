//! What must be true of a job.

use super::{Violation, ensure};
use crate::Engine;
use crate::tables::connections::Presence;
use crate::tables::deadlines::Timer;
use crate::tables::jobs::{Job, JobKey, JobState, Keeping};

impl Engine {
    pub(super) fn check_job(&self, key: JobKey, job: &Job) -> Result<(), Violation> {
        ensure(self.jobs.by_number(job.number) == Some(key), || "is not found by its number".into())?;
        let found = job.key().and_then(|text| self.jobs.by_key(self.key_hash(text), job.function, text));
        ensure(found == job.key().map(|_| key), || "is not found by its key, or another is".into())?;
        ensure(self.functions.slab.get(job.function).is_some(), || "has no function".into())?;
        for watcher in job.watchers.keys(&self.watchers) {
            let watcher = &self.watchers[watcher];
            ensure(watcher.job == key, || "has the watcher of another job".into())?;
            ensure(self.is_there_or_remains(watcher.connection), || "has a watcher who left".into())?;
        }
        self.check_state(job)
    }

    fn check_state(&self, job: &Job) -> Result<(), Violation> {
        match job.state {
            JobState::Reserved { .. } => {
                ensure(matches!(job.keeping, Keeping::Storing(_)), || "is reserved for nothing".into())?;
                ensure(job.watchers.is_empty(), || "is watched before it is live".into())
            }
            JobState::Scheduled { due } => {
                ensure(job.keeping != Keeping::Foreground, || "is scheduled in the foreground".into())?;
                ensure(self.deadlines.is_scheduled(due, job.number), || "is not in the calendar".into())
            }
            JobState::Waiting { .. } => {
                let kept = !job.watchers.is_empty() || job.keeping != Keeping::Foreground;
                ensure(kept, || "waits and nobody wants it".into())
            }
            JobState::Assigned { worker, place, .. } => {
                ensure(self.is_there_or_remains(worker), || "is in the hand of nobody".into())?;
                let able = self.abilities.find(worker, job.function).is_some();
                ensure(able || !self.is_there(worker, Presence::Here), || {
                    "is in the hand of a worker who cannot do it".into()
                })?;
                let timer = Timer::Job { place, job: job.number };
                let armed = job.deadline().is_none_or(|when| self.deadlines.is_set(when, timer));
                ensure(armed, || "has a deadline that is not set".into())
            }
        }
    }
}
