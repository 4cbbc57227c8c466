//! Stores that are not what they should be, and such as are not used as they should be.

use super::notes::Peer;
use super::{Desk, Every, Means, Notes, Sabotage, Trick};
use crate::store::Cheat;
use gearman_engine::{ConnectionId, Effect, Event, RecordId};
use gearman_protocol::{Priority, Request, Response, Time};
use std::collections::BTreeSet;

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "kept-in-name-only",
        sentence: "Every second background job is acknowledged as kept and was never given to the store.",
        rule: "kept-jobs-run",
        cites: &["H-018", "H-037"],
        needle: None,
        means: Means::Trick(|| Box::new(KeepsInName::default())),
    },
    Sabotage {
        name: "kept-before-written",
        sentence: "The store says that a record is kept before it is written.",
        rule: "kept-jobs-run",
        cites: &["H-018"],
        needle: Some(
            "a background submit that was just acknowledged, a power failure before its record is written, \
             and a worker that asks after the restart",
        ),
        means: Means::Store(Cheat::AnswersFirst),
    },
    Sabotage {
        name: "store-hides-failures",
        sentence: "The store says that a record is kept that it could not keep.",
        rule: "kept-jobs-run",
        cites: &["H-018"],
        needle: Some(
            "a record that the store cannot keep, a restart before its job is done, and a worker that asks \
             after it",
        ),
        means: Means::Store(Cheat::HidesFailures),
    },
    Sabotage {
        name: "record-stays",
        sentence: "The store is not told that a job has ended.",
        rule: "ended-stays-ended",
        cites: &["H-004", "H-066"],
        needle: None,
        means: Means::Trick(|| Box::new(ForgetsNothing)),
    },
    Sabotage {
        name: "forgotten-until-power-fails",
        sentence: "The store writes down what it keeps and not what it forgets.",
        rule: "ended-stays-ended",
        cites: &["H-004", "H-036"],
        needle: Some(
            "a kept job that ends, a power failure after it, and a worker that asks after the restart",
        ),
        means: Means::Store(Cheat::ForgetsInMemory),
    },
    Sabotage {
        name: "half-records-replayed",
        sentence: "A record that was half written when the power failed is taken for a whole one.",
        rule: "as-submitted",
        cites: &["H-058", "H-061", "R6"],
        needle: Some(
            "a record that is being written, a power failure that leaves half of it, and a worker that \
             asks after the restart",
        ),
        means: Means::Store(Cheat::TrustsHalves),
    },
    Sabotage {
        name: "replay-backwards",
        sentence: "The store gives its records back in the wrong order.",
        rule: "replay-order",
        cites: &["H-113", "R6"],
        needle: None,
        means: Means::Store(Cheat::ReadsBackwards),
    },
    Sabotage {
        name: "replayed-as-high",
        sentence: "Whatever comes back from the store is of high priority.",
        rule: "replay-order",
        cites: &["H-113"],
        needle: Some(
            "a kept job that is not urgent, a more urgent one that was kept after it, and a restart while \
             both wait",
        ),
        means: Means::Trick(|| Box::new(RaisesAll)),
    },
    Sabotage {
        name: "refused-runs",
        sentence: "A job that could not be kept is refused, and stays in its queue.",
        rule: "refused-never-runs",
        cites: &["H-053", "R3"],
        needle: None,
        means: Means::Trick(|| Box::new(KeepsRefused::default())),
    },
    Sabotage {
        name: "store-failure-mistold",
        sentence: "A client whose job could not be kept is told that its command was not expected.",
        rule: "answers-in-order",
        cites: &["H-124", "M15"],
        needle: None,
        means: Means::Trick(|| Box::new(Mistells)),
    },
    Sabotage {
        name: "store-failure-to-another",
        sentence: "That a job could not be kept is told to somebody else as well.",
        rule: "answers-in-order",
        cites: &["H-041", "R3"],
        needle: None,
        means: Means::Trick(|| Box::new(TellsAnother)),
    },
    Sabotage {
        name: "echo-overtakes-the-store",
        sentence: "ECHO_REQ is answered at once while a submit before it waits for the store.",
        rule: "answers-in-order",
        cites: &["H-041", "R2"],
        needle: Some(
            "a store that takes its time, a background submit, and an ECHO_REQ on the same connection \
             before the answer",
        ),
        means: Means::Trick(|| Box::new(EchoesAtOnce)),
    },
];

