//! What must be true of a function.

use super::{Violation, ensure};
use crate::Engine;
use crate::tables::connections::Rest;
use crate::tables::functions::{Function, FunctionKey};
use crate::tables::jobs::{JobKey, JobState};

/// What was counted of a function by looking at everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    waiting: [u32; 3],
    scheduled: [u32; 3],
    assigned: u32,
    reserved: u32,
    awaited: u32,
    workers: u32,
    woken: u32,
    asleep: u32,
}

/// The tallies of all functions, by the number of their key.
#[derive(Debug, Default)]
pub(super) struct Tallies(Vec<Tally>);

impl Tallies {
    pub(super) fn of(&self, function: FunctionKey) -> Tally {
        self.0.get(function.number() as usize).copied().unwrap_or_default()
    }

    fn of_mut(&mut self, function: FunctionKey) -> &mut Tally {
        let place = function.number() as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, Tally::default());
        }
        &mut self.0[place]
    }
}

impl Engine {
    /// Counts everything that functions count.
    pub(super) fn tallies(&self) -> Tallies {
        let mut tallies = Tallies::default();
        for (_, job) in self.jobs.in_order() {
            let tally = tallies.of_mut(job.function);
            tally.awaited += u32::from(self.is_awaited(job));
            match job.state {
                JobState::Reserved { .. } => tally.reserved += 1,
                JobState::Scheduled { .. } => tally.scheduled[job.priority as usize] += 1,
                JobState::Waiting { .. } => tally.waiting[job.priority as usize] += 1,
                JobState::Assigned { .. } => tally.assigned += 1,
            }
        }
        for (_, peer) in self.connections.in_order() {
            for ability in peer.abilities.keys(&self.abilities.slab) {
                let tally = tallies.of_mut(self.abilities.slab[ability].function);
                tally.workers += 1;
                tally.woken += u32::from(matches!(peer.rest, Rest::Woken { .. }));
                tally.asleep += u32::from(peer.rest == Rest::Asleep);
            }
        }
        tallies
    }

    pub(super) fn check_function(
        &self,
        key: FunctionKey,
        function: &Function,
        tally: Tally,
    ) -> Result<(), Violation> {
        ensure(self.find_function(function.name.as_bytes()) == Some(key), || "is not found by name".into())?;
        ensure(!function.unsettled, || "is still marked after the turn".into())?;
        let Function { scheduled, assigned, reserved, awaited, workers, woken, .. } = *function;
        let waiting = [0, 1, 2].map(|priority: usize| function.waiting[priority].len());
        let asleep = function.sleepers.len();
        let counted = Tally { waiting, scheduled, assigned, reserved, awaited, workers, woken, asleep };
        ensure(tally == counted, || format!("counts {counted:?}, and there are {tally:?}"))?;
        let (counts, live) = (function.counts, function.total());
        ensure(counts.submitted == counts.ended() + live, || {
            format!("has {live} live jobs, and counts {counts:?}")
        })?;
        for (priority, queue) in function.waiting.iter().enumerate() {
            self.check_queue(key, priority, queue.keys(&self.jobs.slab))?;
        }
        self.check_sleepers(key, function)
    }

    fn check_queue(
        &self,
        function: FunctionKey,
        priority: usize,
        queue: impl Iterator<Item = JobKey>,
    ) -> Result<(), Violation> {
        let mut last = 0;
        for job in queue {
            let job = &self.jobs.slab[job];
            let JobState::Waiting { place, .. } = job.state else {
                return Err(Violation(format!("has job {} in a queue, but it does not wait", job.number.0)));
            };
            let here = job.function == function && job.priority as usize == priority;
            ensure(here, || format!("has job {} in a queue where it does not belong", job.number.0))?;
            ensure(place > last, || format!("has job {} out of its place", job.number.0))?;
            last = place;
        }
        Ok(())
    }

    /// The level of the wake-ups: nobody sleeps while one more is needed.
    fn check_sleepers(&self, key: FunctionKey, function: &Function) -> Result<(), Violation> {
        for sleeper in function.sleepers.keys(&self.abilities.slab) {
            let ability = &self.abilities.slab[sleeper];
            let asleep =
                self.connections.slab.get(ability.worker).is_some_and(|peer| peer.rest == Rest::Asleep);
            ensure(ability.function == key && asleep, || "has a sleeper who is awake, or not able".into())?;
        }
        let (runnable, woken) = (function.runnable(), u64::from(function.woken));
        let wanted = self.config.worker_wakeup.map_or(u64::MAX, u64::from).saturating_mul(runnable);
        let sleepers = function.sleepers.len();
        ensure(sleepers == 0 || woken >= wanted, || {
            format!("has {runnable} runnable jobs and only {woken} woken workers, while {sleepers} sleep")
        })
    }
}
