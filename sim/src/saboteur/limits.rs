//! Limits that are kept wrongly: on attempts, on time and on queues.

use super::notes::Job;
use super::{Desk, Every, Means, Notes, OWN, Sabotage, Trick};
use bytes::Bytes;
use gearman_engine::{Effect, Event};
use gearman_protocol::{AdminRequest, Handle, JobTimeout, QueueLimits, Request, Response, Time};
use std::collections::BTreeMap;

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "one-try-more",
        sentence: "A job is tried once more than its limit allows.",
        rule: "retry-limit",
        cites: &["H-091", "H-102"],
        needle: None,
        means: Means::Setup(|config| config.job_retries = config.job_retries.map(|limit| limit.max(1) + 1)),
    },
    Sabotage {
        name: "one-try-less",
        sentence: "A job that somebody waits for is dropped one loss before its limit.",
        rule: "retry-limit",
        cites: &["H-125", "K14"],
        needle: None,
        means: Means::Trick(|| {
            Box::new(DropsEarly(|limit| {
                limit.map(usize::from).filter(|&limit| limit > 1).map(|limit| limit - 1)
            }))
        }),
    },
    Sabotage {
        name: "limit-where-none-is",
        sentence: "Without a limit a job that somebody waits for is dropped at the third loss all the same.",
        rule: "retry-limit",
        cites: &["H-040"],
        needle: Some(
            "a server without a limit, a job that is lost three times, and a client that still waits for \
             it then",
        ),
        means: Means::Trick(|| Box::new(DropsEarly(|limit| limit.is_none().then_some(3)))),
    },
    Sabotage {
        name: "timeout-ignored",
        sentence: "The number in CAN_DO_TIMEOUT is taken as none.",
        rule: "timeout-late",
        cites: &["H-033"],
        needle: None,
        means: Means::Trick(|| Box::new(OtherLimits(|_| None))),
    },
    Sabotage {
        name: "timeout-tenfold",
        sentence: "The number in CAN_DO_TIMEOUT is taken as hundredths of a second.",
        rule: "timeout-late",
        cites: &["H-062"],
        needle: None,
        means: Means::Trick(|| Box::new(OtherLimits(|millis| Some(millis * 10)))),
    },
    Sabotage {
        name: "timeout-halved",
        sentence: "A worker has half the time that it was promised.",
        rule: "timeout-early",
        cites: &["H-131", "T6"],
        needle: None,
        means: Means::Trick(|| Box::new(OtherLimits(|millis| Some(millis / 2)))),
    },
    Sabotage {
        name: "long-timeouts-short",
        sentence: "Limits above a quarter of a second are taken modulo 256 ms.",
        rule: "timeout-early",
        cites: &["H-131", "H-202"],
        needle: None,
        means: Means::Trick(|| Box::new(OtherLimits(|millis| Some(millis % 256)))),
    },
    Sabotage {
        name: "queue-limit-lost",
        sentence: "Every second `maxqueue` is acknowledged and has no effect.",
        rule: "queue-limit",
        cites: &["H-118"],
        needle: None,
        means: Means::Trick(|| Box::new(LosesQueueLimits::default())),
    },
    Sabotage {
        name: "dead-jobs-fill-queues",
        sentence: "A job that was cancelled counts towards the limit of its queue for ever.",
        rule: "queue-limit",
        cites: &["H-120"],
        needle: Some(
            "a limited queue, a live job of it that is cancelled, and a submit that only the dead job \
             leaves no room for",
        ),
        means: Means::Trick(|| Box::new(CountsTheDead::default())),
    },
];

/// Takes every second `maxqueue` for `create function`, which is answered alike.
#[derive(Debug, Default)]
struct LosesQueueLimits(Every);

impl Trick for LosesQueueLimits {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        tell.server(match event {
            Event::Received { from, request: Request::Admin(AdminRequest::MaxQueue { function, .. }) }
                if self.0.nth(2) =>
            {
                Event::Received { from, request: Request::Admin(AdminRequest::CreateFunction(function)) }
            }
            other => other,
        });
    }
}

