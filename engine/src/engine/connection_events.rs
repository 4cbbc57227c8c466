//! Peers come, go, go half, and talk nonsense.

use super::{Engine, Turn};
use crate::tables::connections::{ConnectionKey, Presence, Rest};
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
        self.leave(who, turn);
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

    /// The peer watches nothing, can do nothing and holds nothing any more. Takes time for each.
    fn leave(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        while let Some(watcher) = self.connections.slab[who].watches.first() {
            let job = self.detach(watcher);
            self.abandon(job, turn);
        }
        self.rest(who, Rest::Awake);
        self.reset_abilities(who, turn);
        self.stop_reading(who);
        self.be_patient(who, None);
    }
}
