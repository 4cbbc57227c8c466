//! What must be true of a connection.

use super::{Violation, ensure};
use crate::Engine;
use crate::engine::MAX_EXCEPTED;
use crate::tables::connections::{Connection, ConnectionKey, Presence, Rest};
use crate::tables::deadlines::Timer;
use crate::tables::jobs::JobState;

impl Engine {
    pub(super) fn check_connection(&self, key: ConnectionKey, peer: &Connection) -> Result<(), Violation> {
        ensure(self.connections.find(peer.id) == Some(key), || "is not found by its number".into())?;
        let holds = peer.abilities.len() + peer.hand.len() + peer.watches.len();
        ensure(peer.presence == Presence::Here || holds == 0, || "has left and holds something".into())?;
        let owed = !peer.outbox.is_empty();
        ensure(peer.presence != Presence::Leaving || owed, || "is leaving for nothing".into())?;
        ensure(peer.outbox.is_blocked() == owed, || "could be told what is held back".into())?;
        ensure(peer.excepted.len() <= MAX_EXCEPTED, || "has too many jobs that may end once more".into())?;
        if let Rest::Woken { until } = peer.rest {
            ensure(self.deadlines.is_set(until, Timer::Wakeup(peer.id)), || "is woken for ever".into())?;
        }
        let patient = peer.patience.is_none_or(|until| self.deadlines.is_set(until, Timer::Peer(peer.id)));
        ensure(patient, || "is waited for for ever".into())?;
        self.check_holdings(key, peer)
    }

    fn check_holdings(&self, key: ConnectionKey, peer: &Connection) -> Result<(), Violation> {
        let mut last = 0;
        for job in peer.hand.keys(&self.jobs.slab) {
            let JobState::Assigned { worker, place, .. } = self.jobs.slab[job].state else {
                return Err(Violation("has a job in its hand that is not assigned".into()));
            };
            ensure(worker == key, || "has a job in its hand that another holds".into())?;
            ensure(place > last, || "has its jobs out of the order of assignment".into())?;
            last = place;
        }
        for watcher in peer.watches.keys(&self.watchers) {
            ensure(self.watchers[watcher].connection == key, || "has the watch of another".into())?;
        }
        for at in peer.abilities.keys(&self.abilities.slab) {
            let ability = &self.abilities.slab[at];
            ensure(ability.worker == key, || "has the ability of another".into())?;
            let there = self.functions.slab.get(ability.function).is_some();
            ensure(there, || "is able to do a function that is not there".into())?;
            let found = self.abilities.find(key, ability.function);
            ensure(found == Some(at), || "has an ability that is not found, or twice".into())?;
        }
        Ok(())
    }
}