#[derive(Default)]
struct KeepsInName(Every);

impl Trick for KeepsInName {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        match effect {
            Effect::Store { job } if self.0.nth(2) => {
                tell.server(Event::Stored { record: job.record, outcome: Ok(()) });
            }
            effect => tell.world(effect),
        }
    }
}

struct ForgetsNothing;

impl Trick for ForgetsNothing {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if !matches!(effect, Effect::Forget { .. }) {
            tell.world(effect);
        }
    }
}

struct RaisesAll;

impl Trick for RaisesAll {
    fn event(&mut self, _: Time, mut event: Event, _: &Notes, tell: &mut Desk) {
        if let Event::Replayed { job } = &mut event {
            job.priority = Priority::High;
        }
        tell.server(event);
    }
}

/// To whom it says that a job could not be kept.
fn refused(effect: &Effect) -> Option<ConnectionId> {
    match effect {
        Effect::Send { to, response: Response::Error { code, .. } } => {
            (code[..] == *b"QUEUE_ERROR").then_some(*to)
        }
        _ => None,
    }
}

/// Takes jobs in that could not be kept, and refuses them.
#[derive(Default)]
struct KeepsRefused {
    /// Records that one client and no other waits for.
    plain: BTreeSet<RecordId>,
    refusing: bool,
}

impl Trick for KeepsRefused {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        self.refusing = false;
        match event {
            Event::Stored { record, outcome: Err(_) } if self.plain.contains(&record) => {
                self.refusing = true;
                tell.server(Event::Stored { record, outcome: Ok(()) });
            }
            event => tell.server(event),
        }
    }

    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        match &mut effect {
            Effect::Store { job } if job.unique.is_empty() => drop(self.plain.insert(job.record)),
            Effect::Send { response: response @ Response::JobCreated { .. }, .. } if self.refusing => {
                self.refusing = false;
                *response = Response::Error { code: "QUEUE_ERROR".into(), text: "QUEUE_ERROR".into() };
            }
            _ => {}
        }
        tell.world(effect);
    }
}

struct Mistells;

impl Trick for Mistells {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        let Some(to) = refused(&effect) else { return tell.world(effect) };
        let (code, text) = ("INVALID_COMMAND", "Command not expected");
        tell.world(Effect::Send { to, response: Response::Error { code: code.into(), text: text.into() } });
    }
}

struct TellsAnother;

impl Trick for TellsAnother {
    fn effect(&mut self, effect: Effect, notes: &Notes, tell: &mut Desk) {
        if let (Some(from), Effect::Send { response, .. }) = (refused(&effect), &effect) {
            // No submit of its own is under way, and no report for which it would take this as the answer.
            let has_held = |who| notes.jobs.values().any(|job| job.holders.contains(who));
            let idle = |who, peer: &Peer| peer.is_asleep && !peer.has_submitted && !has_held(who);
            let idle = notes.peers.iter().find(|(who, peer)| **who != from && idle(*who, peer));
            if let Some((&to, _)) = idle {
                tell.world(Effect::Send { to, response: response.clone() });
            }
        }
        tell.world(effect);
    }
}

struct EchoesAtOnce;

impl Trick for EchoesAtOnce {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match event {
            Event::Received { from, request: Request::Echo { data } } if notes.was_waiting => {
                tell.world(Effect::Send { to: from, response: Response::Echo { data } });
            }
            event => tell.server(event),
        }
    }
}
