//! What must always be true of the tables together.

use crate::engine::{MAX_EXCEPTED, cost};
use crate::tables::abilities::{Ability, AbilityKey};
use crate::tables::connections::{Connection, ConnectionKey, Presence, Rest};
use crate::tables::deadlines::Timer;
use crate::tables::functions::{Function, FunctionKey};
use crate::tables::jobs::{Job, JobKey, JobState, Keeping};
use crate::{ConnectionId, Engine};

/// A truth that does not hold: a bug of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(String);

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation(otherwise())) }
}

impl Engine {
    /// Whether the tables agree with themselves and with each other. Takes time for everything in them.
    ///
    /// # Errors
    /// The first truth that does not hold. There is none unless the engine is wrong.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_sizes()?;
        for (key, job) in self.jobs.in_order() {
            self.check_job(key, job).map_err(|wrong| wrong.of("job", job.number.0))?;
        }
        for (key, function) in self.functions.in_order() {
            self.check_function(key, function).map_err(|wrong| wrong.of("function", &function.name))?;
        }
        for (key, connection) in self.connections.in_order() {
            self.check_connection(key, connection)
                .map_err(|wrong| wrong.of("connection", connection.id.get()))?;
        }
        self.check_stores()?;
        self.check_reading()?;
        self.check_deadlines()
    }

    /// Every table finds all of its records, and nothing is counted that is not there.
    fn check_sizes(&self) -> Result<(), Violation> {
        self.jobs.check_sizes().and_then(|()| self.functions.check_sizes()).map_err(Violation)?;
        self.connections.check_sizes().and_then(|()| self.abilities.check_sizes()).map_err(Violation)?;
        let watched: u32 = self.jobs.in_order().map(|(_, job)| job.watchers.len()).sum();
        let watching: u32 = self.connections.in_order().map(|(_, peer)| peer.watches.len()).sum();
        let watchers = self.watchers.len();
        ensure(watched == watching && watched as usize == watchers, || {
            format!("{watchers} watchers: jobs have {watched}, connections {watching}")
        })?;
        let able: u32 = self.connections.in_order().map(|(_, peer)| peer.abilities.len()).sum();
        let workers: u32 = self.functions.in_order().map(|(_, function)| function.workers).sum();
        let abilities = self.abilities.slab.len();
        ensure(able == workers && able as usize == abilities, || {
            format!("{abilities} abilities: workers have {able}, functions {workers}")
        })?;
        let awaited = self.jobs.in_order().filter(|(_, job)| self.is_awaited(job)).count() as u64;
        ensure(awaited == self.awaited, || {
            format!("a drain waits for {awaited} jobs, not {}", self.awaited)
        })?;
        let jobs: usize = self.jobs.in_order().map(|(_, job)| cost(job)).sum();
        let peers: usize = self.connections.in_order().map(|(_, peer)| peer.memory()).sum();
        ensure(jobs + peers == self.memory, || {
            format!("jobs have {jobs} bytes and connections {peers}, not {} together", self.memory)
        })
    }

    fn check_job(&self, key: JobKey, job: &Job) -> Result<(), Violation> {
        ensure(self.jobs.by_number(job.number) == Some(key), || "is not found by its number".into())?;
        let found = job.key().and_then(|text| self.jobs.by_key(self.hash(text.bytes()), job.function, text));
        ensure(found == job.key().map(|_| key), || "is not found by its key, or another is".into())?;
        ensure(self.functions.slab.get(job.function).is_some(), || "has no function".into())?;
        for watcher in job.watchers.keys(&self.watchers) {
            let watcher = &self.watchers[watcher];
            ensure(watcher.job == key, || "has the watcher of another job".into())?;
            ensure(self.peer(watcher.connection, Presence::Here), || "has a watcher who left".into())?;
        }
        let kept = !job.watchers.is_empty() || job.keeping != Keeping::Foreground;
        match job.state {
            JobState::Reserved { .. } => {
                ensure(matches!(job.keeping, Keeping::Storing(_)), || "is reserved for nothing".into())?;
                ensure(job.watchers.is_empty(), || "is watched before it is live".into())
            }
            JobState::Scheduled { due } => {
                ensure(job.keeping != Keeping::Foreground, || "is scheduled in the foreground".into())?;
                ensure(self.deadlines.is_scheduled(due, job.number), || "is not in the calendar".into())
            }
            JobState::Waiting { .. } => ensure(kept, || "waits and nobody wants it".into()),
            JobState::Assigned { worker, place, deadline, .. } => {
                ensure(self.peer(worker, Presence::Here), || "is in the hand of nobody".into())?;
                let able = self.abilities.find(worker, job.function).is_some();
                ensure(able, || "is in the hand of a worker who cannot do it".into())?;
                let timer = Timer::Job { place, job: job.number };
                let armed = deadline.is_none_or(|when| self.deadlines.is_set(when, timer));
                ensure(armed, || "has a deadline that is not set".into())
            }
        }
    }

    fn check_function(&self, key: FunctionKey, function: &Function) -> Result<(), Violation> {
        ensure(self.find_function(function.name.as_bytes()) == Some(key), || "is not found by name".into())?;
        ensure(!function.unsettled, || "is still marked after the turn".into())?;
        for (priority, queue) in function.waiting.iter().enumerate() {
            self.check_queue(key, priority, queue.keys(&self.jobs.slab))?;
        }
        for sleeper in function.sleepers.keys(&self.abilities.slab) {
            let Ability { worker, function, .. } = self.abilities.slab[sleeper];
            let asleep = self.connections.slab.get(worker).is_some_and(|worker| worker.rest == Rest::Asleep);
            ensure(function == key && asleep, || "has a sleeper who is not asleep, or not able".into())?;
        }
        let (runnable, woken) = (function.runnable(), u64::from(function.woken));
        let wanted = self.config.worker_wakeup.map_or(u64::MAX, u64::from).saturating_mul(runnable);
        let sleepers = function.sleepers.len();
        ensure(sleepers == 0 || woken >= wanted, || {
            format!("has {runnable} runnable jobs and only {woken} woken workers, while {sleepers} sleep")
        })?;
        self.check_counts(key, function)
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

    fn check_counts(&self, key: FunctionKey, function: &Function) -> Result<(), Violation> {
        let jobs = || self.jobs.in_order().map(|(_, job)| job).filter(|job| job.function == key);
        let count = |is_one: &dyn Fn(&Job) -> bool| jobs().filter(|job| is_one(job)).count();
        for (place, queue) in function.waiting.iter().enumerate() {
            let here = |job: &Job| job.priority as usize == place;
            let waiting = count(&|job| here(job) && matches!(job.state, JobState::Waiting { .. }));
            ensure(waiting == queue.len() as usize, || {
                format!("{waiting} jobs wait, {queue:?} in the queue")
            })?;
            let scheduled = count(&|job| here(job) && matches!(job.state, JobState::Scheduled { .. }));
            let counted = function.scheduled[place];
            ensure(scheduled == counted as usize, || {
                format!("{scheduled} jobs are scheduled, not {counted}")
            })?;
        }
        let counts = [
            ("assigned", function.assigned, count(&|job| matches!(job.state, JobState::Assigned { .. }))),
            ("reserved", function.reserved, count(&|job| !job.is_live())),
            ("awaited", function.awaited, count(&|job| self.is_awaited(job))),
        ];
        for (what, counted, there) in counts {
            ensure(counted as usize == there, || format!("{there} jobs are {what}, not {counted}"))?;
        }
        Ok(())
    }

    fn check_connection(&self, key: ConnectionKey, peer: &Connection) -> Result<(), Violation> {
        ensure(self.connections.find(peer.id) == Some(key), || "is not found by its number".into())?;
        let holds = peer.abilities.len() + peer.hand.len() + peer.watches.len();
        ensure(peer.presence == Presence::Here || holds == 0, || "has left and holds something".into())?;
        let owed = !peer.outbox.is_empty();
        ensure(peer.presence != Presence::Leaving || owed, || "is leaving for nothing".into())?;
        ensure(peer.outbox.is_blocked() == owed, || "could be told what is held back".into())?;
        ensure(peer.excepted.len() <= MAX_EXCEPTED, || "has too many jobs that may end once more".into())?;
        for job in peer.hand.keys(&self.jobs.slab) {
            let held =
                matches!(self.jobs.slab[job].state, JobState::Assigned { worker, .. } if worker == key);
            ensure(held, || "has a job in its hand that another holds".into())?;
        }
        for watcher in peer.watches.keys(&self.watchers) {
            ensure(self.watchers[watcher].connection == key, || "has the watch of another".into())?;
        }
        for ability in peer.abilities.keys(&self.abilities.slab) {
            self.check_ability(key, peer, ability)?;
        }
        if let Rest::Woken { until } = peer.rest {
            ensure(self.deadlines.is_set(until, Timer::Wakeup(peer.id)), || "is woken for ever".into())?;
        }
        let patient = peer.patience.is_none_or(|until| self.deadlines.is_set(until, Timer::Peer(peer.id)));
        ensure(patient, || "is waited for for ever".into())
    }

    fn check_ability(&self, key: ConnectionKey, peer: &Connection, at: AbilityKey) -> Result<(), Violation> {
        let ability = &self.abilities.slab[at];
        ensure(ability.worker == key, || "has the ability of another".into())?;
        let found = self.abilities.find(key, ability.function);
        ensure(found == Some(at), || "has an ability that is not found, or twice".into())?;
        let Some(function) = self.functions.slab.get(ability.function) else {
            return Err(Violation("is able to do a function that is not there".into()));
        };
        let listed = function.sleepers.keys(&self.abilities.slab).any(|other| other == at);
        ensure(listed == (peer.rest == Rest::Asleep), || "sleeps and is not listed, or the reverse".into())?;
        let workers = self.workers_of(ability.function);
        let woken = workers.filter(|peer| matches!(peer.rest, Rest::Woken { .. })).count();
        ensure(woken == function.woken as usize, || "is not counted as woken, or the reverse".into())
    }

    fn workers_of(&self, function: FunctionKey) -> impl Iterator<Item = &Connection> {
        let able = move |&(key, _): &(ConnectionKey, _)| self.abilities.find(key, function).is_some();
        self.connections.in_order().filter(able).map(|(_, peer)| peer)
    }

    fn check_stores(&self) -> Result<(), Violation> {
        let storing = |(_, job): &(JobKey, &Job)| matches!(job.keeping, Keeping::Storing(_));
        let storing = self.jobs.in_order().filter(storing).count();
        let asked = self.stores.iter().filter(|(_, pending)| pending.job.is_some()).count();
        ensure(storing == asked, || format!("{storing} jobs wait for the store, it was asked for {asked}"))?;
        for (record, pending) in self.stores.iter() {
            let keeping = pending.job.map(|job| self.jobs.slab[job].keeping);
            ensure(keeping.is_none_or(|keeping| keeping == Keeping::Storing(record)), || {
                format!("record {}: its job does not wait for it", record.get())
            })?;
        }
        for (_, peer) in self.connections.in_order().filter(|(_, peer)| peer.presence != Presence::Closing) {
            let waits = self.stores.iter().flat_map(|(_, pending)| &pending.waiters);
            let waits = waits.filter(|waiter| waiter.connection == peer.id).count();
            let places = peer.outbox.awaited();
            ensure(waits == places, || {
                format!("connection {}: {waits} submits wait for the store, {places} replies", peer.id.get())
            })?;
        }
        Ok(())
    }

    fn check_reading(&self) -> Result<(), Violation> {
        let here = |&id: &ConnectionId| {
            self.connections.find(id).is_some_and(|peer| self.peer(peer, Presence::Here))
        };
        let there = self.paused.iter().chain(&self.favoured).all(here);
        ensure(there, || "a peer that is gone is paused or favoured".into())?;
        let favoured = self.favoured.is_some_and(|peer| !self.paused.contains(&peer));
        ensure(favoured || self.paused.is_empty(), || "every large message is paused".into())?;
        let short = self.memory > self.config.memory_limit;
        ensure(short || self.paused.is_empty(), || "messages are paused although there is memory".into())
    }

    fn check_deadlines(&self) -> Result<(), Violation> {
        let passed = self.deadlines.earliest().filter(|&earliest| earliest <= self.now);
        ensure(passed.is_none(), || format!("it is {:?}, and a deadline at {passed:?} stays", self.now))?;
        let timed = |job: &Job| matches!(job.state, JobState::Assigned { deadline: Some(_), .. });
        let jobs = self.jobs.in_order().filter(|(_, job)| timed(job)).count();
        let woken = |peer: &Connection| usize::from(matches!(peer.rest, Rest::Woken { .. }));
        let timers = |peer: &Connection| woken(peer) + usize::from(peer.patience.is_some());
        let peers: usize = self.connections.in_order().map(|(_, peer)| timers(peer)).sum();
        let expected = jobs + peers + self.drain_timers();
        let there = self.deadlines.timers();
        ensure(there == expected, || format!("{there} timers are set, {expected} are wanted"))?;
        let scheduled = |job: &Job| matches!(job.state, JobState::Scheduled { .. });
        let expected = self.jobs.in_order().filter(|(_, job)| scheduled(job)).count();
        let there = self.deadlines.scheduled();
        ensure(there == expected, || format!("{there} jobs are in the calendar, {expected} are scheduled"))
    }

    fn peer(&self, key: ConnectionKey, presence: Presence) -> bool {
        self.connections.slab.get(key).is_some_and(|peer| peer.presence == presence)
    }
}

impl Violation {
    /// The same, with the name of the record that it is about.
    fn of(self, kind: &str, name: impl std::fmt::Display) -> Self {
        Self(format!("{kind} {name} {}", self.0))
    }
}
