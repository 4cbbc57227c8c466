//! Queues that are out of order, and jobs in more than one place.

use super::notes::Job;
use super::{Desk, Every, Means, Notes, OWN, Sabotage, Trick};
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{
    Assignment, FunctionName, Grab, Handle, JobTimeout, Mode, Priority, Request, Response, Submit, Time,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "head-to-the-back",
        sentence: "Now and then the job at the head of a queue goes to its end.",
        rule: "fifo",
        cites: &["H-075", "O4"],
        needle: None,
        means: Means::Trick(|| Box::new(HeadToTheBack { every: Every::default(), eager: true })),
    },
    Sabotage {
        name: "low-head-to-the-back",
        sentence: "When a low background job joins a queue, the job at its head goes to the end.",
        rule: "fifo",
        cites: &["H-075", "O4"],
        needle: Some(
            "a low background submit, a low job at the head of its queue, and a server without a store and \
             a limit of tries",
        ),
        means: Means::Trick(|| Box::new(HeadToTheBack { every: Every::default(), eager: false })),
    },
    Sabotage {
        name: "high-is-normal",
        sentence: "Jobs of high priority are queued as normal ones.",
        rule: "priority",
        cites: &["H-067", "H-113"],
        needle: None,
        means: Means::Trick(|| {
            Box::new(OtherPriorities(|submit| {
                (submit.priority == Priority::High).then_some(Priority::Normal)
            }))
        }),
    },
    Sabotage {
        name: "low-is-normal",
        sentence: "Low jobs are queued as normal ones.",
        rule: "priority",
        cites: &["H-067"],
        needle: None,
        means: Means::Trick(|| {
            Box::new(OtherPriorities(|submit| (submit.priority == Priority::Low).then_some(Priority::Normal)))
        }),
    },
    Sabotage {
        name: "turns-forgotten",
        sentence: "The function that a worker has registered last is always served first.",
        rule: "take-turns",
        cites: &["O3"],
        needle: None,
        means: Means::Trick(|| Box::new(ForgetsTurns::new(true))),
    },
    Sabotage {
        name: "turn-lost-at-times",
        sentence: "Now and then a worker's turns begin anew, with the function that it has registered last.",
        rule: "take-turns",
        cites: &["O3"],
        needle: None,
        means: Means::Trick(|| Box::new(ForgetsTurns::new(false))),
    },
    Sabotage {
        name: "job-hidden",
        sentence: "Every seventh grab is told that there is no job.",
        rule: "no-job-means-none",
        cites: &["H-076", "H-098"],
        needle: None,
        means: Means::Trick(|| Box::new(Hides::default())),
    },
    Sabotage {
        name: "given-to-two",
        sentence: "Now and then a worker is given a job that another holds.",
        rule: "one-holder",
        cites: &["H-071", "K8"],
        needle: None,
        means: Means::Trick(|| Box::new(GivesAgain::new(false))),
    },
    Sabotage {
        name: "done-again",
        sentence: "Now and then a worker is given a job that has been done.",
        rule: "run-once",
        cites: &["H-004", "H-066"],
        needle: None,
        means: Means::Trick(|| Box::new(GivesAgain::new(true))),
    },
    Sabotage {
        name: "ability-kept",
        sentence: "CANT_DO of an idle worker is not heard.",
        rule: "able-only",
        cites: &["H-007"],
        needle: Some(
            "a CANT_DO of a worker without a job, a later job of that function, and a grab of that worker \
             before all others",
        ),
        means: Means::Trick(|| Box::new(DeafToCantDo)),
    },
];

/// Grabs the head of a queue and gives it back at once, which puts it at the end.
struct HeadToTheBack {
    every: Every,
    /// Whether any submit will do.
    eager: bool,
}

impl Trick for HeadToTheBack {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        // What was lost too often is dropped, and what was kept has another order: those would be other faults.
        let function = match &event {
            Event::Received { request: Request::Submit(submit), .. }
                if notes.job_retries.is_none() && !notes.has_store =>
            {
                let is_low = submit.priority == Priority::Low && submit.mode == Mode::Background;
                let strikes = if self.eager { self.every.nth(6) } else { is_low };
                strikes.then(|| submit.function.clone())
            }
            _ => None,
        };
        tell.server(event);
        if let Some(function) = function {
            let from = OWN;
            tell.server(Event::Opened { from, peer: "::1".to_owned() });
            tell.server(Event::Received { from, request: Request::CanDo { function, timeout: None } });
            tell.server(Event::Received { from, request: Request::Grab(Grab::Plain) });
            tell.server(Event::Closed { from });
        }
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        if !matches!(effect, Effect::Send { to: OWN, .. } | Effect::Close { who: OWN, .. }) {
            tell.world(effect);
        }
    }
}

/// Tells the server other priorities.
struct OtherPriorities(fn(&Submit) -> Option<Priority>);

impl Trick for OtherPriorities {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        let Event::Received { from, request: Request::Submit(submit) } = event else {
            return tell.server(event);
        };
        let other = (self.0)(&submit).filter(|_| !notes.has_store);
        let priority = other.unwrap_or(submit.priority);
        tell.server(Event::Received { from, request: Request::Submit(Submit { priority, ..submit }) });
    }
}

