//! Misbehaving with what waits: coalescing and order.

use std::collections::{BTreeMap, BTreeSet};

use gearman_protocol::PacketType as P;

use super::super::notes::{Submit, is_assignment, is_grab, is_submit};
use super::super::wire::{Ended, Framed, Message, response};
use super::super::{Act, Desk, Id, Trick};

/// Uniques are made different, so that nothing is ever coalesced.
#[derive(Default)]
pub(in crate::breakage) struct NeverCoalesces(u32);

impl Trick for NeverCoalesces {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let mut message = framed.message;
        let seen = |submit: &Submit| {
            let same = |(_, other): &(Id, Submit)| {
                other.function == submit.function && other.unique == submit.unique
            };
            let live = desk.notes.jobs.values().any(|job| job.submits.iter().any(same));
            live || desk
                .notes
                .peers
                .values()
                .any(|peer| peer.pending.iter().any(|other| same(&(0, other.clone()))))
        };
        if let Some(submit) = Submit::of(&message)
            && !submit.unique.is_empty()
            && seen(&submit)
        {
            self.0 += 1;
            message.set(1, format!("apart{}", self.0));
        }
        desk.up(at, message);
    }
}

/// A submit with the unique of a live job joins it, whatever its function.
pub(in crate::breakage) struct ByUniqueAlone;

impl Trick for ByUniqueAlone {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let mut message = framed.message;
        if let Some(submit) = Submit::of(&message) {
            let live =
                desk.notes.jobs.values().filter(|job| !job.is_over).map(super::super::notes::Job::first);
            if let Some(first) = live.into_iter().find(|first| first.unique == submit.unique) {
                message.set(0, first.function);
            }
        }
        desk.up(at, message);
    }
}

/// A job runs with the workload that came last.
#[derive(Default)]
pub(in crate::breakage) struct LastWorkload(BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>);

impl Trick for LastWorkload {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message) {
            self.0.insert((submit.function, submit.unique), submit.workload);
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, mut message: Message, desk: &mut Desk<'_>) {
        if message.is(P::JobAssignUniq)
            && let Some(workload) = self.0.get(&(message.argument(1), message.argument(2)))
        {
            message.set(3, workload.clone());
        }
        desk.down(at, message);
    }
}

/// A submit gets the handle that its function and unique had before.
#[derive(Default)]
pub(in crate::breakage) struct OldHandles {
    pending: BTreeMap<Id, Vec<Submit>>,
    handles: BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>,
}

impl Trick for OldHandles {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message) {
            self.pending.entry(at).or_default().push(submit);
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, mut message: Message, desk: &mut Desk<'_>) {
        if message.is(P::JobCreated)
            && let Some(pending) = self.pending.get_mut(&at).filter(|pending| !pending.is_empty())
        {
            let submit = pending.remove(0);
            let handle = self
                .handles
                .entry((submit.function, submit.unique))
                .or_insert_with(|| message.argument(0))
                .clone();
            message.set(0, handle);
        }
        desk.down(at, message);
    }
}

/// Jobs are taken from the server as soon as anybody grabs, and handed out by this key, least first.
pub(in crate::breakage) struct Reorders {
    pub(in crate::breakage) key: fn(&super::super::notes::Job) -> i64,
    /// Grabs whose answers have been asked for in advance, by connection.
    stash: BTreeMap<Id, Vec<Message>>,
    /// The grabs that the peer still waits for.
    waiting: BTreeMap<Id, u32>,
    grab: BTreeMap<Id, Message>,
}

impl Reorders {
    pub(in crate::breakage) fn by(key: fn(&super::super::notes::Job) -> i64) -> Box<dyn Trick> {
        Box::new(Self { key, stash: BTreeMap::new(), waiting: BTreeMap::new(), grab: BTreeMap::new() })
    }

    fn hand_out(&mut self, at: Id, desk: &mut Desk<'_>) {
        let key = self.key;
        let stash = self.stash.entry(at).or_default();
        let waiting = self.waiting.entry(at).or_default();
        while *waiting > 0 {
            *waiting -= 1;
            let place = |message: &Message| desk.notes.jobs.get(&message.argument(0)).map_or(i64::MAX, key);
            let first = (0..stash.len()).min_by_key(|index| place(&stash[*index]));
            match first {
                Some(index) => {
                    let message = stash.remove(index);
                    desk.down(at, message);
                }
                None => desk.down(at, response(P::NoJob, &[])),
            }
        }
    }
}

impl Trick for Reorders {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if framed.message.kind().is_some_and(is_grab) {
            let waiting = self.waiting.entry(at).or_default();
            *waiting += 1;
            self.grab.insert(at, framed.message.clone());
            // A grab is in flight already; its answer brings the next.
            if *waiting > 1 {
                return;
            }
        }
        desk.up(at, framed.message);
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.kind().is_some_and(is_assignment) {
            self.stash.entry(at).or_default().push(message);
            if let Some(grab) = self.grab.get(&at) {
                desk.up(at, grab.clone());
            }
        } else if message.is(P::NoJob) {
            self.hand_out(at, desk);
        } else {
            desk.down(at, message);
        }
    }
}

/// A unique or a reducer that is too long is cut, and the submit refused all the same.
#[derive(Default)]
pub(in crate::breakage) struct RefusesAndKeeps(BTreeSet<Id>);

impl Trick for RefusesAndKeeps {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let mut message = framed.message;
        if message.kind().is_some_and(is_submit) && message.argument(1).len() > 64 {
            message.set(1, message.argument(1)[..64].to_vec());
            self.0.insert(at);
        }
        desk.up(at, message);
    }

    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        if message.is(P::JobCreated) && self.0.remove(&at) {
            return desk.down(at, response(P::Error, &[b"ARGUMENT_TOO_LARGE", b"Unique value too large"]));
        }
        desk.down(at, message);
    }
}

/// Submits onto jobs whose client has gone are acknowledged and lost.
#[derive(Default)]
pub(in crate::breakage) struct JoinsTheAbandoned(BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>);

impl Trick for JoinsTheAbandoned {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        if let Some(submit) = Submit::of(&framed.message)
            && let Some(handle) = self.0.get(&(submit.function, submit.unique))
        {
            return desk.down(at, response(P::JobCreated, &[handle]));
        }
        if let Some(handle) = framed.message.text().and_then(|text| text.strip_prefix(b"cancel job ")) {
            let job = desk.notes.jobs.get(handle).map(super::super::notes::Job::first);
            let key = job.map(|first| (first.function, first.unique));
            self.0.extend(key.map(|key| (key, handle.to_vec())));
        }
        desk.up(at, framed.message);
    }

    fn peer_ended(&mut self, at: Id, how: Ended, desk: &mut Desk<'_>) {
        for (handle, job) in &desk.notes.jobs {
            let first = job.first();
            if job.submits.iter().all(|(id, _)| *id == at) && !job.is_over && !first.is_background() {
                self.0.insert((first.function, first.unique), handle.clone());
            }
        }
        desk.acts.push(Act::EndUp(at, how));
    }
}

/// Jobs whose time has not come are in the way of the others.
#[derive(Default)]
pub(in crate::breakage) struct HidesBehindTime(bool);

impl Trick for HidesBehindTime {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        self.0 |= framed.message.is(P::SubmitJobEpoch);
        if self.0 && framed.message.kind().is_some_and(is_grab) {
            return desk.down(at, response(P::NoJob, &[]));
        }
        desk.up(at, framed.message);
    }
}
