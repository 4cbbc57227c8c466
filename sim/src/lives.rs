//! How far each job has come, as far as the peers can know: what faults are counted against.
//!
//! ```text
//!   SUBMIT written        JOB_CREATED read     JOB_ASSIGN read     WORK_STATUS written     WORK_DATA written
//!  ---------------> (open) -------------> Waiting -----------> Assigned ------------> Running -----------> DataSent
//!                                            ^                     \___________________|____________________/
//!                                            |   worker lost                           | COMPLETE, FAIL, EXCEPTION written
//!                                            +-------------------------------------- Completing ---> ended
//! ```

mod hands;
mod limits;
mod questions;
mod words;

pub use words::{End, Stretch};

use crate::history::{Actor, Connection, Entry, ServerId, What};
use bytes::Bytes;
use gearman_protocol::{FunctionName, Mode, Report, Request, Response, Submit, Time};
use hands::Hands;
use limits::Limits;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

#[derive(Debug)]
struct Job {
    server: ServerId,
    stretch: Stretch,
    holder: Option<Connection>,
    /// Those that wait for its end; a connection may be several.
    watchers: Vec<Connection>,
    background: bool,
    function: FunctionName,
    key: Option<Bytes>,
    /// Whether it was asked for by the calendar, and nobody was given it yet.
    is_for_later: bool,
    /// What the worker's last word was, while it is on its way.
    word: Option<End>,
}

/// A submit without an answer.
#[derive(Debug)]
struct Open {
    foreground: bool,
    is_for_later: bool,
    function: FunctionName,
    key: Option<Bytes>,
}

#[derive(Debug)]
struct Peer {
    actor: Actor,
    server: ServerId,
    /// In the order in which they were written.
    open: VecDeque<Open>,
    /// Handles of the jobs it holds.
    holds: Vec<Bytes>,
    /// Handles of the jobs it watches.
    watches: Vec<Bytes>,
    /// What it has set itself limits for.
    limits: Limits,
    /// What it can do, and what it has in hand.
    hands: Hands,
}

impl Peer {
    fn new(actor: Actor, server: ServerId) -> Self {
        Self {
            actor,
            server,
            open: VecDeque::new(),
            holds: Vec::new(),
            watches: Vec::new(),
            limits: Limits::default(),
            hands: Hands::default(),
        }
    }
}

/// All live jobs, and how many have ended.
#[derive(Debug, Default)]
pub struct Lives {
    jobs: BTreeMap<Bytes, Job>,
    peers: Vec<Peer>,
    ends: BTreeMap<End, u64>,
    least_limit: Duration,
    /// What the wall clock said when the run began, in seconds since 1970.
    begun_s: i64,
    /// How far workers had come with jobs that took them too long.
    overdue: Vec<Stretch>,
}

impl Lives {
    /// Nobody's life yet, under a server that raises shorter limits to this, in a run that begins when the wall clock
    /// says `begun_s`.
    #[must_use]
    pub fn new(least_limit: Duration, begun_s: i64) -> Self {
        Self { least_limit, begun_s, ..Self::default() }
    }

    /// Takes in what was seen; says where a job has come to, if one has moved, and on whose connection.
    pub fn observe(&mut self, entry: &Entry) -> Option<(Stretch, Connection)> {
        match &entry.what {
            What::ServerDown(server) => self.server_down(*server),
            What::Connected { actor, server, .. } => self.peers.push(Peer::new(*actor, *server)),
            What::Wrote { connection, request: Request::Submit(submit) } => {
                let (foreground, key) = (submit.mode == Mode::Foreground, key(submit));
                let is_for_later = matches!(submit.mode, Mode::Epoch(_));
                let open = Open { foreground, is_for_later, function: submit.function.clone(), key };
                self.peer(*connection).open.push_back(open);
                return Some((Stretch::Submitted, *connection));
            }
            What::Wrote { connection, request: Request::CanDo { function, timeout } } => {
                let least = self.least_limit;
                let peer = self.peer(*connection);
                peer.limits.registered(function.to_bytes(), timeout.as_ref(), least);
                peer.hands.can(function);
            }
            What::Wrote { connection, request: Request::CantDo { function } } => {
                self.peer(*connection).hands.cannot(function);
            }
            What::Wrote { connection, request: Request::ResetAbilities } => {
                self.peer(*connection).hands = Hands::default();
            }
            What::Wrote { connection, request: Request::Work { handle, report } } => {
                let handle = handle.to_bytes();
                let peer = self.peer(*connection);
                let overdue = peer.limits.reported(entry.at, &handle, report);
                if report.is_terminal() {
                    peer.hands.let_go(&handle);
                }
                self.overdue.extend(overdue);
                let moved = self.reported(*connection, &handle, report)?;
                return Some((moved, *connection));
            }
            What::Read { connection, response } => {
                return Some((self.read(entry.at, *connection, response)?, *connection));
            }
            What::Ended { connection } => self.ended(entry.at, *connection),
            What::Wrote { .. }
            | What::WroteMalformed { .. }
            | What::ReadMalformed { .. }
            | What::Closed { .. }
            | What::ServerUp(_)
            | What::ServerDrains(_)
            | What::ServerEnds(_)
            | What::StormOver
            | What::AtRest => {}
        }
        None
    }

    fn peer(&mut self, connection: Connection) -> &mut Peer {
        &mut self.peers[connection.index()]
    }

    fn job(&mut self, handle: &Bytes, function: FunctionName, server: ServerId) -> &mut Job {
        let fresh = || Job {
            server,
            stretch: Stretch::Waiting,
            holder: None,
            watchers: Vec::new(),
            background: false,
            function,
            key: None,
            is_for_later: false,
            word: None,
        };
        self.jobs.entry(handle.clone()).or_insert_with(fresh)
    }

