//! What a saboteur knows of the server that it sits in: enough to strike where it hurts.

use bytes::Bytes;
use gearman_engine::{Config, ConnectionId, Effect, Event};
use gearman_protocol::{
    AdminRequest, Assignment, FunctionName, Handle, Mode, Report, Request, Response, Submit, Time, Unique,
};
use std::collections::{BTreeMap, VecDeque};

/// Everything that was seen to pass, as the saboteur understands it.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) handle_prefix: String,
    pub(super) job_retries: Option<u8>,
    /// Whether what it does to background jobs outlives it.
    pub(super) has_store: bool,
    pub(super) peers: BTreeMap<ConnectionId, Peer>,
    pub(super) jobs: BTreeMap<Bytes, Job>,
    /// The report that is being dealt with, and by whom it came.
    pub(super) reporting: Option<(ConnectionId, Handle, Report)>,
    /// Whether the peer whose event is being told waited for answers before: nothing may be answered at once then.
    pub(super) was_waiting: bool,
    /// Whether a job has ever been taken from a worker, or may have been.
    pub(super) was_a_job_lost: bool,
    /// Whether it was told to end: then it refuses what is submitted.
    pub(super) is_draining: bool,
}

/// A peer.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// What it can do, and whether within a time.
    pub(super) abilities: BTreeMap<Bytes, bool>,
    pub(super) is_asleep: bool,
    pub(super) has_submitted: bool,
    /// Its submits that have no answer, in order: a store takes its time.
    open: VecDeque<Submit>,
    /// When it was last answered.
    pub(super) answered: Time,
    /// How many jobs it has ended.
    pub(super) ended: u32,
    /// Whether it has ever given anything up, or asked for a time limit.
    is_fickle: bool,
}

impl Peer {
    /// Whether it is a worker that has done much and never failed: it will not leave a job in the next moment.
    pub(super) const fn is_steady(&self) -> bool {
        self.ended >= 14 && !self.is_fickle
    }
}

/// A job that was acknowledged or handed out.
#[derive(Clone, Debug, Default)]
pub(super) struct Job {
    pub(super) submit: Option<Submit>,
    pub(super) is_background: bool,
    /// Foreground submits, a connection as often as it is attached.
    pub(super) watchers: Vec<ConnectionId>,
    pub(super) holder: Option<Held>,
    /// Who has ever held it.
    pub(super) holders: Vec<ConnectionId>,
    pub(super) assignment: Option<Assignment>,
    pub(super) is_over: bool,
    /// Whether somebody has asked to cancel it.
    pub(super) is_cancelled: bool,
    /// Whether it is over because a worker has ended it.
    pub(super) is_done: bool,
    /// Since when it is over.
    pub(super) over_since: Time,
    /// Whether any of its workers had a limited time.
    pub(super) was_timed: bool,
}

impl Job {
    fn end(&mut self, now: Time) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.over_since = now;
        }
    }
}

/// Who holds a job, since when, and whether for a limited time.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) by: ConnectionId,
    pub(super) since: Time,
    pub(super) is_timed: bool,
}

/// A job with a time limit is not known to be held any more after so many milliseconds.
const SURE_MS: u64 = 40;

