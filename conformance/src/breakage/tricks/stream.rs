//! Misbehaving with bytes: halves, garbage, and who suffers for them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::wire::{Ended, Framed, Message};
use super::super::{Act, Desk, Id, Trick};

/// A message that came in more than one read is lost.
pub(in crate::breakage) struct WholeReadsOnly;

impl Trick for WholeReadsOnly {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if framed.pieces <= 1 {
            desk.up(at, framed.message);
        }
    }
}

/// Only the first message of a read is seen.
pub(in crate::breakage) struct FirstOfARead;

impl Trick for FirstOfARead {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if !framed.is_behind {
            desk.up(at, framed.message);
        }
    }
}

/// Half a message closes the connection.
pub(in crate::breakage) struct Impatient;

impl Trick for Impatient {
    fn partial(&mut self, at: Id, desk: &mut Desk<'_>) {
        desk.close(at);
    }
}

/// What a connection's first message was, all are: the others are lost.
#[derive(Default)]
pub(in crate::breakage) struct OneKindAConnection(BTreeMap<Id, bool>);

impl Trick for OneKindAConnection {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let is_text = framed.message.text().is_some();
        if *self.0.entry(at).or_insert(is_text) == is_text {
            desk.up(at, framed.message);
        }
    }
}

/// When one peer goes, or sends what is nothing, everybody is closed.
#[derive(Default)]
pub(in crate::breakage) struct ClosesNeighbours {
    pub(in crate::breakage) on_garbage: bool,
    peers: BTreeSet<Id>,
}

impl ClosesNeighbours {
    pub(in crate::breakage) fn on_garbage() -> Self {
        Self { on_garbage: true, peers: BTreeSet::new() }
    }
}

impl Trick for ClosesNeighbours {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        self.peers.insert(at);
        if self.on_garbage && is_garbage(&framed.message) {
            self.peers.iter().for_each(|peer| desk.close(*peer));
        }
        desk.up(at, framed.message);
    }

    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        if !self.on_garbage {
            self.peers.iter().for_each(|peer| desk.close(*peer));
        }
        desk.acts.push(Act::EndUp(at, how));
    }
}

/// How commands begin.
const COMMANDS: [&[u8]; 12] = [
    b"status",
    b"workers",
    b"version",
    b"show",
    b"cancel",
    b"create",
    b"drop",
    b"maxqueue",
    b"getpid",
    b"verbose",
    b"prioritystatus",
    b"shutdown",
];

/// Whether it is no request.
pub(in crate::breakage) fn is_garbage(message: &Message) -> bool {
    match message {
        Message::Packet { magic, .. } => magic != b"\0REQ" || message.is_unlisted(),
        Message::Raw(_) => true,
        Message::Line(line) => !COMMANDS.iter().any(|word| line.to_ascii_lowercase().starts_with(word)),
    }
}

/// Garbage ends the server.
pub(in crate::breakage) struct DiesOf {
    pub(in crate::breakage) what: fn(&Message) -> bool,
}

impl Trick for DiesOf {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if (self.what)(&framed.message) {
            return desk.acts.push(Act::Die);
        }
        desk.up(at, framed.message);
    }
}

/// While a message of one connection has arrived in part, nobody else is served.
#[derive(Default)]
pub(in crate::breakage) struct WaitsForTheRest(Option<Id>);

impl Trick for WaitsForTheRest {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        match self.0 {
            Some(waiting) if waiting != at => {}
            _ if matches!(framed.message, Message::Raw(_)) => {}
            _ => {
                self.0 = None;
                desk.up(at, framed.message);
            }
        }
    }

    fn partial(&mut self, at: Id, _: &mut Desk<'_>) {
        self.0.get_or_insert(at);
    }
}

/// A packet that the end of its connection cuts short is filled up and executed.
pub(in crate::breakage) struct FillsUp;

impl Trick for FillsUp {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Message::Raw(bytes) = &framed.message
            && bytes.len() >= 12
            && bytes[..4] == *b"\0REQ"
        {
            let number = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            let packet = Message::Packet { magic: *b"\0REQ", number, body: bytes[12..].to_vec() };
            return desk.up(at, packet);
        }
        desk.up(at, framed.message);
    }
}

/// Nobody is served while somebody does not read.
pub(in crate::breakage) struct WaitsForReaders;

impl Trick for WaitsForReaders {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if desk.stalled.is_none() {
            desk.up(at, framed.message);
        }
    }
}

/// Every job is cancelled when somebody sends garbage.
pub(in crate::breakage) struct CancelsOnGarbage;

impl Trick for CancelsOnGarbage {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if is_garbage(&framed.message) {
            let handles: Vec<Vec<u8>> = desk.notes.jobs.keys().cloned().collect();
            handles.iter().for_each(|handle| desk.own(&[b"cancel job ", &handle[..]].concat()));
        }
        desk.up(at, framed.message);
    }
}

/// Whoever sends garbage is closed, and the server goes on believing in it.
pub(in crate::breakage) struct SwallowsGarbage;

impl Trick for SwallowsGarbage {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if is_garbage(&framed.message) {
            desk.acts.push(Act::EndDown(at, Ended::Fin));
        } else {
            desk.up(at, framed.message);
        }
    }

    fn peer_ended(&mut self, _: Id, _: Ended, _: &mut Desk<'_>) {}
}