/// Lowers a limit with each job of its function that is cancelled.
#[derive(Debug, Default)]
struct CountsTheDead(BTreeMap<Bytes, QueueLimits>);

impl Trick for CountsTheDead {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        let mut lower = None;
        match &event {
            Event::Received {
                request: Request::Admin(AdminRequest::MaxQueue { function, limits }), ..
            } => {
                self.0.insert(function.clone(), *limits);
            }
            Event::Received { request: Request::Admin(AdminRequest::CancelJob(handle)), .. } => {
                let job = notes.job(handle).filter(|job| !job.is_over);
                lower = job.and_then(|job| Some(job.submit.as_ref()?.function.to_bytes()));
            }
            _ => {}
        }
        tell.server(event);
        let Some((function, limits)) = lower.and_then(|function| self.0.get_key_value(&function)) else {
            return;
        };
        let one_less = |limit: Option<u32>| limit.map(|limit| limit.saturating_sub(1).max(1));
        let limits = QueueLimits {
            high: one_less(limits.high),
            normal: one_less(limits.normal),
            low: one_less(limits.low),
        };
        let function = function.clone();
        self.0.insert(function.clone(), limits);
        tell.server(Event::Opened { from: OWN, peer: "::1".to_owned() });
        let request = Request::Admin(AdminRequest::MaxQueue { function, limits });
        tell.server(Event::Received { from: OWN, request });
        tell.server(Event::Closed { from: OWN });
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if !matches!(&effect, Effect::Send { to, .. } if *to == OWN) {
            tell.world(effect);
        }
    }
}

/// Reads time limits in its own way.
#[derive(Debug)]
struct OtherLimits(fn(u64) -> Option<u64>);

impl Trick for OtherLimits {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        let Event::Received { from, request: Request::CanDo { function, timeout: Some(JobTimeout(text)) } } =
            &event
        else {
            return tell.server(event);
        };
        let millis = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let other = millis.and_then(self.0);
        let timeout = other.map(|millis| JobTimeout(millis.to_string().into()));
        tell.server(Event::Received {
            from: *from,
            request: Request::CanDo { function: function.clone(), timeout },
        });
    }
}

/// Drops a job at so many losses, depending on the limit that is set, or instead of handing it out again after them.
struct DropsEarly(fn(Option<u8>) -> Option<usize>);

impl DropsEarly {
    fn is_early(&self, job: &Job, notes: &Notes) -> bool {
        let most = (self.0)(notes.job_retries);
        !job.watchers.is_empty() && most.is_some_and(|most| job.holders.len() >= most)
    }
}

fn cancel(handle: Handle, tell: &mut Desk) {
    let cancel = Request::Admin(AdminRequest::CancelJob(handle));
    tell.server(Event::Opened { from: OWN, peer: "::1".to_owned() });
    tell.server(Event::Received { from: OWN, request: cancel });
    tell.server(Event::Closed { from: OWN });
}

impl Trick for DropsEarly {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::HalfClosed { from }
        | Event::Closed { from }
        | Event::Received { from, request: Request::ResetAbilities } = event
        {
            for (handle, _) in notes.hand(from).filter(|(_, job)| self.is_early(job, notes)) {
                cancel(Handle::new(handle.clone()), tell);
            }
        }
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, notes: &Notes, tell: &mut Desk) {
        let Effect::Send { to, response } = &effect else { return tell.world(effect) };
        if *to == OWN {
            return;
        }
        // With several functions it would be another's turn at the next grab.
        let has_turns = notes.peers.get(to).is_none_or(|worker| worker.abilities.len() > 1);
        if let Response::JobAssign(assignment) = response
            && let Some(job) = notes.job(&assignment.handle)
            && self.is_early(job, notes)
            && !has_turns
        {
            cancel(assignment.handle.clone(), tell);
            return tell.server(Event::Received { from: *to, request: Request::Grab(assignment.form) });
        }
        tell.world(effect);
    }
}
