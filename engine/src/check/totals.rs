//! What is counted is there, and what is there is counted.

use super::{Violation, ensure};
use crate::config::{ABILITY_OVERHEAD, WATCHER_OVERHEAD};
use crate::engine::{cost, function_cost};
use crate::tables::connections::{Connection, Presence, Rest};
use crate::tables::deadlines::Timer;
use crate::tables::jobs::{Job, JobState, Keeping};
use crate::tables::long_tables::Untold;
use crate::{ConnectionId, Engine};

impl Engine {
    /// Every table finds all of its records.
    pub(super) fn check_totals(&self) -> Result<(), Violation> {
        self.jobs.check_sizes().and_then(|()| self.functions.check_sizes()).map_err(Violation)?;
        self.connections.check_sizes().and_then(|()| self.abilities.check_sizes()).map_err(Violation)?;
        let watched: u32 = self.jobs().map(|job| job.watchers.len()).sum();
        let watching: u32 = self.peers().chain(self.connections.gone()).map(|peer| peer.watches.len()).sum();
        let watchers = self.watchers.len();
        ensure(watched == watching && watched as usize == watchers, || {
            format!("{watchers} watchers: jobs have {watched}, connections {watching}")
        })?;
        let able: u32 = self.peers().map(|peer| peer.abilities.len()).sum();
        let abilities = self.abilities.slab.len();
        ensure(able as usize == abilities, || format!("{abilities} abilities, workers have {able}"))?;
        let awaited = self.jobs().filter(|job| self.is_awaited(job)).count() as u64;
        ensure(awaited == self.awaited, || {
            format!("a drain waits for {awaited} jobs, not {}", self.awaited)
        })?;
        let jobs: usize = self.jobs().map(cost).sum();
        let peers: usize = self.peers().map(Connection::memory).sum();
        let functions: usize =
            self.functions.in_order().map(|(_, function)| function_cost(&function.name)).sum();
        let tables = functions + watchers * WATCHER_OVERHEAD + abilities * ABILITY_OVERHEAD;
        ensure(jobs + peers + tables == self.memory, || {
            format!(
                "jobs have {jobs} bytes, connections {peers} and other tables {tables}, not {} together",
                self.memory
            )
        })
    }

    pub(super) fn check_stores(&self) -> Result<(), Violation> {
        let storing = self.jobs().filter(|job| matches!(job.keeping, Keeping::Storing(_))).count();
        let asked = self.stores.iter().filter(|(_, pending)| pending.job.is_some()).count();
        ensure(storing == asked, || format!("{storing} jobs wait for the store, it was asked for {asked}"))?;
        for (record, pending) in self.stores.iter() {
            let keeping = pending.job.map(|job| self.jobs.slab[job].keeping);
            ensure(keeping.is_none_or(|keeping| keeping == Keeping::Storing(record)), || {
                format!("record {}: its job does not wait for it", record.get())
            })?;
        }
        for peer in self.peers().filter(|peer| peer.presence != Presence::Closing) {
            let waits = self.stores.iter().flat_map(|(_, pending)| &pending.waiters);
            let waits = waits.filter(|waiter| waiter.connection == peer.id).count();
            let (tables, places) = (self.long_tables.of(peer.id), peer.outbox.awaited());
            ensure(waits + tables == places, || {
                let peer = peer.id.get();
                format!(
                    "connection {peer}: {waits} submits and {tables} tables are to be answered, {places} places kept"
                )
            })?;
        }
        Ok(())
    }

    pub(super) fn check_reading(&self) -> Result<(), Violation> {
        let here = |&id: &ConnectionId| {
            self.connections.find(id).is_some_and(|peer| self.is_there(peer, Presence::Here))
        };
        let there = self.paused.iter().chain(&self.favoured).all(here);
        ensure(there, || "a peer that is gone is paused or favoured".into())?;
        let favoured = self.favoured.is_some_and(|peer| !self.paused.contains(&peer));
        ensure(favoured || self.paused.is_empty(), || "every large message is paused".into())?;
        let short = self.memory > self.config.memory_limit;
        ensure(short || self.paused.is_empty(), || "messages are paused although there is memory".into())
    }

    /// A long table goes on, unless its peer has enough to read or something comes first; and where it is to.
    pub(super) fn check_long_tables(&self) -> Result<(), Violation> {
        for (peer, due) in self.long_tables.due() {
            ensure(self.deadlines.is_set(due, Timer::Part(peer)), || {
                "a table is never told to its end".into()
            })?;
        }
        let all_here = self.long_tables.peers().all(|peer| self.connections.find(peer).is_some());
        ensure(all_here, || "a table is told to somebody who is gone".into())?;
        let there = self.long_tables.untold().all(|untold| match untold {
            Untold::Status(next) | Untold::PriorityStatus(next) => {
                next.is_none_or(|function| self.functions.slab.get(function).is_some())
            }
            Untold::ShowJobs(left) | Untold::ShowUniqueJobs(left) => {
                left.next.is_none_or(|job| self.jobs.slab.get(job).is_some())
            }
        });
        ensure(there, || "a table goes on with a row that is not there".into())
    }

    /// No deadline stays that has passed, unless it has to wait, or that nobody has.
    pub(super) fn check_deadlines(&self) -> Result<(), Violation> {
        let passed = self.deadlines.earliest().filter(|&earliest| earliest <= self.now);
        ensure(passed.is_none(), || format!("it is {:?}, and a deadline at {passed:?} stays", self.now))?;
        let timed = |job: &&Job| job.deadline().is_some();
        let woken = |peer: &Connection| usize::from(matches!(peer.rest, Rest::Woken { .. }));
        let timers = |peer: &Connection| woken(peer) + usize::from(peer.patience.is_some());
        let peers: usize = self.peers().map(timers).sum();
        let parts = self.long_tables.due().count();
        let remains = usize::from(self.connections.first_remains().is_some());
        let wanted = self.jobs().filter(timed).count() + peers + parts + remains + self.drain_timers();
        let there = self.deadlines.timers();
        ensure(there == wanted, || format!("{there} timers are set, {wanted} are wanted"))?;
        let wanted = self.jobs().filter(|job| matches!(job.state, JobState::Scheduled { .. })).count();
        let there = self.deadlines.scheduled();
        ensure(there == wanted, || format!("{there} jobs are in the calendar, {wanted} are scheduled"))
    }

    fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.in_order().map(|(_, job)| job)
    }

    fn peers(&self) -> impl Iterator<Item = &Connection> {
        self.connections.in_order().map(|(_, peer)| peer)
    }
}
