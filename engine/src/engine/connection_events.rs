//! Peers come, go, go half, and talk nonsense.

use super::{Engine, Turn};
use crate::tables::connections::{ConnectionKey, Presence, Rest};
use crate::tables::deadlines::{AT_ONCE, PAUSE, Timer};
use crate::tables::outbox::Outbox;
use crate::{ConnectionId, Effect, Refused};
use gearman_protocol::{DecodeError, Response};

impl Engine {
    /// A number that is open already is the driver's mistake, and changes nothing.
    pub(super) fn open(&mut self, id: ConnectionId, address: String, turn: &mut Turn<'_>) {
        if self.connections.find(id).is_some() {
            return;
        }
        let refusal = self.no_more_from(&address);
        self.opened += 1;
        let who = self.connections.insert(id, address, self.config.exceptions);
        self.memory += self.connections.slab[who].memory();
        if let Some(refusal) = refusal {
            self.refuse(who, refusal, turn);
            self.dismiss(who, turn);
        }
    }

    /// The connection, if its peer may ask and be told.
    pub(super) fn here(&self, id: ConnectionId) -> Option<ConnectionKey> {
        let here = |&key: &ConnectionKey| self.connections.slab[key].presence == Presence::Here;
        self.connections.find(id).filter(here)
    }

    /// The peer hears what was wrong; if nothing after it can be understood, the connection ends.
    pub(super) fn malformed(&mut self, from: ConnectionId, error: DecodeError, turn: &mut Turn<'_>) {
        let Some(who) = self.here(from) else { return };
        self.hear(who);
        let too_large = matches!(error, DecodeError::PacketTooLarge { .. } | DecodeError::LineTooLong { .. });
        self.refusals.count(if too_large { Refused::MaxPacketSize } else { Refused::Malformed });
        let (code, text) = error.as_refusal();
        self.send(who, Response::error(code, text), turn);
        if error.is_fatal() {
            self.dismiss(who, turn);
        }
    }

    pub(super) fn half_closed(&mut self, from: ConnectionId, turn: &mut Turn<'_>) {
        if let Some(who) = self.here(from) {
            self.dismiss(who, turn);
        }
    }

    pub(super) fn closed(&mut self, from: ConnectionId, turn: &mut Turn<'_>) {
        let Some(who) = self.connections.find(from) else { return };
        if self.here(from).is_some() {
            self.leave(who, turn);
        }
        self.stop_telling(from);
        self.release_limits(who);
        self.connections.remove(who);
    }

    /// The peer has left: what it is owed is flushed, then the connection is closed.
    pub(super) fn dismiss(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        self.leave(who, turn);
        self.connections.slab[who].presence = Presence::Leaving;
        self.close_if_nothing_is_owed(who, turn);
    }

    /// Closes a connection whose peer has left, once everything was said that it is owed.
    pub(super) fn close_if_nothing_is_owed(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        let connection = &mut self.connections.slab[who];
        if connection.presence == Presence::Leaving && connection.outbox.is_empty() {
            connection.presence = Presence::Closing;
            turn.effects.push(Effect::Close { who: connection.id, after_flush: true });
            self.begin_to_linger(who, turn);
        }
    }

    /// Closes a connection without another word.
    pub(super) fn cut(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        self.leave(who, turn);
        let connection = &mut self.connections.slab[who];
        connection.presence = Presence::Closing;
        self.memory -= connection.memory();
        connection.outbox = Outbox::default();
        self.memory += connection.memory();
        let peer = connection.id;
        turn.effects.push(Effect::Close { who: peer, after_flush: false });
        self.stop_telling(peer);
    }

    /// The peer can do nothing any more, which takes time for each ability; and it watches nothing and holds nothing,
    /// or if that is very much, nobody has anything to do with it while it is taken apart.
    fn leave(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        self.rest(who, Rest::Awake);
        self.forget_abilities(who);
        self.stop_reading(who);
        self.be_patient(who, None);
        self.take_apart(who, AT_ONCE, turn);
        if self.connections.slab[who].is_bound() && self.connections.add_remains(who) {
            self.deadlines.set(turn.now + PAUSE, Timer::Remains);
        }
    }

    /// Goes on with those of whom something remains, one after the other.
    pub(super) fn clear_remains(&mut self, turn: &mut Turn<'_>) {
        let mut left = AT_ONCE;
        while let Some(who) = self.connections.first_remains() {
            left -= self.take_apart(who, left, turn);
            if self.connections.slab[who].is_bound() {
                return self.deadlines.set(turn.now + PAUSE, Timer::Remains);
            }
            self.connections.end_remains();
        }
    }

    /// Takes apart what a peer has watched and then what it has held, in the order of assignment, but no more than
    /// `most` of it; gives how much it was.
    fn take_apart(&mut self, who: ConnectionKey, most: u32, turn: &mut Turn<'_>) -> u32 {
        for taken in 0..most {
            if let Some(watcher) = self.connections.slab[who].watches.first() {
                let job = self.detach(watcher);
                self.abandon(job, turn);
            } else if let Some(job) = self.connections.slab[who].hand.first() {
                self.lose(job, turn);
            } else {
                return taken;
            }
        }
        most
    }
}
