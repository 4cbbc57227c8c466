//! A naive Gearman job server: the second opinion the engine is held against.
//!
//! [`Model`] stands behind the same [`Doors`] as the engine and says the same, effect for effect and in the
//! same order for each receiver. It is written for the reader: every table is a list in the order of creation,
//! everything is found by looking at all of it, and nothing is kept that can be counted. So it is slow, and
//! easily seen to be right.
//!
//! Where Gearman leaves a choice, both servers follow one rule, and these are all of them:
//!
//! * Deadlines that have passed come before the event, in the order of their moments; of one moment scheduled
//!   jobs come first, by their own moments and then in the order of submission, and after them job timeouts in the
//!   order of assignment. What follows from them is done before the event as well.
//! * Sleepers are woken function by function in the order of creation, those first that fell asleep first, or
//!   learned the function first if they slept. With a limit of N, a function wants N woken workers for each of its
//!   waiting jobs, and those that were woken for another function count if they are able.
//! * Tables of the text protocol show control characters as `?`, and an empty client id as `-`.
//! * A second CAN_DO for a function changes its timeout and nothing else, not even its turn; a second PRE_SLEEP
//!   of a sleeper changes nothing.
//! * A woken worker counts as awake again as soon as it has sent anything.
//! * A connection that waits for the store's answer gets everything later, replies or not, after it.
//! * A job that waits for the store has its handle and its place in the queue already.
//! * A job that became a background job and ended before the store answered is acknowledged by that answer.
//!
//! A model with lots ([`Model::with_lots`]) chooses otherwise where the protocol leaves it free: a job that comes back
//! may go to either end of its queue, and of several sleepers any may be woken. So it stands for every server that
//! follows Gearman and takes a worker's functions in the turns that this one promises.
//!
//! ```
//! use gearman_engine::{Config, ConnectionId, Doors, Effects, Event};
//! use gearman_model::Model;
//! use gearman_protocol::{Grab, Request, Time};
//!
//! let worker = ConnectionId::new(1);
//! let (mut model, mut effects) = (Model::new(Config::default()), Effects::new());
//! model.handle(Time::ZERO, Event::Opened { from: worker, peer: "::1".to_owned() }, &mut effects);
//! model.handle(Time::ZERO, Event::Received { from: worker, request: Request::Grab(Grab::Plain) }, &mut effects);
//! assert_eq!(effects.as_slice().len(), 1, "NO_JOB");
//! ```

mod admin_requests;
mod client_requests;
mod connection;
mod deadlines;
mod ends;
mod job;
mod limits;
mod numbers;
mod store;
mod wake;
mod worker_requests;

use bytes::Bytes;
use connection::{Connection, Presence, Sleep};
use deadlines::Drain;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Event, RecordId};
use gearman_protocol::{
    DecodeError, ErrorCode, FunctionName, Handle, QueueLimits, Request, Response, Time, UnixMillis,
};
use job::Job;

/// A job server of lists.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    now: Time,
    /// What the wall clock said last, and when.
    wall: (UnixMillis, Time),
    connections: Vec<Connection>,
    functions: Vec<Function>,
    /// Live jobs, and those that wait for the store.
    jobs: Vec<Job>,
    /// Records of jobs that ended before the store had answered for them.
    ended_unconfirmed: Vec<(RecordId, Handle)>,
    jobs_made: u64,
    records_made: u64,
    /// How many things have been given a place in some order.
    places: u64,
    drain: Drain,
    /// The peer whose large message is read although memory is short, so that something ends.
    favoured: Option<ConnectionId>,
    effects: Vec<Effect>,
    /// What decides where the protocol leaves a choice, used in turn; if there are none the first is chosen.
    lots: Vec<u8>,
    lots_used: usize,
}

/// A function that somebody has named and nobody has dropped.
#[derive(Clone, Debug)]
struct Function {
    name: FunctionName,
    limits: QueueLimits,
}