/// Before a worker with empty hands asks for a job, everything that it can do is taken back and registered again.
struct ForgetsTurns {
    every: Every,
    /// Whether each time.
    stubborn: bool,
    /// What each worker can do, in the order in which it has said so.
    registered: BTreeMap<ConnectionId, Vec<(FunctionName, Option<JobTimeout>)>>,
}

impl ForgetsTurns {
    const fn new(stubborn: bool) -> Self {
        Self { every: Every { count: 0 }, stubborn, registered: BTreeMap::new() }
    }

    fn hear(&mut self, from: ConnectionId, request: &Request) {
        let abilities = self.registered.entry(from).or_default();
        match request {
            Request::CanDo { function, timeout } => {
                match abilities.iter_mut().find(|(known, _)| known == function) {
                    Some((_, known)) => known.clone_from(timeout),
                    None => abilities.push((function.clone(), timeout.clone())),
                }
            }
            Request::CantDo { function } => abilities.retain(|(known, _)| known != function),
            Request::ResetAbilities => abilities.clear(),
            _ => {}
        }
    }
}

impl Trick for ForgetsTurns {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::Received { from, request } = &event {
            let (from, is_empty) = (*from, notes.hand(*from).next().is_none());
            self.hear(from, request);
            let strikes =
                matches!(request, Request::Grab(_)) && is_empty && (self.stubborn || self.every.nth(8));
            for (function, timeout) in self.registered[&from].clone().into_iter().filter(|_| strikes) {
                let back = Request::CantDo { function: function.clone() };
                tell.server(Event::Received { from, request: back });
                tell.server(Event::Received { from, request: Request::CanDo { function, timeout } });
            }
        }
        tell.server(event);
    }
}

#[derive(Default)]
struct Hides(Every);

impl Trick for Hides {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match event {
            // A job that was lost before, or kept, or has a time of its own, is another rule's business.
            Event::Received { from, request: Request::Grab(_) }
                if !notes.was_a_job_lost
                    && !notes.has_store
                    && !notes.has_job_for_later()
                    && self.0.nth(7) =>
            {
                tell.world(Effect::Send { to: from, response: Response::NoJob });
            }
            event => tell.server(event),
        }
    }
}

/// How long ago a job must have ended so that everybody knows, in milliseconds.
const LONG_AGO_MS: u128 = 200;
/// How long ago a job must have been handed out so that its worker still holds it, in milliseconds.
const JUST_NOW_MS: u128 = 60;

/// Answers a grab with an assignment that was used before, and listens to nothing that comes of it.
struct GivesAgain {
    every: Every,
    /// Whether of a job that has ended, or of one that somebody holds.
    dead: bool,
    given: BTreeSet<(ConnectionId, Handle)>,
}

impl GivesAgain {
    const fn new(dead: bool) -> Self {
        Self { every: Every { count: 0 }, dead, given: BTreeSet::new() }
    }

    fn found(&self, now: Time, from: ConnectionId, form: Grab, notes: &Notes) -> Option<Assignment> {
        let fits = |job: &&Job| {
            let (Some(held), Some(assignment)) = (&job.holder, &job.assignment) else { return false };
            let Some(holder) = notes.peers.get(&held.by) else { return false };
            let in_time = if self.dead {
                job.is_done
                    && now.since(job.over_since).as_millis() > LONG_AGO_MS
                    && holder.answered > job.over_since
                    && !job.was_timed
            } else {
                now.since(held.since).as_millis() < JUST_NOW_MS
                    && holder.is_steady()
                    && job.is_background
                    && !job.is_cancelled
                    && job.watchers.is_empty()
            };
            let able = notes.can_do(from, &assignment.function) == Some(false) && assignment.form == form;
            // Where a job has one try, whoever tries again breaks another rule as well.
            let in_time = in_time && (self.dead || !matches!(notes.job_retries, Some(0 | 1)));
            job.is_over == self.dead && job.holders.len() == 1 && held.by != from && in_time && able
        };
        notes.jobs.values().rev().find(fits).and_then(|job| job.assignment.clone())
    }
}

impl Trick for GivesAgain {
    fn event(&mut self, now: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match &event {
            Event::Received { from, request: Request::Grab(form) } => {
                let found = self.found(now, *from, *form, notes).filter(|_| !notes.was_waiting);
                let found = found.filter(|_| self.every.nth(3));
                if let Some(assignment) = found {
                    self.given.insert((*from, assignment.handle.clone()));
                    return tell.world(Effect::Send { to: *from, response: Response::JobAssign(assignment) });
                }
            }
            Event::Received { from, request: Request::Work { handle, .. } }
                if self.given.contains(&(*from, handle.clone())) =>
            {
                return;
            }
            _ => {}
        }
        tell.server(event);
    }
}

struct DeafToCantDo;

impl Trick for DeafToCantDo {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match event {
            Event::Received { from, request: Request::CantDo { .. } }
                if notes.hand(from).next().is_none() => {}
            event => tell.server(event),
        }
    }
}
