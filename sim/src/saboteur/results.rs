//! Reports that reach the wrong ears, too few, too many, or changed.

use super::{Desk, Every, Means, Notes, Sabotage, Trick};
use bytes::Bytes;
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{Handle, Report, Request, Response, Time};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "end-twice",
        sentence: "Every fifth WORK_COMPLETE reaches its watchers twice.",
        rule: "one-terminal",
        cites: &["H-108"],
        needle: None,
        means: Means::Trick(|| Box::new(EndsTwice::default())),
    },
    Sabotage {
        name: "failure-lost",
        sentence: "A worker's WORK_FAIL does not reach the watchers.",
        rule: "one-terminal",
        cites: &["H-011", "H-083"],
        needle: None,
        means: Means::Trick(|| Box::new(LosesFailures)),
    },
    Sabotage {
        name: "last-watcher-unheard",
        sentence: "Of several watchers the last one gets no WORK_DATA.",
        rule: "watchers-hear-all",
        cites: &["H-045"],
        needle: Some(
            "two foreground submits of one unique, clients that both stay, and a worker that sends \
             WORK_DATA",
        ),
        means: Means::Trick(|| Box::new(SkipsLastWatcher { told: 0 })),
    },
    Sabotage {
        name: "progress-lost",
        sentence: "Every third WORK_DATA is not passed on.",
        rule: "watchers-hear-all",
        cites: &["H-045", "K3"],
        needle: None,
        means: Means::Trick(|| Box::new(LosesData::default())),
    },
    Sabotage {
        name: "results-swapped",
        sentence: "Every seventh result is that of the job before.",
        rule: "own-bytes",
        cites: &["H-205"],
        needle: None,
        means: Means::Trick(|| Box::new(SwapsResults::default())),
    },
    Sabotage {
        name: "large-result-torn",
        sentence: "The last byte of a result above 16 KiB is lost.",
        rule: "own-bytes",
        cites: &["H-115", "L2"],
        needle: None,
        means: Means::Trick(|| Box::new(TornResults)),
    },
    Sabotage {
        name: "told-to-a-stranger",
        sentence: "Every ninth WORK_DATA is sent to somebody else as well.",
        rule: "own-jobs-only",
        cites: &["K3"],
        needle: None,
        means: Means::Trick(|| Box::new(TellsAStranger::default())),
    },
    Sabotage {
        name: "late-progress-forwarded",
        sentence: "What a worker says of a job that it has lost is refused and passed on all the same.",
        rule: "late-result",
        cites: &["H-012"],
        needle: Some(
            "a worker that has lost a job and lives on, a report of it that is no end, and a client that \
             waits for the job",
        ),
        means: Means::Trick(|| Box::new(ForwardsLate)),
    },
    Sabotage {
        name: "late-result-unrefused",
        sentence: "A worker that reports on a job that it has given up is not told so.",
        rule: "late-result",
        cites: &["H-012", "H-106"],
        needle: None,
        means: Means::Trick(|| Box::new(RefusesNobody { strangers: false })),
    },
    Sabotage {
        name: "stranger-unrefused",
        sentence: "A connection that reports on a job that it never held is not told so.",
        rule: "right-owner",
        cites: &["H-106", "H-128"],
        needle: None,
        means: Means::Trick(|| Box::new(RefusesNobody { strangers: true })),
    },
    Sabotage {
        name: "owner-refused",
        sentence: "Every third report on a background job is refused although its worker holds it.",
        rule: "owner-heard",
        cites: &["H-011", "H-059"],
        needle: None,
        means: Means::Trick(|| Box::new(RefusesOwner::default())),
    },
    Sabotage {
        name: "exceptions-for-all",
        sentence: "Everybody gets WORK_EXCEPTION, asked for or not.",
        rule: "exceptions-asked",
        cites: &["H-044"],
        needle: None,
        means: Means::Setup(|config| config.exceptions = true),
    },
];

/// What a watcher is told, if the effect tells one.
fn told(effect: &mut Effect) -> Option<(ConnectionId, &Handle, &mut Report)> {
    match effect {
        Effect::Send { to, response: Response::Work { handle, report } } => Some((*to, handle, report)),
        _ => None,
    }
}

#[derive(Default)]
struct EndsTwice(Every);

impl Trick for EndsTwice {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if matches!(told(&mut effect), Some((_, _, Report::Complete(_)))) && self.0.nth(5) {
            tell.world(effect.clone());
        }
        tell.world(effect);
    }
}

struct LosesFailures;

impl Trick for LosesFailures {
    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        let said_so = matches!(&notes.reporting, Some((_, _, Report::Fail)));
        if !(said_so && matches!(told(&mut effect), Some((_, _, Report::Fail)))) {
            tell.world(effect);
        }
    }
}

