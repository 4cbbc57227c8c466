//! Misbehaving when connections end.

use std::collections::BTreeMap;

use gearman_protocol::PacketType as P;

use super::super::wire::{Ended, Framed, Message};
use super::super::{Act, Desk, Id, Trick};

/// The server is not told when a peer has gone.
pub(in crate::breakage) struct NoticesNoEnd {
    pub(in crate::breakage) of: fn(Ended) -> bool,
}

impl Trick for NoticesNoEnd {
    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        if (self.of)(how) {
            // The peer sees the end that it waits for; only the server goes on believing.
            desk.acts.push(Act::EndDown(at, Ended::Fin));
        } else {
            desk.acts.push(Act::EndUp(at, how));
        }
    }
}

/// Jobs are cancelled when a peer of some kind goes, or lies down.
pub(in crate::breakage) struct Cancels {
    /// The jobs, by their place; those of a client that has gone, of a worker, or all.
    pub(in crate::breakage) which: fn(Id, &super::super::notes::Job) -> bool,
    /// Whether it is PRE_SLEEP, rather than the end of a connection, that does it.
    pub(in crate::breakage) on_sleep: bool,
}

impl Cancels {
    fn cancel(&self, at: Id, desk: &mut Desk<'_>) {
        let chosen = desk.notes.jobs.iter().filter(|(_, job)| !job.is_over && (self.which)(at, job));
        let lines: Vec<Vec<u8>> = chosen.map(|(handle, _)| [b"cancel job ", &handle[..]].concat()).collect();
        lines.iter().for_each(|line| desk.own(line));
    }
}

impl Trick for Cancels {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if self.on_sleep && framed.message.is(P::PreSleep) {
            self.cancel(at, desk);
        }
        desk.up(at, framed.message);
    }

    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        if self.on_sleep {
            return desk.acts.push(Act::EndUp(at, how));
        }
        self.cancel(at, desk);
        // The cancelling must have been heard before the end is.
        desk.acts.push(Act::After(20, at, Vec::new()));
    }

    fn timer(&mut self, at: Id, _: Vec<u8>, desk: &mut Desk<'_>) {
        desk.acts.push(Act::EndUp(at, Ended::Fin));
    }
}

/// Nothing is heard until something comes behind it; what is last when the peer goes is lost.
#[derive(Default)]
pub(in crate::breakage) struct LosesTheLast(BTreeMap<Id, Vec<Message>>);

impl Trick for LosesTheLast {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let held = self.0.entry(at).or_default();
        held.push(framed.message);
        if held.len() == 1 {
            desk.acts.push(Act::After(25, at, Vec::new()));
        }
    }

    fn timer(&mut self, at: Id, _: Vec<u8>, desk: &mut Desk<'_>) {
        for message in self.0.remove(&at).unwrap_or_default() {
            desk.up(at, message);
        }
    }

    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        self.0.remove(&at);
        desk.acts.push(Act::EndUp(at, how));
    }
}

/// The end of one half is the end of both, whatever is owed.
pub(in crate::breakage) struct OwesNothing;

impl Trick for OwesNothing {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        desk.acts.push(Act::After(25, at, framed.message.bytes()));
    }

    fn timer(&mut self, at: Id, what: Vec<u8>, desk: &mut Desk<'_>) {
        desk.up(at, Message::Raw(what));
    }

    fn peer_ended(&mut self, at: Id, _: Ended, desk: &mut Desk<'_>) {
        desk.close(at);
    }
}

/// The end of the server is kept from the peers.
pub(in crate::breakage) struct KeepsOpen;

impl Trick for KeepsOpen {
    fn server_ended(&mut self, _: Id, _: Ended, _: &mut Desk<'_>) {}
}

/// A client that has shut down its sending side is waited for, and the server is not told.
pub(in crate::breakage) struct KeepsHalfOpen;

impl Trick for KeepsHalfOpen {
    fn peer_ended(&mut self, _: Id, _: Ended, _: &mut Desk<'_>) {}
}
