//! Limits: on memory, on what waits for a slow reader, on how long a message may take.

use super::{Engine, Turn};
use crate::refusal::Refusal;
use crate::tables::connections::{ConnectionKey, Presence};
use crate::tables::deadlines::Timer;
use crate::{Buffered, ConnectionId, Effect};
use gearman_protocol::Time;

impl Engine {
    /// Whether so many bytes more may be used.
    pub(super) const fn memory_for(&self, bytes: usize) -> Result<(), Refusal> {
        if self.memory.saturating_add(bytes) <= self.config.memory_limit {
            Ok(())
        } else {
            Err(Refusal::MemoryLimit)
        }
    }

    /// A connection's buffers have grown or shrunk.
    pub(super) fn buffered(&mut self, from: ConnectionId, fill: Buffered, turn: &mut Turn<'_>) {
        let Some(who) = self.connections.find(from) else { return };
        self.memory -= self.connections.slab[who].memory();
        let before = std::mem::replace(&mut self.connections.slab[who].fill, fill);
        self.memory += self.connections.slab[who].memory();
        match self.connections.slab[who].presence {
            Presence::Here => {
                if fill.partial_since != before.partial_since {
                    let until = fill.partial_since.map(|since| since + self.config.packet_timeout);
                    self.be_patient(who, until);
                }
                if fill.outward > self.config.output_limit.saturating_add(self.connections.slab[who].largest)
                {
                    self.cut(who, turn);
                }
            }
            // Whoever takes something is waited for.
            Presence::Closing if fill.outward < before.outward => self.begin_to_linger(who, turn),
            Presence::Leaving | Presence::Closing => {}
        }
        if fill.outward < LARGE {
            self.connections.slab[who].largest = 0;
        }
    }

    /// The peer is being closed: it has as long to take what it is owed as it would have to send a message.
    pub(super) fn begin_to_linger(&mut self, who: ConnectionKey, turn: &Turn<'_>) {
        self.be_patient(who, Some(turn.now + self.config.packet_timeout));
    }

    /// Until when to wait for a peer.
    fn be_patient(&mut self, who: ConnectionKey, until: Option<Time>) {
        let connection = &mut self.connections.slab[who];
        let before = std::mem::replace(&mut connection.patience, until);
        let timer = Timer::Peer(connection.id);
        if let Some(before) = before {
            self.deadlines.call_off(before, timer);
        }
        if let Some(until) = until {
            self.deadlines.set(until, timer);
        }
    }

    /// The peer has not finished a message, or not taken its last ones.
    pub(super) fn lose_patience(&mut self, peer: ConnectionId, turn: &mut Turn<'_>) {
        let who = self.connections.find(peer).expect("a timer goes with its connection");
        self.connections.slab[who].patience = None;
        match self.connections.slab[who].presence {
            Presence::Here => self.dismiss(who, turn),
            Presence::Leaving | Presence::Closing => {
                turn.effects.push(Effect::Close { who: peer, after_flush: false });
            }
        }
    }

    /// The connection is gone, and with it what its buffers held and what was waited for.
    pub(super) fn release_limits(&mut self, who: ConnectionKey) {
        self.be_patient(who, None);
        self.memory -= self.connections.slab[who].memory();
    }
}

/// Packets under this many bytes are not looked at one by one.
pub(crate) const LARGE: usize = 64 << 10;
