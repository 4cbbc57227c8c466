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
        let remains = peer.is_bound() && self.connections.remains().contains(&key);
        let holds = !peer.abilities.is_empty() || peer.is_bound() && !remains;
        ensure(peer.presence == Presence::Here || !holds, || "has left and holds something".into())?;
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

    /// What is taken apart belonged to somebody who has left, each once.
    pub(super) fn check_remains(&self) -> Result<(), Violation> {
        let remains = self.connections.remains();
        for (place, &key) in remains.iter().enumerate() {
            let peer = self.connections.slab.get(key).filter(|peer| peer.presence != Presence::Here);
            let peer = peer.ok_or_else(|| Violation("somebody is taken apart who has not left".into()))?;
            let once = !remains.range(..place).any(|&other| other == key);
            let wrong = |wrong: Violation| wrong.of("connection", peer.id.get());
            ensure(once, || "is taken apart twice".into()).map_err(wrong)?;
            let idle = peer.abilities.is_empty() && peer.rest == Rest::Awake;
            ensure(idle, || "has left and is able or asleep".into()).map_err(wrong)?;
            self.check_holdings(key, peer).map_err(wrong)?;
        }
        Ok(())
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