impl Model {
    /// A server that has just started.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: Time::ZERO,
            wall: (UnixMillis::default(), Time::ZERO),
            connections: Vec::new(),
            functions: Vec::new(),
            jobs: Vec::new(),
            ended_unconfirmed: Vec::new(),
            jobs_made: 0,
            records_made: 0,
            places: 0,
            drain: Drain::No,
            favoured: None,
            effects: Vec::new(),
            lots: Vec::new(),
            lots_used: 0,
        }
    }

    /// A server that takes these lots, one after the other and round and round, where Gearman leaves a choice.
    #[must_use]
    pub fn with_lots(config: Config, lots: Vec<u8>) -> Self {
        Self { lots, ..Self::new(config) }
    }

    /// One of so many, at least one.
    fn lot(&mut self, of: usize) -> usize {
        let Some(&lot) = self.lots.get(self.lots_used % self.lots.len().max(1)) else { return 0 };
        self.lots_used += 1;
        usize::from(lot) % of
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Opened { from, peer } => self.opened(from, peer),
            Event::Received { from, request } => self.received(from, request),
            Event::Malformed { from, error } => self.malformed(from, error),
            Event::HalfClosed { from } => self.leave(from),
            Event::Closed { from } => self.closed(from),
            Event::Buffered { from, fill } => self.buffered(from, fill),
            Event::Wall { now } => self.wall = (now, self.now),
            Event::Elapsed => {}
            Event::Stored { record, outcome } => self.stored(record, outcome),
            Event::Replayed { job } => self.replayed(job),
            Event::Verbosity { level } => self.config.verbose = level,
            Event::Drain => self.begin_drain(),
        }
    }

    /// Does what follows from whatever was done.
    fn conclude(&mut self) {
        while self.cut_slow_readers() || self.wake_sleepers() {}
        self.read_as_memory_allows();
        self.end_drain();
    }

    fn received(&mut self, from: ConnectionId, request: Request) {
        let Some(connection) = self.connection(from) else { return };
        if let Sleep::Woken { .. } = connection.sleep {
            connection.sleep = Sleep::Awake;
        }
        match request {
            Request::CanDo { function, timeout } => self.can_do(from, function, timeout),
            Request::CantDo { function } => self.cant_do(from, &function),
            Request::ResetAbilities => self.reset_abilities(from),
            Request::PreSleep => self.pre_sleep(from),
            Request::AllYours => {}
            Request::Submit(submit) => self.submit(from, submit),
            Request::Grab(form) => self.grab(from, form),
            Request::Work { handle, report } => self.work(from, handle, report),
            Request::GetStatus { handle } => self.get_status(from, handle),
            Request::GetStatusUnique { unique } => self.get_status_unique(from, unique),
            Request::Echo { data } => self.send(from, Response::Echo { data }),
            Request::Option { name } => self.option(from, name),
            Request::SetClientId { id } => self.set_client_id(from, id),
            Request::Admin(command) => self.admin(from, command),
        }
    }

    /// A peer has connected. If that is too much, it hears so and is sent away.
    fn opened(&mut self, from: ConnectionId, peer: String) {
        let (all, own) =
            (self.connections.len(), self.connections.iter().filter(|other| other.peer == peer).count());
        self.connections.push(Connection::new(from, peer, self.config.exceptions));
        let text = if all >= self.config.max_connections {
            "Too many connections"
        } else if self.config.connections_per_address.is_some_and(|limit| own >= limit as usize) {
            "Too many connections from this address"
        } else {
            return;
        };
        self.refuse(from, ErrorCode::TooManyConnections, text);
        self.leave(from);
    }

    fn malformed(&mut self, from: ConnectionId, error: DecodeError) {
        let Some(connection) = self.connection(from) else { return };
        if let Sleep::Woken { .. } = connection.sleep {
            connection.sleep = Sleep::Awake;
        }
        let (code, text) = error.as_refusal();
        self.refuse(from, code, text);
        if error.is_fatal() {
            self.leave(from);
        }
    }

    /// The connection with this number, unless it is gone or going.
    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections
            .iter_mut()
            .find(|connection| connection.id == id && connection.presence == Presence::Here)
    }

    fn job(&mut self, number: u64) -> &mut Job {
        self.jobs.iter_mut().find(|job| job.number == number).expect("the caller has just seen it")
    }

    /// The function's entry, made if nobody has named it before.
    fn function(&mut self, name: &FunctionName) -> &mut Function {
        let known = self.functions.iter().position(|function| function.name == *name);
        let index = known.unwrap_or_else(|| {
            self.functions.push(Function { name: name.clone(), limits: QueueLimits::default() });
            self.functions.len() - 1
        });
        &mut self.functions[index]
    }

    /// The next place in any order.
    fn place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    fn wall_now(&self) -> UnixMillis {
        let (told, when) = self.wall;
        let passed = i64::try_from(self.now.since(when).as_millis()).unwrap_or(i64::MAX);
        UnixMillis::new(told.get().saturating_add(passed))
    }

    /// Sends, behind whatever the connection still waits for.
    fn send(&mut self, to: ConnectionId, response: Response) {
        let Some(connection) = self.connection(to) else { return };
        if let Some(response) = connection.hold(response) {
            self.effects.push(Effect::Send { to, response });
        }
    }

    fn refuse(&mut self, to: ConnectionId, code: ErrorCode, text: &'static str) {
        self.send(to, Response::error(code, text));
    }

    fn option(&mut self, from: ConnectionId, name: Bytes) {
        // C programs send the NUL that ends their string; it comes back as it came.
        let plain = name.strip_suffix(b"\0").unwrap_or(&name);
        if !plain.eq_ignore_ascii_case(b"exceptions") {
            return self.refuse(from, ErrorCode::UnknownOption, "Server does not recognize given option");
        }
        if let Some(connection) = self.connection(from) {
            connection.exceptions = true;
        }
        self.send(from, Response::Option { name });
    }

    fn set_client_id(&mut self, from: ConnectionId, mut id: Bytes) {
        id.truncate(connection::MAX_CLIENT_ID);
        if let Some(connection) = self.connection(from) {
            connection.client_id = if id.is_empty() { Bytes::from_static(b"-") } else { id };
        }
    }
}

impl Doors for Model {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        self.now = self.now.max(now);
        self.act_on_deadlines();
        self.conclude();
        self.happened(event);
        // The event itself may have made something due, such as a step of the wall clock.
        self.act_on_deadlines();
        self.conclude();
        self.effects.drain(..).for_each(|effect| effects.push(effect));
    }

    fn deadline(&self) -> Option<Time> {
        self.next_deadline()
    }
}
