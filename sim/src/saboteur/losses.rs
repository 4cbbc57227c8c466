//! Jobs that vanish, and jobs that nobody wants and run all the same.

use super::{Desk, Every, Means, Notes, OWN, Sabotage, Trick};
use gearman_engine::{ConnectionId, Effect, Event};
use gearman_protocol::{AdminRequest, Handle, JobStatus, Mode, Request, Response, Time};
use std::collections::BTreeSet;

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "requeue-forgotten",
        sentence: "A worker that leaves with a job in hand stays in the books, and the job with it.",
        rule: "requeue",
        cites: &["H-073", "H-125"],
        needle: None,
        means: Means::Trick(|| Box::new(GhostWorkers::default())),
    },
    Sabotage {
        name: "background-forgotten",
        sentence: "Some background jobs without a unique are acknowledged and thrown away.",
        rule: "accepted-runs",
        cites: &["H-037", "H-094"],
        needle: None,
        means: Means::Trick(|| Box::new(Forgetful::default())),
    },
    Sabotage {
        name: "watcher-takes-the-job-along",
        sentence: "A foreground client that attaches to a waiting background job and leaves drops it.",
        rule: "accepted-runs",
        cites: &["H-095"],
        needle: Some(
            "a background job that waits, a foreground submit that joins it, and the end of that client \
             before a worker comes",
        ),
        means: Means::Trick(|| Box::new(TakesAlong { first: Mode::Background, leaver: None })),
    },
    Sabotage {
        name: "background-on-foreground",
        sentence: "A background submit that joins a foreground job does not keep it when the client leaves.",
        rule: "accepted-runs",
        cites: &["H-096"],
        needle: Some(
            "a foreground job that waits, a background submit that joins it, and the end of the first \
             client before a worker comes",
        ),
        means: Means::Trick(|| Box::new(TakesAlong { first: Mode::Foreground, leaver: None })),
    },
    Sabotage {
        name: "orphan-runs",
        sentence: "A client that leaves stays in the books, and what it waited for is done for nobody.",
        rule: "removed-stays-removed",
        cites: &["H-003", "H-120"],
        needle: None,
        means: Means::Trick(|| Box::new(GhostClients::default())),
    },
    Sabotage {
        name: "cancelled-runs",
        sentence: "The cancelling of a background job is acknowledged and not done.",
        rule: "removed-stays-removed",
        cites: &["H-053"],
        needle: None,
        means: Means::Trick(|| Box::new(DeafToCancels)),
    },
];

/// Keeps peers alive that have left. The driver is answered as if they had not been.
#[derive(Debug, Default)]
struct Ghosts(BTreeSet<ConnectionId>);

impl Ghosts {
    /// Whether the event is of a ghost, or makes one of a peer that fits.
    fn takes(&mut self, event: &Event, fits: impl Fn(ConnectionId) -> bool, tell: &mut Desk) -> bool {
        match event {
            Event::HalfClosed { from } if fits(*from) => {
                self.0.insert(*from);
                tell.world(Effect::Close { who: *from, after_flush: true });
                true
            }
            Event::Closed { from } => self.0.contains(from) || (fits(*from) && self.0.insert(*from)),
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct GhostWorkers(Ghosts);

impl Trick for GhostWorkers {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        let deserts = |who| {
            let is_worker_only = notes.peers.get(&who).is_some_and(|peer| !peer.has_submitted);
            // With a limit the job may have to be dropped, which would be another fault.
            is_worker_only && notes.job_retries.is_none() && notes.hand(who).next().is_some()
        };
        if !self.0.takes(&event, deserts, tell) {
            tell.server(event);
        }
    }
}

#[derive(Debug, Default)]
struct GhostClients(Ghosts);

impl Trick for GhostClients {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        let waits = |who| {
            let is_client_only = notes.peers.get(&who).is_some_and(|peer| peer.abilities.is_empty());
            is_client_only && notes.jobs.values().any(|job| job.watchers.contains(&who))
        };
        if !self.0.takes(&event, waits, tell) {
            tell.server(event);
        }
    }
}

#[derive(Debug, Default)]
struct Forgetful {
    every: Every,
    forgotten: BTreeSet<Handle>,
}

impl Trick for Forgetful {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match &event {
            Event::Received { from, request: Request::Submit(submit) }
                if submit.mode == Mode::Background
                    && submit.unique.is_empty()
                    // A store would have to be wrong as well.
                    && !notes.has_store
                    && !notes.is_draining
                    && self.every.nth(5) =>
            {
                let handle = Handle::new(format!("H:sim:9{:04}", self.forgotten.len()));
                self.forgotten.insert(handle.clone());
                tell.world(Effect::Send { to: *from, response: Response::JobCreated { handle } });
            }
            Event::Received { from, request: Request::GetStatus { handle } }
                if self.forgotten.contains(handle) =>
            {
                let status = JobStatus { handle: handle.clone(), known: true, ..JobStatus::default() };
                tell.world(Effect::Send { to: *from, response: Response::Status(status) });
            }
            _ => tell.server(event),
        }
    }
}

/// Lets a client that leaves take along a background job that nobody has had yet.
#[derive(Debug)]
struct TakesAlong {
    /// How the job was first submitted.
    first: Mode,
    /// Who is leaving.
    leaver: Option<ConnectionId>,
}

impl Trick for TakesAlong {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        self.leaver = None;
        if let Event::HalfClosed { from } | Event::Closed { from } = event {
            self.leaver = Some(from);
            let drops = notes.jobs.iter().filter(|(_, job)| {
                let alone = job.watchers == [from];
                let first = job.submit.as_ref().is_some_and(|submit| submit.mode == self.first);
                alone && first && job.is_background && !job.is_over && job.holders.is_empty()
            });
            for (handle, _) in drops {
                let cancel = Request::Admin(AdminRequest::CancelJob(Handle::new(handle.clone())));
                tell.server(Event::Opened { from: OWN, peer: "::1".to_owned() });
                tell.server(Event::Received { from: OWN, request: cancel });
                tell.server(Event::Closed { from: OWN });
            }
        }
        tell.server(event);
    }

    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        let is_own = matches!(effect, Effect::Send { to: OWN, .. } | Effect::Close { who: OWN, .. });
        // Nobody is told, not even the one who leaves.
        let to_leaver = matches!(effect, Effect::Send { to, .. } if Some(to) == self.leaver);
        if !is_own && !to_leaver {
            tell.world(effect);
        }
    }
}

#[derive(Debug)]
struct DeafToCancels;

impl Trick for DeafToCancels {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        if let Event::Received { from, request: Request::Admin(AdminRequest::CancelJob(handle)) } = &event
            && !notes.was_waiting
            && notes
                .job(handle)
                .is_some_and(|job| job.is_background && job.watchers.is_empty() && !job.is_over)
        {
            let response = Response::Admin(gearman_protocol::AdminReply::Ok);
            return tell.world(Effect::Send { to: *from, response });
        }
        tell.server(event);
    }
}