    fn server_down(&mut self, server: ServerId) {
        let before = self.jobs.len();
        self.jobs.retain(|_, job| job.server != server);
        *self.ends.entry(End::Lost).or_default() += (before - self.jobs.len()) as u64;
        for peer in self.peers.iter_mut().filter(|peer| peer.server == server) {
            *peer = Peer::new(peer.actor, server);
        }
    }

    fn read(&mut self, at: Time, connection: Connection, response: &Response) -> Option<Stretch> {
        match response {
            Response::JobCreated { handle } => {
                let handle = handle.to_bytes();
                // A server that creates what nobody submitted is the judge's business.
                let Open { foreground, is_for_later, function, key } =
                    self.peer(connection).open.pop_front()?;
                let server = self.peer(connection).server;
                let job = self.job(&handle, function, server);
                job.background |= !foreground;
                job.key = key;
                job.is_for_later |= is_for_later && job.stretch == Stretch::Waiting;
                if foreground {
                    job.watchers.push(connection);
                    self.peer(connection).watches.push(handle);
                }
                Some(Stretch::Waiting)
            }
            Response::Error { code, .. } if matches!(&code[..], b"QUEUE_ERROR" | b"SHUTDOWN_GRACEFUL") => {
                self.peer(connection).open.pop_front();
                None
            }
            Response::JobAssign(assignment) => {
                self.settle(connection);
                let handle = assignment.handle.to_bytes();
                let function = assignment.function.as_bytes();
                self.peer(connection).limits.assigned(at, handle.clone(), function);
                self.peer(connection).hands.take(&handle, &assignment.function);
                self.assigned(connection, handle, assignment.function.clone());
                Some(Stretch::Assigned)
            }
            Response::NoJob => {
                self.settle(connection);
                None
            }
            Response::Work { handle, report } if report.is_terminal() => {
                let end = last_word(report);
                self.end(&handle.to_bytes(), end);
                None
            }
            Response::Work { .. }
            | Response::Noop
            | Response::Status(_)
            | Response::StatusUnique(_)
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Error { .. }
            | Response::Admin(_) => None,
        }
    }

    fn assigned(&mut self, connection: Connection, handle: Bytes, function: FunctionName) {
        let server = self.peer(connection).server;
        let job = self.job(&handle, function, server);
        let former = job.holder.replace(connection);
        (job.stretch, job.word) = (Stretch::Assigned, None);
        job.is_for_later = false;
        if let Some(former) = former {
            self.peer(former).holds.retain(|held| *held != handle);
        }
        self.peer(connection).holds.push(handle);
    }

    fn reported(&mut self, connection: Connection, handle: &Bytes, report: &Report) -> Option<Stretch> {
        let job = self.jobs.get_mut(handle).filter(|job| job.holder == Some(connection))?;
        job.stretch = match report {
            Report::Status { .. } | Report::Warning(_) => job.stretch.max(Stretch::Running),
            Report::Data(_) => Stretch::DataSent,
            Report::Complete(_) | Report::Fail | Report::Exception(_) => {
                job.word = Some(last_word(report));
                Stretch::Completing
            }
        };
        Some(job.stretch)
    }

    /// The answer to a later request proves that the last words before it have arrived.
    fn settle(&mut self, connection: Connection) {
        for handle in self.peer(connection).holds.clone() {
            if let Some(end) = self.jobs.get(&handle).and_then(|job| job.word) {
                self.end(&handle, end);
            }
        }
    }

    fn end(&mut self, handle: &Bytes, end: End) {
        let Some(job) = self.jobs.remove(handle) else { return };
        *self.ends.entry(end).or_default() += 1;
        for connection in job.watchers.into_iter().chain(job.holder) {
            let peer = self.peer(connection);
            peer.holds.retain(|held| held != handle);
            peer.watches.retain(|watched| watched != handle);
        }
    }

    /// The server has learnt that a peer is gone: what it held waits again, what only it watched is nobody's.
    fn ended(&mut self, at: Time, connection: Connection) {
        let server = self.peer(connection).server;
        let peer = self.peer(connection);
        let peer = std::mem::replace(peer, Peer::new(peer.actor, server));
        self.overdue.extend(peer.limits.ended(at));
        for handle in peer.holds {
            if let Some(job) = self.jobs.get_mut(&handle) {
                job.holder = None;
                // A last word may have arrived: only a second assignment would tell that it has not.
                if job.word.is_none() {
                    job.stretch = Stretch::Waiting;
                }
            }
        }
        for handle in peer.watches {
            let Some(job) = self.jobs.get_mut(&handle) else { continue };
            job.watchers.retain(|watcher| *watcher != connection);
            if job.watchers.is_empty() && !job.background && job.stretch == Stretch::Waiting {
                self.end(&handle, End::Left);
            }
        }
    }

    /// At the end of a run, when the server says that nothing is left: what is not known to have ended has.
    pub fn settle_all(&mut self) {
        let known: Vec<(Bytes, End)> =
            self.jobs.iter().filter_map(|(handle, job)| Some((handle.clone(), job.word?))).collect();
        for (handle, end) in known {
            self.end(&handle, end);
        }
    }
}

/// What makes a submit share the job of another one for the same function: its unique, or its workload.
fn key(submit: &Submit) -> Option<Bytes> {
    match submit.unique.as_bytes() {
        b"" => None,
        b"-" => (!submit.workload.is_empty()).then(|| submit.workload.clone()),
        _ => Some(submit.unique.to_bytes()),
    }
}

const fn last_word(report: &Report) -> End {
    match report {
        Report::Fail => End::Fail,
        Report::Exception(_) => End::Exception,
        Report::Complete(_) | Report::Data(_) | Report::Warning(_) | Report::Status { .. } => End::Complete,
    }
}
