//! Misbehaving that needs no memory, or hardly any.

use std::collections::{BTreeMap, BTreeSet};

use gearman_protocol::PacketType as P;

use super::super::wire::{Framed, Message};
use super::super::{Desk, Fate, Id, Trick};

/// Two functions without a memory, but for what they hold back.
pub(in crate::breakage) struct Plain {
    hears: fn(&mut Message) -> Fate,
    says: fn(&mut Message) -> Fate,
    late_up: BTreeMap<Id, Message>,
    late_down: BTreeMap<Id, Message>,
}

impl Plain {
    pub(in crate::breakage) fn new(hears: fn(&mut Message) -> Fate, says: fn(&mut Message) -> Fate) -> Self {
        Self { hears, says, late_up: BTreeMap::new(), late_down: BTreeMap::new() }
    }
}

impl Trick for Plain {
    fn up(&mut self, at: Id, mut framed: Framed, desk: &mut Desk<'_>) {
        let fate = (self.hears)(&mut framed.message);
        let held = self.late_up.remove(&at);
        let message = framed.message;
        match fate {
            Fate::Pass => desk.up(at, message),
            Fate::Drop => {}
            Fate::Twice => {
                desk.up(at, message.clone());
                desk.up(at, message);
            }
            Fate::Late => drop(self.late_up.insert(at, message)),
            Fate::Close => {
                desk.up(at, message);
                desk.close(at);
            }
            Fate::Cut => desk.close(at),
            Fate::Reply(answer) => desk.down(at, answer),
            Fate::Also(answer) => {
                desk.up(at, message);
                desk.down(at, answer);
            }
        }
        if let Some(held) = held {
            desk.up(at, held);
        }
    }

    fn down(&mut self, at: Id, mut message: Message, desk: &mut Desk<'_>) {
        let fate = (self.says)(&mut message);
        let held = self.late_down.remove(&at);
        match fate {
            Fate::Pass => desk.down(at, message),
            Fate::Drop => {}
            Fate::Twice => {
                desk.down(at, message.clone());
                desk.down(at, message);
            }
            Fate::Late => drop(self.late_down.insert(at, message)),
            Fate::Close => {
                desk.down(at, message);
                desk.close(at);
            }
            Fate::Cut => desk.close(at),
            Fate::Reply(other) => desk.down(at, other),
            Fate::Also(other) => {
                desk.down(at, message);
                desk.down(at, other);
            }
        }
        if let Some(held) = held {
            desk.down(at, held);
        }
    }
}

pub(in crate::breakage) fn never(_: Id, _: &Message, _: &Desk<'_>) -> bool {
    false
}

/// A choice among messages, by what the notes know; what it takes is dropped.
pub(in crate::breakage) struct Loses {
    pub(in crate::breakage) up: fn(Id, &Message, &Desk<'_>) -> bool,
    pub(in crate::breakage) down: fn(Id, &Message, &Desk<'_>) -> bool,
}

impl Trick for Loses {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if !(self.up)(at, &framed.message, desk) {
            desk.up(at, framed.message);
        }
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if !(self.down)(at, &message, desk) {
            desk.down(at, message);
        }
    }
}

/// Every message of a kind but the first, of a connection and a first argument, is lost.
pub(in crate::breakage) struct OncePer {
    pub(in crate::breakage) kind: P,
    pub(in crate::breakage) seen: BTreeSet<(Id, Vec<u8>)>,
}

impl Trick for OncePer {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        if !message.is(self.kind) || self.seen.insert((at, message.argument(0))) {
            desk.up(at, message);
        }
    }
}
