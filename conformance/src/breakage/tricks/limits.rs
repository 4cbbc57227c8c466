//! Misbehaving with limits of time, room and names.

use std::collections::{BTreeMap, BTreeSet};

use gearman_protocol::PacketType as P;

use super::super::notes::{Submit, is_assignment};
use super::super::wire::{Framed, Message, request, response};
use super::super::{Act, Desk, Id, Trick};

/// A limit of the proxy's own: when it passes, the worker's function is taken back and given again.
pub(in crate::breakage) struct Limits {
    /// After how many milliseconds from the registration, if from there.
    pub(in crate::breakage) from_registration: Option<u64>,
    /// After how many from the assignment of a job of a function with a limit.
    pub(in crate::breakage) from_assignment: Option<u64>,
    /// Whether every worker's jobs go with it.
    pub(in crate::breakage) everybody: bool,
}

impl Trick for Limits {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let (Some(millis), true) = (self.from_registration, framed.message.is(P::CanDoTimeout)) {
            desk.acts.push(Act::After(millis, at, framed.message.argument(0)));
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        let function = message.argument(1);
        let limited = desk
            .notes
            .peers
            .get(&at)
            .is_some_and(|peer| peer.functions.get(&function).is_some_and(Option::is_some));
        if let (Some(millis), true) =
            (self.from_assignment, limited && message.kind().is_some_and(is_assignment))
        {
            desk.acts.push(Act::After(millis, at, function));
        }
        desk.down(at, message);
    }

    fn timer(&mut self, at: Id, function: Vec<u8>, desk: &mut Desk<'_>) {
        let peers = desk.notes.peers.iter().filter(|(id, _)| self.everybody || **id == at);
        let again: Vec<(Id, Vec<u8>, Vec<u8>)> = peers
            .flat_map(|(id, peer)| {
                let functions =
                    peer.functions.iter().filter(|(name, _)| self.everybody || **name == function);
                functions.map(|(name, limit)| (*id, name.clone(), limit.clone().unwrap_or_default()))
            })
            .collect();
        for (id, name, limit) in again {
            desk.up(id, request(P::CantDo, &[&name]));
            desk.up(id, request(P::CanDoTimeout, &[&name, &limit]));
        }
        // The worker's function exists no more for those who hold no job of it: they are told something as well.
        if self.from_registration.is_none() && !self.everybody {
            desk.down(at, response(P::Noop, &[]));
        }
    }
}

/// Former owners hear that their time is over.
#[derive(Default)]
pub(in crate::breakage) struct TellsTheFormer(BTreeMap<Vec<u8>, Id>);

impl Trick for TellsTheFormer {
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.kind().is_some_and(is_assignment)
            && let Some(former) = self.0.insert(message.argument(0), at)
            && former != at
        {
            desk.down(former, response(P::Error, &[b"TIMEOUT", b"Your time is over"]));
        }
        desk.down(at, message);
    }
}

/// The time of a limit counts from the registration: a job that is assigned after it has none left.
#[derive(Default)]
pub(in crate::breakage) struct LimitedSinceRegistration(BTreeSet<(Id, Vec<u8>)>);

impl Trick for LimitedSinceRegistration {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if framed.message.is(P::CanDoTimeout) {
            desk.acts.push(Act::After(1000, at, framed.message.argument(0)));
        }
        desk.up(at, framed.message);
    }

    fn timer(&mut self, at: Id, function: Vec<u8>, _: &mut Desk<'_>) {
        self.0.insert((at, function));
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        let function = message.argument(1);
        let late = message.kind().is_some_and(is_assignment) && self.0.contains(&(at, function.clone()));
        desk.down(at, message);
        if late {
            desk.up(at, request(P::CantDo, &[&function]));
            desk.up(at, request(P::CanDoTimeout, &[&function, b"1000"]));
        }
    }
}

/// A function is created once.
#[derive(Default)]
pub(in crate::breakage) struct CreatesOnce(BTreeSet<Vec<u8>>);

impl Trick for CreatesOnce {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if framed.message.begins("create function ")
            && !self.0.insert(framed.message.text().unwrap_or_default().to_vec())
        {
            return desk.down(at, super::super::wire::line("ERR function exists"));
        }
        desk.up(at, framed.message);
    }
}

/// Once a submit was refused all are, for that function.
#[derive(Default)]
pub(in crate::breakage) struct FullForEver {
    asked: BTreeMap<Id, Vec<u8>>,
    full: BTreeSet<Vec<u8>>,
}

impl Trick for FullForEver {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message) {
            if self.full.contains(&submit.function) {
                return desk.down(at, response(P::Error, &[b"QUEUE_ERROR", b"Job queue is full"]));
            }
            self.asked.insert(at, submit.function);
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.is(P::Error) && message.argument(0) == b"QUEUE_ERROR" {
            self.full.extend(self.asked.get(&at).cloned());
        }
        desk.down(at, message);
    }
}

/// A limit of 0 is taken at its word.
#[derive(Default)]
pub(in crate::breakage) struct AdmitsNothing(BTreeSet<Vec<u8>>);

impl Trick for AdmitsNothing {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let words: Vec<&[u8]> =
            framed.message.text().unwrap_or_default().split(|byte| *byte == b' ').collect();
        if let [b"maxqueue", function, numbers @ ..] = &words[..]
            && numbers.contains(&&b"0"[..])
        {
            self.0.insert(function.to_vec());
        }
        if Submit::of(&framed.message).is_some_and(|submit| self.0.contains(&submit.function)) {
            return desk.down(at, response(P::Error, &[b"QUEUE_ERROR", b"Job queue is full"]));
        }
        desk.up(at, framed.message);
    }
}

/// The limit of one function is given to every function that is submitted to.
#[derive(Default)]
pub(in crate::breakage) struct OneLimitForAll(Option<Vec<u8>>);

impl Trick for OneLimitForAll {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let words: Vec<&[u8]> =
            framed.message.text().unwrap_or_default().split(|byte| *byte == b' ').collect();
        if let [b"maxqueue", _, number, ..] = &words[..] {
            self.0 = Some(number.to_vec());
        }
        if let (Some(submit), Some(number)) = (Submit::of(&framed.message), &self.0) {
            let live = desk
                .notes
                .jobs
                .values()
                .filter(|job| !job.is_over && job.first().function == submit.function);
            let limit: usize = String::from_utf8_lossy(number).parse().unwrap_or(usize::MAX);
            if live.count() >= limit {
                return desk.down(at, response(P::Error, &[b"QUEUE_ERROR", b"Job queue is full"]));
            }
        }
        desk.up(at, framed.message);
    }
}

/// A function name with a tab is taken, and its row has a column more.
#[derive(Default)]
pub(in crate::breakage) struct OddNames(Vec<Vec<u8>>);

impl Trick for OddNames {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message).filter(|submit| submit.function.contains(&b'\t')) {
            self.0.push(submit.function);
            return desk.down(at, response(P::JobCreated, &[b"H:odd:1"]));
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.text() == Some(b".") {
            for name in &self.0 {
                desk.down(at, Message::Line([&name[..], b"\t1\t0\t0\n"].concat()));
            }
        }
        desk.down(at, message);
    }
}
