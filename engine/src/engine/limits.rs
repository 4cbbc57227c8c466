//! Limits: on memory, on what waits for a slow reader, on how long a message may take.

use super::{Engine, Turn};
use crate::config::FUNCTION_OVERHEAD;
use crate::refusal::Refusal;
use crate::tables::connections::{ConnectionKey, Presence};
use crate::tables::deadlines::Timer;
use crate::tables::functions::FunctionKey;
use crate::tables::outbox::payload;
use crate::{Buffered, ConnectionId, Effect, Refused};
use gearman_protocol::{FunctionName, Response, Time};
use std::time::Duration;

impl Engine {
    /// Whether so many bytes more may be used for a request of this peer. The request is whole, so what was
    /// last told of its parts is not counted a second time.
    pub(super) fn memory_for(&self, who: ConnectionKey, bytes: usize) -> Result<(), Refusal> {
        let used = self.memory - self.connections.slab[who].fill.inbound;
        let fits = used.saturating_add(bytes) <= self.config.memory_limit;
        if fits { Ok(()) } else { Err(Refusal::MemoryLimit) }
    }

    /// Whether a function that may be new, with so many bytes of something more, fits into memory.
    pub(super) fn memory_for_function(
        &self,
        who: ConnectionKey,
        known: Option<FunctionKey>,
        name: &FunctionName,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let new = if known.is_some() { 0 } else { function_cost(name) };
        // What takes nothing is taken however short memory is.
        if bytes + new == 0 { Ok(()) } else { self.memory_for(who, bytes + new) }
    }

    /// Why one more connection from this address is too much. Those that are being closed count too, for they
    /// still have their descriptors.
    pub(super) fn no_more_from(&self, address: &str) -> Option<Refusal> {
        if self.connections.len() >= self.config.max_connections {
            return Some(Refusal::TooManyConnections);
        }
        let limit = self.config.connections_per_address?;
        (self.connections.count_at(address) >= limit).then_some(Refusal::TooManyFromAddress)
    }

    /// A connection's buffers have grown or shrunk.
    pub(super) fn buffered(&mut self, from: ConnectionId, fill: Buffered, turn: &mut Turn<'_>) {
        let Some(who) = self.connections.find(from) else { return };
        let connection = &mut self.connections.slab[who];
        self.memory -= connection.memory();
        let before = std::mem::replace(&mut connection.fill, fill);
        self.memory += connection.memory();
        if fill.outward < LARGE && connection.outbox.is_empty() {
            connection.largest = 0;
        }
        let presence = connection.presence;
        if fill.outward < LARGE {
            self.go_on_telling(from, turn);
        }
        match presence {
            Presence::Here => self.watch(who, turn),
            // Whoever takes something is waited for, unless it was cut off.
            Presence::Closing
                if fill.outward < before.outward && self.connections.slab[who].patience.is_some() =>
            {
                self.begin_to_linger(who, turn);
            }
            Presence::Leaving | Presence::Closing | Presence::Gone => {}
        }
    }

    /// Compares what a peer's buffers hold with the limits.
    fn watch(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        let fill = self.connections.slab[who].fill;
        // A long message takes long on a slow line; it may, as long as it comes.
        let earned = Duration::from_secs((fill.inbound / STEP) as u64);
        let until = fill.partial_since.map(|since| since + self.config.packet_timeout + earned);
        self.be_patient(who, until);
        self.watch_output(who);
        self.watch_input(who, turn);
    }

    /// Keeps back a response.
    pub(super) fn hold(&mut self, to: ConnectionKey, response: Response) {
        let connection = &mut self.connections.slab[to];
        self.memory -= connection.memory();
        connection.outbox.hold(response);
        self.memory += connection.memory();
        self.watch_output(to);
    }

    /// Marks a peer for whom more waits than may. The longest packet in it does not count, or a peer could not be
    /// sent one that is longer than the limit.
    pub(super) fn watch_output(&mut self, who: ConnectionKey) {
        let connection = &self.connections.slab[who];
        let waits = connection.fill.outward.saturating_add(connection.outbox.bytes());
        if waits > self.config.output_limit.saturating_add(connection.largest) {
            self.slow_readers.push(connection.id);
        }
    }

    pub(super) fn cut_slow_readers(&mut self, turn: &mut Turn<'_>) {
        for peer in std::mem::take(&mut self.slow_readers) {
            if let Some(who) = self.here(peer) {
                self.refusals.count(Refused::OutputLimit);
                self.cut(who, turn);
            }
        }
    }

    /// The peer is being closed: it has as long to take what it is owed as it would have to send a message.
    pub(super) fn begin_to_linger(&mut self, who: ConnectionKey, turn: &Turn<'_>) {
        self.be_patient(who, Some(turn.now + self.config.packet_timeout));
    }

    /// Until when to wait for a peer.
    pub(super) fn be_patient(&mut self, who: ConnectionKey, until: Option<Time>) {
        let connection = &mut self.connections.slab[who];
        let before = std::mem::replace(&mut connection.patience, until);
        if before == until {
            return;
        }
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
            Presence::Here => {
                self.refuse(who, Refusal::PacketTimeout, turn);
                self.dismiss(who, turn);
            }
            Presence::Leaving | Presence::Closing | Presence::Gone => {
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

/// How many bytes a function counts against the memory limit.
pub(crate) fn function_cost(name: &FunctionName) -> usize {
    FUNCTION_OVERHEAD + name.as_bytes().len()
}

/// The length of what a response carries, if that is much.
pub(super) fn large_part(response: &Response) -> usize {
    Some(payload(response)).filter(|&length| length >= LARGE).unwrap_or(0)
}

/// Packets under this many bytes are not looked at one by one.
pub(crate) const LARGE: usize = STEP;

/// The steps in which drivers tell how full a buffer is, in bytes; a message earns a second for each.
const STEP: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use crate::config::{ABILITY_OVERHEAD, CONNECTION_OVERHEAD, JOB_OVERHEAD, WATCHER_OVERHEAD};
    use crate::engine::work_reports::MAX_EXCEPTED;
    use crate::tables::abilities::Ability;
    use crate::tables::connections::Connection;
    use crate::tables::functions::Function;
    use crate::tables::index::Index;
    use crate::tables::jobs::{Job, JobNumber, Watcher};
    use crate::tables::numbers::Numbers;
    use crate::tables::slab::Slab;

    #[test]
    fn what_is_counted_is_at_least_what_is_taken() {
        let excepted = MAX_EXCEPTED * size_of::<JobNumber>();
        let counted_and_taken = [
            (JOB_OVERHEAD, Slab::<Job>::PLACE + Index::<Job>::SHARE + Numbers::MOST),
            (WATCHER_OVERHEAD, Slab::<Watcher>::PLACE),
            (super::FUNCTION_OVERHEAD, Slab::<Function>::PLACE + Index::<Function>::SHARE),
            (ABILITY_OVERHEAD, Slab::<Ability>::PLACE + Index::<Ability>::SHARE),
            (
                CONNECTION_OVERHEAD,
                Slab::<Connection>::PLACE
                    + Index::<Connection>::SHARE
                    + excepted
                    + super::super::worker_requests::MAX_CLIENT_ID,
            ),
        ];
        for (counted, taken) in counted_and_taken {
            assert!(
                taken <= counted && counted <= 3 * taken,
                "{taken} bytes are taken, {counted} are counted"
            );
        }
    }
}
