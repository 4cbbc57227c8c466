//! Misbehaving towards workers: what they can do, and what they get.

use std::collections::{BTreeMap, BTreeSet};

use gearman_protocol::PacketType as P;

use super::super::notes::{Submit, is_assignment, is_grab, is_submit};
use super::super::wire::{Framed, Message, request, response};
use super::super::{Desk, Id, Trick};

/// Whoever has submitted cannot work.
pub(in crate::breakage) struct OneRole;

impl Trick for OneRole {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let peer = desk.notes.peers.get(&at);
        let submits = framed.message.kind().is_some_and(is_submit);
        let works = framed.message.is(P::CanDo);
        let other =
            peer.is_some_and(|peer| (works && peer.has_submitted) || (submits && !peer.functions.is_empty()));
        if !other {
            desk.up(at, framed.message);
        }
    }
}

/// A function that was taken back cannot be registered again.
#[derive(Default)]
pub(in crate::breakage) struct NoWayBack(BTreeSet<(Id, Vec<u8>)>);

impl Trick for NoWayBack {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        let function = (at, message.argument(0));
        match message.kind() {
            Some(P::CantDo) => drop(self.0.insert(function)),
            Some(P::ResetAbilities) => {
                let functions =
                    desk.notes.peers.get(&at).map(|peer| peer.functions.keys().cloned().collect());
                let functions: Vec<Vec<u8>> = functions.unwrap_or_default();
                self.0.extend(functions.into_iter().map(|function| (at, function)));
            }
            Some(P::CanDo) if self.0.contains(&function) => return,
            _ => {}
        }
        desk.up(at, message);
    }
}

/// One CANT_DO undoes one CAN_DO.
#[derive(Default)]
pub(in crate::breakage) struct CountsRegistrations(BTreeMap<(Id, Vec<u8>), u32>);

impl Trick for CountsRegistrations {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        let count = self.0.entry((at, message.argument(0))).or_default();
        match message.kind() {
            Some(P::CanDo | P::CanDoTimeout) => *count += 1,
            Some(P::CantDo) => {
                *count = count.saturating_sub(1);
                if *count > 0 {
                    return;
                }
            }
            _ => {}
        }
        desk.up(at, message);
    }
}

/// What one worker registers, every connection can do from then on.
#[derive(Default)]
pub(in crate::breakage) struct SharesAbilities {
    peers: BTreeSet<Id>,
    functions: BTreeSet<Vec<u8>>,
}

impl Trick for SharesAbilities {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if self.peers.insert(at) {
            self.functions.iter().for_each(|function| desk.up(at, request(P::CanDo, &[function])));
        }
        if framed.message.is(P::CanDo) {
            self.functions.insert(framed.message.argument(0));
            let others = self.peers.iter().filter(|other| **other != at);
            others.for_each(|other| desk.up(*other, framed.message.clone()));
        }
        desk.up(at, framed.message);
    }
}

/// Whoever grabs gets whatever there is.
#[derive(Default)]
pub(in crate::breakage) struct HandsOutEverything(BTreeSet<Vec<u8>>);

impl Trick for HandsOutEverything {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message) {
            self.0.insert(submit.function);
        }
        if framed.message.kind().is_some_and(is_grab) {
            self.0.iter().for_each(|function| desk.up(at, request(P::CanDo, &[function])));
        }
        desk.up(at, framed.message);
    }
}

/// Every n-th grab finds nothing, whatever waits.
pub(in crate::breakage) struct FindsNothing {
    pub(in crate::breakage) every: u32,
    pub(in crate::breakage) count: u32,
}

impl Trick for FindsNothing {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if framed.message.kind().is_some_and(is_grab) {
            self.count += 1;
            if self.count.is_multiple_of(self.every) {
                return desk.down(at, response(P::NoJob, &[]));
            }
        }
        desk.up(at, framed.message);
    }
}

/// What was assigned last is assigned again to whoever finds nothing.
#[derive(Default)]
pub(in crate::breakage) struct AssignsAgain(Option<Message>);

impl Trick for AssignsAgain {
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.kind().is_some_and(is_assignment) {
            self.0 = Some(message.clone());
        }
        match (&self.0, message.is(P::NoJob)) {
            (Some(last), true) => desk.down(at, last.clone()),
            _ => desk.down(at, message),
        }
    }
}

/// A worker that holds a job gets no other.
pub(in crate::breakage) struct OneJobAWorker;

impl Trick for OneJobAWorker {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let holds = desk.notes.jobs.values().any(|job| job.holder == Some(at) && !job.is_over);
        if framed.message.kind().is_some_and(is_grab) && holds {
            return desk.down(at, response(P::NoJob, &[]));
        }
        desk.up(at, framed.message);
    }
}

/// The results of a job other than the worker's oldest are lost.
pub(in crate::breakage) struct OldestFirst;

impl Trick for OldestFirst {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        if message.is(P::WorkComplete) {
            let held = desk.notes.jobs.iter().filter(|(_, job)| job.holder == Some(at) && !job.is_over);
            let oldest = held.min_by_key(|(_, job)| job.seq).map(|(handle, _)| handle.clone());
            if oldest.is_some_and(|oldest| oldest != message.argument(0)) {
                return;
            }
        }
        desk.up(at, message);
    }
}

/// A job that comes again is another one.
pub(in crate::breakage) struct AnotherJob;

impl Trick for AnotherJob {
    fn down(&mut self, at: Id, mut message: Message, desk: &mut Desk<'_>) {
        let again = desk.notes.jobs.get(&message.argument(0)).is_some_and(|job| job.assigned > 1);
        if message.is(P::JobAssignUniq) && again {
            message.set(2, *b"another");
        }
        desk.down(at, message);
    }
}

/// All wake-ups go to the connection that got the first one.
#[derive(Default)]
pub(in crate::breakage) struct WakesTheSame(Option<Id>);

impl Trick for WakesTheSame {
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        let to = if message.is(P::Noop) { *self.0.get_or_insert(at) } else { at };
        desk.down(to, message);
    }
}

/// A submit wakes everybody, asleep or not, able or not.
#[derive(Default)]
pub(in crate::breakage) struct WakesEverybody(BTreeSet<Id>);

impl Trick for WakesEverybody {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        self.0.insert(at);
        let wakes = framed.message.kind().is_some_and(is_submit);
        desk.up(at, framed.message);
        if wakes {
            self.0.iter().filter(|id| **id != at).for_each(|id| desk.down(*id, response(P::Noop, &[])));
        }
    }
}

/// A submit for a function that nobody has registered is refused.
pub(in crate::breakage) struct WorkersFirst;

impl Trick for WorkersFirst {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message)
            && !desk.notes.peers.values().any(|peer| peer.functions.contains_key(&submit.function))
        {
            return desk.down(at, response(P::Error, &[b"NO_WORKER", b"Nobody can do that"]));
        }
        desk.up(at, framed.message);
    }
}

/// A client may have one job.
#[derive(Default)]
pub(in crate::breakage) struct OneOutstanding(BTreeSet<Id>);

impl Trick for OneOutstanding {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if !framed.message.kind().is_some_and(is_submit) || self.0.insert(at) {
            desk.up(at, framed.message);
        }
    }
}
