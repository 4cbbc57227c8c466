//! Misbehaving with results and statuses.

use std::collections::BTreeMap;

use gearman_protocol::PacketType as P;

use super::super::notes::is_result;
use super::super::wire::{Framed, Message, response};
use super::super::{Desk, Id, Trick};

/// Results reach the clients of their job, whoever sends them and however often.
pub(in crate::breakage) struct BelievesEverybody {
    /// Whether the job's owner is made to have said it.
    pub(in crate::breakage) as_owner: bool,
}

impl Trick for BelievesEverybody {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let mut message = framed.message;
        if !message.kind().is_some_and(is_result) {
            return desk.up(at, message);
        }
        let Some(job) = desk.notes.jobs.get(&message.argument(0)).cloned() else {
            return desk.up(at, message);
        };
        if self.as_owner {
            return desk.up(job.holder.unwrap_or(at), message);
        }
        if job.holder == Some(at) && !job.is_over {
            return desk.up(at, message);
        }
        if let Message::Packet { magic, .. } = &mut message {
            *magic = *b"\0RES";
        }
        for (client, submit) in job.submits {
            if !submit.is_background() {
                desk.down(client, message.clone());
            }
        }
    }
}

/// Results also go to connections that they do not belong to.
pub(in crate::breakage) struct Spreads {
    /// To whoever submitted in the background, rather than to whoever submitted anything.
    pub(in crate::breakage) to_background: bool,
}

impl Trick for Spreads {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        if message.kind().is_some_and(is_result)
            && let Some(job) = desk.notes.jobs.get(&message.argument(0)).cloned()
        {
            let mut copy = message.clone();
            if let Message::Packet { magic, .. } = &mut copy {
                *magic = *b"\0RES";
            }
            let submitters: Vec<Id> = if self.to_background {
                let background = job.submits.iter().filter(|(_, submit)| submit.is_background());
                background.map(|(client, _)| *client).collect()
            } else {
                let others = desk.notes.peers.iter().filter(|(_, peer)| peer.has_submitted);
                let is_client = |id: &Id| job.submits.iter().any(|(client, _)| client == id);
                others.map(|(id, _)| *id).filter(|id| !is_client(id)).collect()
            };
            desk.up(at, message);
            submitters.into_iter().for_each(|client| desk.down(client, copy.clone()));
            return;
        }
        desk.up(at, message);
    }
}

/// Of several watchers one is told.
#[derive(Default)]
pub(in crate::breakage) struct TellsOne {
    pub(in crate::breakage) updates: bool,
    seen: BTreeMap<Vec<u8>, Id>,
}

impl TellsOne {
    pub(in crate::breakage) fn updates() -> Self {
        Self { updates: true, seen: BTreeMap::new() }
    }
}

impl Trick for TellsOne {
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        let terminal = matches!(message.kind(), Some(P::WorkComplete | P::WorkFail | P::WorkException));
        if message.kind().is_some_and(is_result) && terminal != self.updates {
            let bytes = message.bytes();
            // The same packet is told once: to a second watcher it would be the same bytes again.
            if self.seen.insert(bytes, at).is_some() {
                return;
            }
        }
        desk.down(at, message);
    }
}

/// A watcher that comes late is told what was before it.
#[derive(Default)]
pub(in crate::breakage) struct Replays(BTreeMap<Vec<u8>, Vec<Message>>);

impl Trick for Replays {
    fn down(&mut self, at: Id, message: Message, desk: &mut Desk<'_>) {
        let handle = message.argument(0);
        let is_update = matches!(message.kind(), Some(P::WorkData | P::WorkWarning | P::WorkStatus));
        let created = message.is(P::JobCreated);
        if is_update {
            self.0.entry(handle.clone()).or_default().push(message.clone());
        }
        desk.down(at, message);
        if created {
            let before = self.0.get(&handle).cloned().unwrap_or_default();
            before.into_iter().for_each(|message| desk.down(at, message));
        }
    }
}

/// Statuses come from the worker's own words.
pub(in crate::breakage) struct KeepsProgress;

impl Trick for KeepsProgress {
    fn down(&mut self, at: Id, mut message: Message, desk: &mut Desk<'_>) {
        let known = message.argument(1) == b"1";
        if message.is(P::StatusRes)
            && known
            && let Some((numerator, denominator)) =
                desk.notes.jobs.get(&message.argument(0)).and_then(|job| job.progress.clone())
        {
            message.set(3, numerator);
            message.set(4, denominator);
        }
        desk.down(at, message);
    }
}

/// Whoever did not submit a job knows nothing of it.
pub(in crate::breakage) struct OwnJobsOnly;

impl Trick for OwnJobsOnly {
    fn up(&mut self, at: Id, framed: Framed, desk: &mut Desk<'_>) {
        let message = framed.message;
        let handle = message.argument(0);
        let own = desk.notes.jobs.get(&handle).is_some_and(|job| job.submits.iter().any(|(id, _)| *id == at));
        if message.is(P::GetStatus) && !own {
            return desk.down(at, response(P::StatusRes, &[&handle, b"0", b"0", b"0", b"0"]));
        }
        desk.up(at, message);
    }
}