impl Notes {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            handle_prefix: config.handle_prefix.clone(),
            job_retries: config.job_retries,
            has_store: config.store,
            peers: BTreeMap::new(),
            jobs: BTreeMap::new(),
            reporting: None,
            was_waiting: false,
            was_a_job_lost: false,
            is_draining: false,
        }
    }

    pub(super) fn job(&self, handle: &Handle) -> Option<&Job> {
        self.jobs.get(handle.as_bytes())
    }

    /// The handles of the jobs that this worker holds.
    pub(super) fn hand(&self, worker: ConnectionId) -> impl Iterator<Item = (&Bytes, &Job)> {
        let held = move |job: &Job| job.holder.as_ref().is_some_and(|held| held.by == worker);
        self.jobs.iter().filter(move |(_, job)| held(job) && !job.is_over)
    }

    /// Whether a job lives that was submitted with a time.
    pub(super) fn has_job_for_later(&self) -> bool {
        let has_time = |submit: &Submit| matches!(submit.mode, Mode::Epoch(_));
        self.jobs.values().any(|job| !job.is_over && job.submit.as_ref().is_some_and(has_time))
    }

    /// The submit that is answered next on a connection.
    pub(super) fn next_answered(&self, on: ConnectionId) -> Option<&Submit> {
        self.peers.get(&on)?.open.front()
    }

    /// Whether a worker can do the function, and if so whether within a time.
    pub(super) fn can_do(&self, worker: ConnectionId, function: &FunctionName) -> Option<bool> {
        self.peers.get(&worker)?.abilities.get(function.as_bytes()).copied()
    }

    /// The live job that this submit would join.
    pub(super) fn live_twin(&self, submit: &Submit) -> Option<(&Bytes, &Job)> {
        let is_twin =
            |job: &Job| job.submit.as_ref().is_some_and(|other| is_same(other, submit)) && !job.is_over;
        self.jobs.iter().find(|(_, job)| is_twin(job))
    }

    /// An event is about to be told.
    pub(super) fn before(&mut self, now: Time, event: &Event) {
        let sure = |held: &Held| !held.is_timed || now.since(held.since).as_millis() < u128::from(SURE_MS);
        let mut held = self.jobs.values().filter(|job| !job.is_over).filter_map(|job| job.holder.as_ref());
        self.was_a_job_lost |= !held.all(sure);
        match event {
            Event::Opened { from, .. } => {
                self.peers.insert(*from, Peer::default());
            }
            Event::Received { from, request } => {
                self.was_waiting = self.peers.get(from).is_some_and(|peer| !peer.open.is_empty());
                self.request(*from, request);
            }
            Event::HalfClosed { from } | Event::Closed { from } => {
                let holds = self.hand(*from).next().is_some();
                self.was_a_job_lost |= holds;
            }
            Event::Drain => self.is_draining = true,
            _ => {}
        }
    }

    fn request(&mut self, from: ConnectionId, request: &Request) {
        let holds = self.hand(from).next().is_some();
        let Some(peer) = self.peers.get_mut(&from) else { return };
        match request {
            Request::CanDo { function, timeout } => {
                peer.abilities.insert(function.to_bytes(), timeout.is_some());
                peer.is_fickle |= timeout.is_some();
            }
            Request::CantDo { function } => {
                self.was_a_job_lost |= holds;
                peer.abilities.remove(function.as_bytes());
                peer.is_fickle = true;
            }
            Request::ResetAbilities => {
                self.was_a_job_lost |= holds;
                peer.abilities.clear();
                peer.is_fickle = true;
            }
            Request::PreSleep => peer.is_asleep = true,
            Request::Grab(_) => peer.is_asleep = false,
            Request::Submit(submit) => {
                peer.has_submitted = true;
                peer.open.push_back(submit.clone());
            }
            Request::Admin(AdminRequest::CancelJob(handle)) => {
                if let Some(job) = self.jobs.get_mut(handle.as_bytes()) {
                    job.is_cancelled = true;
                }
            }
            Request::Work { handle, report } => {
                self.reporting = Some((from, handle.clone(), report.clone()));
            }
            _ => {}
        }
    }

    /// An effect goes out.
    pub(super) fn effect(&mut self, now: Time, effect: &Effect) {
        let Effect::Send { to, response } = effect else { return };
        if let Some(peer) =
            self.peers.get_mut(to).filter(|_| !matches!(response, Response::Noop | Response::Work { .. }))
        {
            peer.answered = now;
        }
        match response {
            Response::Error { code, .. } if code[..] == *b"JOB_NOT_FOUND" => self.reporting = None,
            Response::Error { code, .. } if matches!(&code[..], b"QUEUE_ERROR" | b"SHUTDOWN_GRACEFUL") => {
                self.declined(*to);
            }
            Response::JobCreated { handle } => self.created(*to, handle),
            Response::JobAssign(assignment) => self.assigned(now, *to, assignment),
            Response::Work { handle, report } if report.is_terminal() => {
                if let Some(job) = self.jobs.get_mut(handle.as_bytes()) {
                    job.end(now);
                }
            }
            _ => {}
        }
    }

    fn declined(&mut self, to: ConnectionId) {
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.open.pop_front();
        }
    }

    fn created(&mut self, to: ConnectionId, handle: &Handle) {
        let Some(submit) = self.peers.get_mut(&to).and_then(|peer| peer.open.pop_front()) else { return };
        let job = self.jobs.entry(handle.to_bytes()).or_default();
        job.submit.get_or_insert_with(|| submit.clone());
        if submit.mode == Mode::Foreground {
            job.watchers.push(to);
        } else {
            job.is_background = true;
        }
    }

    fn assigned(&mut self, now: Time, to: ConnectionId, assignment: &Assignment) {
        let peer = self.peers.get(&to);
        let is_timed = peer.and_then(|peer| peer.abilities.get(assignment.function.as_bytes()).copied());
        let job = self.jobs.entry(assignment.handle.to_bytes()).or_default();
        let is_timed = is_timed.unwrap_or(false);
        job.was_timed |= is_timed;
        job.holder = Some(Held { by: to, since: now, is_timed });
        job.holders.push(to);
        job.assignment = Some(assignment.clone());
    }

    /// An event was told, and all that follows from it was said.
    pub(super) fn after(&mut self, now: Time, event: &Event) {
        if let Some((from, handle, _)) = self.reporting.take().filter(|(_, _, report)| report.is_terminal()) {
            self.ended(now, from, &handle);
        }
        if let Event::Received { from, request } = event {
            self.given_up(*from, request);
        }
        if let Event::HalfClosed { from } | Event::Closed { from } = event {
            for job in self.jobs.values_mut() {
                job.watchers.retain(|watcher| watcher != from);
                if job.holder.as_ref().is_some_and(|held| held.by == *from) {
                    job.holder = None;
                }
            }
            self.peers.remove(from);
        }
    }
}

impl Notes {
    /// A report that ends a job was not refused.
    fn ended(&mut self, now: Time, from: ConnectionId, handle: &Handle) {
        let held = |job: &&mut Job| job.holder.as_ref().is_some_and(|held| held.by == from);
        let Some(job) = self.jobs.get_mut(handle.as_bytes()).filter(held) else { return };
        job.end(now);
        job.is_done = true;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.ended += 1;
        }
    }

    /// A worker may have given up what it holds.
    fn given_up(&mut self, from: ConnectionId, request: &Request) {
        let gives_up = |job: &Job| match request {
            Request::CantDo { function } => {
                job.assignment.as_ref().is_some_and(|assignment| assignment.function == *function)
            }
            Request::ResetAbilities => true,
            _ => false,
        };
        for job in self.jobs.values_mut() {
            if job.holder.as_ref().is_some_and(|held| held.by == from) && gives_up(job) {
                job.holder = None;
            }
        }
    }
}

/// Whether two submits are one job.
pub(super) fn is_same(one: &Submit, two: &Submit) -> bool {
    let is_shared = !one.unique.is_empty() && one.unique.as_bytes() != b"-";
    is_shared && one.unique == two.unique && one.function == two.function
}

/// A unique from bytes that are known to fit.
pub(super) fn unique(bytes: impl Into<Bytes>) -> Unique {
    Unique::new(bytes).expect("what replaces a unique is no longer than one")
}
