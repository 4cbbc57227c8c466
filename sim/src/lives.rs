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

use crate::history::{Connection, Entry, ServerId, What};
use bytes::Bytes;
use gearman_protocol::{FunctionName, Mode, Report, Request, Response, Submit, Time};
use hands::Hands;
use limits::Limits;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

/// Where a job is between its submit and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stretch {
    /// Submitted, and the submitter has not heard of it.
    Submitted,
    /// Acknowledged, and no worker holds it.
    Waiting,
    /// A worker holds it and has said nothing.
    Assigned,
    /// The worker has said something of it.
    Running,
    /// The worker has sent a part of the result.
    DataSent,
    /// The worker has sent its last word, and it is not known to have arrived.
    Completing,
}

impl Stretch {
    /// All of them, in a job's order.
    pub const ALL: [Self; 6] =
        [Self::Submitted, Self::Waiting, Self::Assigned, Self::Running, Self::DataSent, Self::Completing];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Waiting => "waiting",
            Self::Assigned => "assigned",
            Self::Running => "running",
            Self::DataSent => "data sent",
            Self::Completing => "completing",
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// With WORK_COMPLETE.
    Complete,
    /// With WORK_FAIL, of its worker or of the server.
    Fail,
    /// With WORK_EXCEPTION.
    Exception,
    /// Unheard: while it waited, everybody who wanted it left.
    Left,
    /// With the server's process.
    Lost,
}

impl End {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Fail => "failed",
            Self::Exception => "exception",
            Self::Left => "left by all",
            Self::Lost => "lost with the server",
        }
    }
}

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
    fn new(server: ServerId) -> Self {
        Self {
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

    /// For how many functions this connection has said that it works.
    pub fn functions(&self, connection: Connection) -> usize {
        self.peers.get(connection.index()).map_or(0, |peer| peer.hands.functions())
    }

    /// Whether this connection works at the job beside one that it was given later.
    pub fn works_beside(&self, connection: Connection, handle: &[u8]) -> bool {
        self.peers.get(connection.index()).is_some_and(|peer| peer.hands.have_beside(handle))
    }

    /// How many milliseconds there are from this time to a moment of the wall clock, in seconds since 1970, if nobody
    /// sets it.
    pub fn until_epoch(&self, at: Time, epoch_s: i64) -> i64 {
        let now = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        (epoch_s - self.begun_s).saturating_mul(1000).saturating_sub(now)
    }

    /// How many jobs ended, by how.
    #[must_use]
    pub const fn ends(&self) -> &BTreeMap<End, u64> {
        &self.ends
    }

    /// Where the jobs are that this connection submits, watches or holds.
    pub fn concerning(&self, connection: Connection) -> Vec<Stretch> {
        let Some(peer) = self.peers.get(connection.index()) else { return Vec::new() };
        let open = peer.open.iter().map(|_| Stretch::Submitted);
        let known = peer.holds.iter().chain(&peer.watches).filter_map(|handle| self.jobs.get(handle));
        open.chain(known.map(|job| job.stretch)).collect()
    }

    /// Where the jobs are that this connection submits or watches.
    pub fn wanted_by(&self, connection: Connection) -> Vec<Stretch> {
        let Some(peer) = self.peers.get(connection.index()) else { return Vec::new() };
        let open = peer.open.iter().map(|_| Stretch::Submitted);
        open.chain(peer.watches.iter().filter_map(|handle| self.jobs.get(handle)).map(|job| job.stretch))
            .collect()
    }

    /// Where the job with this handle is, if it lives.
    pub fn of_handle(&self, handle: &[u8]) -> Option<Stretch> {
        self.jobs.get(handle).map(|job| job.stretch)
    }

    /// Where the job is that a submit on this connection would share, if there is one.
    pub fn shared_by(&self, connection: Connection, submit: &Submit) -> Option<Stretch> {
        let key = key(submit)?;
        self.with_key(connection, |function, other| *function == submit.function && *other == key)
    }

    /// Where a job with this unique is, if one lives at the server of this connection.
    pub fn of_unique(&self, connection: Connection, unique: &Bytes) -> Option<Stretch> {
        self.with_key(connection, |_, other| other == unique)
    }

    fn with_key(
        &self,
        connection: Connection,
        is_it: impl Fn(&FunctionName, &Bytes) -> bool,
    ) -> Option<Stretch> {
        let server = self.peers.get(connection.index())?.server;
        let has = |function: &FunctionName, key: &Option<Bytes>| {
            key.as_ref().is_some_and(|key| is_it(function, key))
        };
        let mut jobs = self.jobs.values().filter(|job| job.server == server);
        if let Some(job) = jobs.find(|job| has(&job.function, &job.key)) {
            return Some(job.stretch);
        }
        let peers = self.peers.iter().filter(|peer| peer.server == server);
        let mut open = peers.flat_map(|peer| &peer.open);
        open.any(|open| has(&open.function, &open.key)).then_some(Stretch::Submitted)
    }

    /// How far workers had come with jobs that have proved to take them longer than their limit, since this was
    /// last asked.
    pub fn take_overdue(&mut self) -> Vec<Stretch> {
        std::mem::take(&mut self.overdue)
    }

    /// Where the jobs are that were asked for by the calendar and that nobody was given yet.
    pub fn for_later(&self) -> Vec<Stretch> {
        self.jobs.values().filter(|job| job.is_for_later).map(|job| job.stretch).collect()
    }

    /// Where all live jobs of a server are.
    pub fn all(&self, server: ServerId) -> Vec<Stretch> {
        let peers = self.peers.iter().filter(|peer| peer.server == server);
        let open = peers.flat_map(|peer| peer.open.iter().map(|_| Stretch::Submitted));
        let known = self.jobs.values().filter(|job| job.server == server);
        open.chain(known.map(|job| job.stretch)).collect()
    }

    /// Which jobs wait for whom, a line each.
    pub fn waits(&self) -> Vec<String> {
        let names = |connections: &[Connection]| {
            let names: Vec<String> = connections.iter().map(Connection::to_string).collect();
            names.join(", ")
        };
        let open = self.peers.iter().enumerate().flat_map(|(index, peer)| {
            let submits = peer.open.iter();
            submits.map(move |Open { function, .. }| {
                format!("c{index} waits for the answer to its submit for {function}")
            })
        });
        let jobs = self.jobs.iter().map(|(handle, job)| {
            let handle = handle.escape_ascii();
            let whom = match job.holder {
                Some(holder) => format!("is {} and waits for {holder}, which holds it", job.stretch),
                None => format!("is {} and waits for a worker", job.stretch),
            };
            let watchers = if job.watchers.is_empty() { "nobody".to_owned() } else { names(&job.watchers) };
            format!("{handle} ({}) {whom}; it is watched by {watchers}", job.function)
        });
        open.chain(jobs).collect()
    }

    /// Takes in what was seen; says where a job has come to, if one has moved, and on whose connection.
    pub fn observe(&mut self, entry: &Entry) -> Option<(Stretch, Connection)> {
        match &entry.what {
            What::ServerDown(server) => self.server_down(*server),
            What::Connected { server, .. } => self.peers.push(Peer::new(*server)),
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
            *peer = Peer::new(server);
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
        let peer = std::mem::replace(self.peer(connection), Peer::new(server));
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