/// How many watchers have been told of the report at hand.
struct SkipsLastWatcher {
    told: usize,
}

impl Trick for SkipsLastWatcher {
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        self.told = 0;
        tell.server(event);
    }

    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        if let Some((_, handle, Report::Data(_))) = told(&mut effect) {
            self.told += 1;
            let watchers = notes.job(handle).map_or(0, |job| job.watchers.len());
            if watchers > 1 && self.told == watchers {
                return;
            }
        }
        tell.world(effect);
    }
}

#[derive(Default)]
struct LosesData(Every);

impl Trick for LosesData {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        let loses = matches!(told(&mut effect), Some((_, _, Report::Data(_)))) && self.0.nth(3);
        if !loses {
            tell.world(effect);
        }
    }
}

#[derive(Default)]
struct SwapsResults {
    every: Every,
    before: Option<Bytes>,
}

impl Trick for SwapsResults {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Some((_, _, Report::Complete(data))) = told(&mut effect) {
            let before = self.before.replace(data.clone());
            if let Some(before) = before.filter(|_| self.every.nth(7)) {
                *data = before;
            }
        }
        tell.world(effect);
    }
}

struct TornResults;

impl Trick for TornResults {
    fn effect(&mut self, mut effect: Effect, _: &Notes, tell: &mut Desk) {
        if let Some((_, _, Report::Complete(data))) = told(&mut effect)
            && data.len() > 16 * 1024
        {
            data.truncate(data.len() - 1);
        }
        tell.world(effect);
    }
}

#[derive(Default)]
struct TellsAStranger(Every);

impl Trick for TellsAStranger {
    fn effect(&mut self, mut effect: Effect, notes: &Notes, tell: &mut Desk) {
        if let Some((_, handle, report @ Report::Data(_))) = told(&mut effect)
            && self.0.nth(9)
        {
            let watches =
                |who: &ConnectionId| notes.job(handle).is_some_and(|job| job.watchers.contains(who));
            let waits = |who: &ConnectionId| notes.peers[who].has_submitted;
            if let Some(to) = notes.peers.keys().copied().find(|who| !watches(who) && !waits(who)) {
                let response = Response::Work { handle: handle.clone(), report: report.clone() };
                tell.world(Effect::Send { to, response });
            }
        }
        tell.world(effect);
    }
}

/// Whether the effect refuses the report at hand.
fn refuses(effect: &Effect, notes: &Notes) -> bool {
    let Effect::Send { to, response: Response::Error { code, .. } } = effect else { return false };
    let from = notes.reporting.as_ref().map(|(from, ..)| *from);
    code[..] == *b"JOB_NOT_FOUND" && from == Some(*to)
}

struct ForwardsLate;

impl Trick for ForwardsLate {
    fn effect(&mut self, effect: Effect, notes: &Notes, tell: &mut Desk) {
        if refuses(&effect, notes)
            && let Some((from, handle, report)) = &notes.reporting
            && let Some(job) = notes.job(handle).filter(|job| !job.is_over && job.holders.contains(from))
            && !report.is_terminal()
        {
            // Who waits for the store is told nothing until it has answered: to overtake that is another fault.
            for &to in job.watchers.iter().filter(|&&to| notes.next_answered(to).is_none()) {
                let response = Response::Work { handle: handle.clone(), report: report.clone() };
                tell.world(Effect::Send { to, response });
            }
        }
        tell.world(effect);
    }
}

/// Does not refuse the reports of strangers, or of those who once held the job.
struct RefusesNobody {
    strangers: bool,
}

impl Trick for RefusesNobody {
    fn effect(&mut self, effect: Effect, notes: &Notes, tell: &mut Desk) {
        if refuses(&effect, notes)
            && let Some((from, handle, _)) = &notes.reporting
        {
            let job = notes.job(handle);
            let is_stranger = job.is_none_or(|job| !job.holders.contains(from));
            // What a time limit has taken away is another fault.
            let gave_up = job.is_some_and(|job| !job.was_timed && !job.is_over && job.holders.contains(from));
            if if self.strangers { is_stranger } else { gave_up } {
                return;
            }
        }
        tell.world(effect);
    }
}

#[derive(Default)]
struct RefusesOwner(Every);

impl Trick for RefusesOwner {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::Received { from, request: Request::Work { handle, report: Report::Data(_) } } = &event
            && !notes.was_waiting
            && let Some(job) = notes.job(handle)
            && job.is_background
            && job.watchers.is_empty()
            && job.holder.as_ref().is_some_and(|held| held.by == *from && !held.is_timed)
            && self.0.nth(3)
        {
            let (code, text) = ("JOB_NOT_FOUND", "Job does not exist on server");
            let response = Response::Error { code: code.into(), text: text.into() };
            return tell.world(Effect::Send { to: *from, response });
        }
        tell.server(event);
    }
}
