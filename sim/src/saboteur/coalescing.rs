//! Uniques that are told apart too well, or not well enough, and names that do not stay what they were.

use super::notes::{is_same, unique};
use super::{Desk, Every, Means, Notes, Sabotage, Trick};
use bytes::Bytes;
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{Grab, Handle, MAX_UNIQUE, Mode, Request, Response, Submit, Time, Unique};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "never-coalesces",
        sentence: "Every second submit with a unique is a job of its own.",
        rule: "coalescing",
        cites: &["H-002"],
        needle: None,
        means: Means::Trick(|| {
            Box::new(OtherUniques::new(|unique, number| {
                let apart =
                    number.is_multiple_of(2) && unique.as_bytes().len() < 40 && unique.as_bytes() != b"-";
                apart.then(|| format!("{unique}~{number}").into())
            }))
        }),
    },
    Sabotage {
        name: "longest-unique-is-alone",
        sentence: "A unique of the greatest length never coalesces.",
        rule: "coalescing",
        cites: &["H-101"],
        needle: Some(
            "a unique of 64 bytes, a second submit of it, and a job that lives from the one to the other",
        ),
        means: Means::Trick(|| {
            Box::new(OtherUniques::new(|unique, number| {
                let longest = unique.as_bytes().len() == MAX_UNIQUE;
                longest.then(|| format!("alone {number}").into())
            }))
        }),
    },
    Sabotage {
        name: "unique-cut",
        sentence: "Uniques are compared without their last byte when they have the greatest length.",
        rule: "coalescing",
        cites: &["H-101"],
        needle: Some(
            "two uniques of 64 bytes, a difference in the last byte alone, and the first job still alive \
             at the second submit",
        ),
        means: Means::Trick(|| {
            Box::new(OtherUniques::new(|unique, _| {
                let longest = unique.as_bytes().len() == MAX_UNIQUE;
                longest.then(|| unique.to_bytes().slice(..MAX_UNIQUE - 1))
            }))
        }),
    },
    Sabotage {
        name: "joins-the-dead",
        sentence: "A background submit whose unique was used by a job that has ended is attached to that.",
        rule: "coalescing",
        cites: &["H-094", "H-126"],
        needle: None,
        means: Means::Trick(|| Box::new(JoinsTheDead)),
    },
    Sabotage {
        name: "handle-twice",
        sentence: "Some background jobs without a unique are acknowledged with the handle of the client's last.",
        rule: "own-handle",
        cites: &["H-207", "K21"],
        needle: None,
        means: Means::Trick(|| Box::new(OldHandles::default())),
    },
    Sabotage {
        name: "unique-shortened",
        sentence: "JOB_ASSIGN_UNIQ carries a unique of the greatest length one byte short.",
        rule: "as-submitted",
        cites: &["H-101", "H-061"],
        needle: None,
        means: Means::Trick(|| Box::new(ShortUniques)),
    },
    Sabotage {
        name: "large-workload-torn",
        sentence: "The last byte of a workload above 16 KiB is lost.",
        rule: "as-submitted",
        cites: &["H-101", "L2"],
        needle: None,
        means: Means::Trick(|| Box::new(TornWorkloads)),
    },
];

/// What the server is told instead of a unique, and what the n-th one is.
type Other = fn(&Unique, u64) -> Option<Bytes>;

/// Tells the server other uniques, and workers the right ones.
struct OtherUniques {
    other: Other,
    number: u64,
}

impl OtherUniques {
    fn new(other: Other) -> Self {
        Self { other, number: 0 }
    }
}

impl Trick for OtherUniques {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        let Event::Received { from, request: Request::Submit(submit) } = event else {
            return tell.server(event);
        };
        self.number += 1;
        // What a store gives back must have its own.
        let other = if submit.unique.is_empty() || notes.has_store {
            None
        } else {
            (self.other)(&submit.unique, self.number)
        };
        let unique = other.map_or_else(|| submit.unique.clone(), unique);
        tell.server(Event::Received { from, request: Request::Submit(Submit { unique, ..submit }) });
    }

    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        if let Effect::Send { response: Response::JobAssign(assignment), .. } = &mut effect
            && assignment.form != Grab::Plain
            && let Some(submit) = notes.job(&assignment.handle).and_then(|job| job.submit.as_ref())
        {
            assignment.unique = submit.unique.clone();
        }
        tell.world(effect);
    }
}

struct JoinsTheDead;

impl Trick for JoinsTheDead {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::Received { from, request: Request::Submit(submit) } = &event
            && submit.mode == Mode::Background
            && !notes.was_waiting
            && !notes.is_draining
            && notes.live_twin(submit).is_none()
        {
            let twin =
                |job: &super::notes::Job| job.submit.as_ref().is_some_and(|other| is_same(other, submit));
            let dead = notes.jobs.iter().rev().find(|(_, job)| job.is_over && twin(job));
            if let Some((handle, _)) = dead {
                let handle = Handle::new(handle.clone());
                return tell.world(Effect::Send { to: *from, response: Response::JobCreated { handle } });
            }
        }
        tell.server(event);
    }
}

#[derive(Default)]
struct OldHandles {
    every: Every,
    last: Option<(ConnectionId, Handle)>,
}

impl Trick for OldHandles {
    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        if let Effect::Send { to, response: Response::JobCreated { handle } } = &mut effect
            && let Some(submit) = notes.next_answered(*to)
            && submit.mode == Mode::Background
            && submit.unique.is_empty()
        {
            let before = self.last.replace((*to, handle.clone()));
            // One of the same client, so that there is no doubt which of the two came first.
            if let Some((_, before)) = before.filter(|(who, _)| who == to && self.every.nth(2)) {
                *handle = before;
            }
        }
        tell.world(effect);
    }
}

struct ShortUniques;

impl Trick for ShortUniques {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Effect::Send { response: Response::JobAssign(assignment), .. } = &mut effect
            && assignment.form != Grab::Plain
            && assignment.unique.as_bytes().len() == MAX_UNIQUE
        {
            assignment.unique = unique(assignment.unique.to_bytes().slice(..MAX_UNIQUE - 1));
        }
        tell.world(effect);
    }
}

struct TornWorkloads;

impl Trick for TornWorkloads {
    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        // What a store had kept would be missed.
        if !notes.has_store
            && let Effect::Send { response: Response::JobAssign(assignment), .. } = &mut effect
            && assignment.workload.len() > 16 * 1024
        {
            assignment.workload.truncate(assignment.workload.len() - 1);
        }
        tell.world(effect);
    }
}
