//! What clients ask besides submitting.

use super::{Engine, Turn};
use crate::refusal::Refusal;
use crate::tables::connections::ConnectionKey;
use crate::tables::jobs::{Job, JobKey, JobState, JoinKey};
use bytes::Bytes;
use gearman_protocol::{Handle, JobStatus, Response, UniqueStatus};

impl Engine {
    pub(super) fn get_status(&mut self, who: ConnectionKey, handle: Handle, turn: &mut Turn<'_>) {
        let status = match self.live_job(&handle) {
            Some(key) => {
                let Progress { running, numerator, denominator } = progress(&self.jobs.slab[key]);
                JobStatus { handle, known: true, running, numerator, denominator }
            }
            None => JobStatus { handle, ..JobStatus::default() },
        };
        self.send(who, Response::Status(status), turn);
    }

    /// Looks into every function, because a unique belongs to one: takes time for each.
    pub(super) fn get_status_unique(&mut self, who: ConnectionKey, unique: Bytes, turn: &mut Turn<'_>) {
        let status = match self.newest_with_unique(&unique) {
            Some(key) => {
                let job = &self.jobs.slab[key];
                let Progress { running, numerator, denominator } = progress(job);
                let watchers = job.watchers.len();
                UniqueStatus { unique, known: true, running, numerator, denominator, watchers }
            }
            None => UniqueStatus { unique, ..UniqueStatus::default() },
        };
        self.send(who, Response::StatusUnique(status), turn);
    }

    fn newest_with_unique(&self, unique: &[u8]) -> Option<JobKey> {
        let hash = self.key_hash(JoinKey::Unique(unique));
        let jobs = self.functions.in_order().filter_map(|(function, _)| {
            let key = self.jobs.by_key(hash, function, JoinKey::Unique(unique))?;
            let job = &self.jobs.slab[key];
            job.is_live().then_some((job.number, key))
        });
        jobs.max_by_key(|&(number, _)| number).map(|(_, key)| key)
    }

    pub(super) fn option(&mut self, who: ConnectionKey, name: Bytes, turn: &mut Turn<'_>) {
        let text = name.strip_suffix(b"\0").unwrap_or(&name);
        if !text.eq_ignore_ascii_case(b"exceptions") {
            return self.refuse(who, Refusal::UnknownOption, turn);
        }
        self.connections.slab[who].exceptions = true;
        self.send(who, Response::Option { name }, turn);
    }

    /// The live job with this handle.
    pub(super) fn live_job(&self, handle: &Handle) -> Option<JobKey> {
        let key = self.jobs.by_number(self.handles.number(handle)?)?;
        self.jobs.slab[key].is_live().then_some(key)
    }
}

/// How far a job has come.
#[derive(Debug, Default)]
struct Progress {
    running: bool,
    numerator: u32,
    denominator: u32,
}

fn progress(job: &Job) -> Progress {
    match &job.state {
        JobState::Assigned { course, .. } => {
            let (numerator, denominator) =
                course.as_ref().map_or((0, 0), |course| (course.numerator, course.denominator));
            Progress { running: true, numerator, denominator }
        }
        JobState::Reserved { .. } | JobState::Scheduled { .. } | JobState::Waiting { .. } => {
            Progress::default()
        }
    }
}
