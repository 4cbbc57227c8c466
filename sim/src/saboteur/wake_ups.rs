//! Sleepers that nobody wakes, and such as are woken twice.

use super::{Desk, Every, Means, Notes, Sabotage, Trick};
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{Request, Response, Time};
use std::collections::BTreeSet;

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "noops-lost",
        sentence: "Every second NOOP is counted as sent and not sent.",
        rule: "wake-up",
        cites: &["H-048"],
        needle: None,
        means: Means::Trick(|| Box::new(LosesNoops::default())),
    },
    Sabotage {
        name: "noop-after-grab-only",
        sentence: "A worker that sleeps again without a grab after its NOOP is not woken any more.",
        rule: "wake-up",
        cites: &["H-008", "H-099"],
        needle: Some(
            "a PRE_SLEEP after a NOOP without a grab between them, a later job, and a question of the \
             sleeper while that job waits",
        ),
        means: Means::Trick(|| Box::new(AfterGrabOnly::default())),
    },
    Sabotage {
        name: "nobody-woken-for-requeued",
        sentence: "A job that comes back from a lost worker wakes nobody.",
        rule: "wake-up",
        cites: &["H-077", "K12"],
        needle: Some(
            "a worker that is lost with a job, another that sleeps and can do it, and nothing else that \
             wakes that one",
        ),
        means: Means::Trick(|| Box::new(LossesWakeNobody { losing: false })),
    },
    Sabotage {
        name: "noop-twice",
        sentence: "Every third NOOP is sent twice.",
        rule: "one-noop",
        cites: &["W3"],
        needle: None,
        means: Means::Trick(|| Box::new(WakesTwice::default())),
    },
];

const fn is_noop(effect: &Effect) -> Option<ConnectionId> {
    if let Effect::Send { to, response: Response::Noop } = effect { Some(*to) } else { None }
}

#[derive(Default)]
struct LosesNoops(Every);

impl Trick for LosesNoops {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if is_noop(&effect).is_none() || self.0.nth(2) {
            tell.world(effect);
        }
    }
}

/// Who has been woken and has not grabbed since.
#[derive(Default)]
struct AfterGrabOnly(BTreeSet<ConnectionId>);

impl Trick for AfterGrabOnly {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        if let Event::Received { from, request: Request::Grab(_) } = &event {
            self.0.remove(from);
        }
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if is_noop(&effect).is_none_or(|to| self.0.insert(to)) {
            tell.world(effect);
        }
    }
}

/// Whether the event that is being told may lose jobs.
struct LossesWakeNobody {
    losing: bool,
}

impl Trick for LossesWakeNobody {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        self.losing = match &event {
            Event::HalfClosed { .. } | Event::Closed { .. } | Event::Elapsed => true,
            Event::Received { request, .. } => {
                matches!(request, Request::CantDo { .. } | Request::ResetAbilities)
            }
            _ => false,
        };
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if is_noop(&effect).is_none() || !self.losing {
            tell.world(effect);
        }
    }
}

#[derive(Default)]
struct WakesTwice(Every);

impl Trick for WakesTwice {
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if is_noop(&effect).is_some() && self.0.nth(3) {
            tell.world(effect.clone());
        }
        tell.world(effect);
    }
}
