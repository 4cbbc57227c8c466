//! Answers that are wrong, late or missing, and peers that suffer for others.

use super::{Desk, Means, Notes, Sabotage, Trick};
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{Response, Time};
use std::collections::BTreeMap;

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "answers-swapped",
        sentence: "ECHO_RES is sent behind the next answer on its connection.",
        rule: "answers-in-order",
        cites: &["H-041"],
        needle: None,
        means: Means::Trick(|| Box::new(SwapsAnswers::default())),
    },
    Sabotage {
        name: "refusal-unsaid",
        sentence: "What cannot be understood is refused in silence.",
        rule: "answers-in-order",
        cites: &["H-106", "H-130"],
        needle: None,
        means: Means::Trick(|| Box::new(RefusesSilently { malformed: None })),
    },
    Sabotage {
        name: "status-runs-early",
        sentence: "A waiting job is said to run.",
        rule: "status-true",
        cites: &["H-065", "K26"],
        needle: None,
        means: Means::Trick(|| Box::new(SaysItRuns)),
    },
    Sabotage {
        name: "progress-upside-down",
        sentence: "STATUS_RES tells the denominator first.",
        rule: "status-true",
        cites: &["H-119", "K26"],
        needle: None,
        means: Means::Trick(|| Box::new(UpsideDown)),
    },
    Sabotage {
        name: "progress-untold",
        sentence: "STATUS_RES tells no progress.",
        rule: "status-true",
        cites: &["H-065", "K26"],
        needle: None,
        means: Means::Trick(|| Box::new(KnowsNoProgress)),
    },
    Sabotage {
        name: "neighbour-closed",
        sentence: "When a peer sends garbage, the connection before it is closed as well.",
        rule: "broken-peer-alone",
        cites: &["H-017", "H-087", "M5"],
        needle: None,
        means: Means::Trick(|| Box::new(ClosesNeighbours)),
    },
];

/// ECHO_RES that wait, by their connection.
#[derive(Default)]
struct SwapsAnswers(BTreeMap<ConnectionId, Effect>);

impl Trick for SwapsAnswers {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        let Effect::Send { to, response } = &effect else { return tell.world(effect) };
        let to = *to;
        match response {
            Response::Echo { .. } if !self.0.contains_key(&to) => {
                self.0.insert(to, effect);
                return;
            }
            // It could be the refusal of a report before the ECHO_REQ.
            Response::Error { .. } => {
                if let Some(waiting) = self.0.remove(&to) {
                    tell.world(waiting);
                }
            }
            _ => {}
        }
        let is_answer = !matches!(response, Response::Noop | Response::Work { .. });
        tell.world(effect);
        if is_answer && let Some(waiting) = self.0.remove(&to) {
            tell.world(waiting);
        }
    }
}

/// From whom malformed bytes are being dealt with.
struct RefusesSilently {
    malformed: Option<ConnectionId>,
}

impl Trick for RefusesSilently {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        self.malformed = if let Event::Malformed { from, .. } = &event { Some(*from) } else { None };
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        let is_error = matches!(&effect, Effect::Send { to, response: Response::Error { .. } } if Some(*to) == self.malformed);
        if !is_error {
            tell.world(effect);
        }
    }
}

struct SaysItRuns;

impl Trick for SaysItRuns {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Effect::Send { response: Response::Status(status), .. } = &mut effect {
            status.running |= status.known;
        }
        tell.world(effect);
    }
}

struct KnowsNoProgress;

impl Trick for KnowsNoProgress {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Effect::Send { response: Response::Status(status), .. } = &mut effect {
            (status.numerator, status.denominator) = (0, 0);
        }
        tell.world(effect);
    }
}

struct UpsideDown;

impl Trick for UpsideDown {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Effect::Send { response: Response::Status(status), .. } = &mut effect {
            std::mem::swap(&mut status.numerator, &mut status.denominator);
        }
        tell.world(effect);
    }
}

struct ClosesNeighbours;

impl Trick for ClosesNeighbours {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::Malformed { from, .. } = &event {
            let before = notes.peers.range(..*from).next_back();
            if let Some((&who, _)) = before {
                tell.world(Effect::Close { who, after_flush: true });
            }
        }
        tell.server(event);
    }
}
