//! The engine: which verb each event calls.

mod admin_requests;
mod client_requests;
mod connection_events;
mod draining;
mod figures;
mod job_life;
mod limits;
mod long_tables;
mod passing_time;
mod reading;
mod storing;
mod submits;
mod wakeups;
mod work_reports;
mod worker_requests;

pub(crate) use job_life::cost;
pub(crate) use limits::function_cost;
pub(crate) use work_reports::MAX_EXCEPTED;

use crate::handles::Handles;
use crate::refusal::Refusal;
use crate::tables::abilities::Abilities;
use crate::tables::connections::{ConnectionKey, Connections, Presence};
use crate::tables::deadlines::Deadlines;
use crate::tables::functions::{FunctionKey, Functions};
use crate::tables::jobs::{Jobs, JoinKey, KeyHash, Watcher};
use crate::tables::long_tables::LongTables;
use crate::tables::slab::Slab;
use crate::tables::stores::Stores;
use crate::{Config, ConnectionId, Doors, Effects, Event, Figures, FunctionPage, Refusals};
use draining::Draining;
use gearman_protocol::{FunctionName, Request, Response, Time};
use limits::large_part;
use std::collections::BTreeSet;
use std::hash::Hasher;

/// A job server without its network.
///
/// ```
/// use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event};
/// use gearman_protocol::{FunctionName, Request, Response, Time};
///
/// let mut engine = Engine::new(Config::default(), 0);
/// let mut effects = Effects::new();
/// let from = ConnectionId::new(1);
/// engine.handle(Time::ZERO, Event::Opened { from, peer: "127.0.0.1".into() }, &mut effects);
///
/// let request = Request::Echo { data: "hello".into() };
/// engine.handle(Time::ZERO, Event::Received { from, request }, &mut effects);
/// assert_eq!(effects.as_slice(), [Effect::Send { to: from, response: Response::Echo { data: "hello".into() } }]);
/// ```
pub struct Engine {
    pub(crate) config: Config,
    hash_seed: u64,
    handles: Handles,
    pub(crate) jobs: Jobs,
    pub(crate) functions: Functions,
    pub(crate) connections: Connections,
    pub(crate) abilities: Abilities,
    pub(crate) watchers: Slab<Watcher>,
    pub(crate) stores: Stores,
    pub(crate) deadlines: Deadlines,
    pub(crate) long_tables: LongTables,
    /// Functions whose wake-ups are to be looked at before the turn ends.
    unsettled: Vec<FunctionKey>,
    draining: Draining,
    /// How many jobs a drain waits for.
    pub(crate) awaited: u64,
    /// Bytes of workloads, buffers and tables.
    pub(crate) memory: usize,
    /// Peers for whom too much is held back: they go before the turn ends.
    slow_readers: Vec<ConnectionId>,
    /// Peers that are not read from because memory is short.
    pub(crate) paused: BTreeSet<ConnectionId>,
    /// The one that is read from although memory is short, so that something ends.
    pub(crate) favoured: Option<ConnectionId>,
    pub(crate) opened: u64,
    refusals: Refusals,
    pub(crate) now: Time,
}

/// One call of the door: its time, and where its effects go.
struct Turn<'a> {
    now: Time,
    effects: &'a mut Effects,
}

impl Engine {
    /// An engine without jobs. What its hash tables hide from strangers, `hash_seed` decides; it shows nowhere.
    ///
    /// # Panics
    /// If [`Config::check`] refuses the configuration.
    #[must_use]
    pub fn new(config: Config, hash_seed: u64) -> Self {
        if let Err(error) = config.check() {
            panic!("{error}");
        }
        Self {
            handles: Handles::new(&config.handle_prefix),
            config,
            hash_seed,
            jobs: Jobs::new(hash_seed),
            functions: Functions::new(hash_seed),
            connections: Connections::new(hash_seed),
            abilities: Abilities::new(hash_seed),
            watchers: Slab::new(),
            stores: Stores::default(),
            deadlines: Deadlines::default(),
            long_tables: LongTables::default(),
            unsettled: Vec::new(),
            draining: Draining::No,
            awaited: 0,
            memory: 0,
            slow_readers: Vec::new(),
            paused: BTreeSet::new(),
            favoured: None,
            opened: 0,
            refusals: Refusals::default(),
            now: Time::ZERO,
        }
    }

    fn act(&mut self, event: Event, turn: &mut Turn<'_>) {
        match event {
            Event::Opened { from, peer } => self.open(from, peer, turn),
            Event::Received { from, request } => {
                if let Some(who) = self.here(from) {
                    self.hear(who);
                    self.receive(who, request, turn);
                }
            }
            Event::Malformed { from, error } => self.malformed(from, error, turn),
            Event::HalfClosed { from } => self.half_closed(from, turn),
            Event::Closed { from } => self.closed(from, turn),
            Event::Buffered { from, fill } => self.buffered(from, fill, turn),
            Event::Wall { now } => self.deadlines.set_wall(turn.now, now),
            // What may be done about deadlines was done before.
            Event::Elapsed => {}
            Event::Stored { record, outcome } => self.stored(record, outcome, turn),
            Event::Replayed { job } => self.replayed(job, turn),
            Event::Verbosity { level } => self.config.verbose = level,
            Event::Drain => self.drain(turn),
        }
    }

    fn receive(&mut self, who: ConnectionKey, request: Request, turn: &mut Turn<'_>) {
        match request {
            Request::CanDo { function, timeout } => self.can_do(who, function, timeout.as_ref(), turn),
            Request::CantDo { function } => self.cant_do(who, &function, turn),
            Request::ResetAbilities => self.reset_abilities(who, turn),
            Request::PreSleep => self.pre_sleep(who, turn),
            // It promises something that makes no difference.
            Request::AllYours => {}
            Request::Submit(submit) => self.submit(who, submit, turn),
            Request::Grab(form) => self.grab(who, form, turn),
            Request::Work { handle, report } => self.work(who, &handle, report, turn),
            Request::GetStatus { handle } => self.get_status(who, handle, turn),
            Request::GetStatusUnique { unique } => self.get_status_unique(who, unique, turn),
            Request::Echo { data } => self.send(who, Response::Echo { data }, turn),
            Request::Option { name } => self.option(who, name, turn),
            Request::SetClientId { id } => self.set_client_id(who, id),
            Request::Admin(command) => self.administer(who, command, turn),
        }
    }

    /// Does what follows from whatever was done.
    fn conclude(&mut self, turn: &mut Turn<'_>) {
        while !self.slow_readers.is_empty() || !self.unsettled.is_empty() {
            self.cut_slow_readers(turn);
            self.settle(turn);
        }
        self.read_as_memory_allows(turn);
        self.look_whether_drained(turn);
    }

    /// Says something to a peer, behind what is held back for it; nothing to one that is being closed.
    fn send(&mut self, to: ConnectionKey, response: Response, turn: &mut Turn<'_>) {
        let connection = &mut self.connections.slab[to];
        if connection.presence == Presence::Closing {
            return;
        }
        connection.largest = connection.largest.max(large_part(&response));
        if connection.outbox.is_empty() {
            turn.effects.send(connection.id, response);
        } else {
            self.hold(to, response);
        }
    }

    /// The function with this name, which is new if nobody has named it before.
    fn function(&mut self, name: FunctionName) -> FunctionKey {
        let hash = self.hash(name.as_bytes());
        if let Some(known) = self.functions.find(hash, name.as_bytes()) {
            return known;
        }
        self.memory += function_cost(&name);
        // A copy, so that a short name does not keep a long packet.
        self.functions.insert(hash, name.detached())
    }

    pub(crate) fn find_function(&self, name: &[u8]) -> Option<FunctionKey> {
        self.functions.find(self.hash(name), name)
    }

    /// The hash by which a submit finds the job that it joins.
    pub(crate) fn key_hash(&self, key: JoinKey<'_>) -> KeyHash {
        KeyHash::of(self.hash(key.bytes()))
    }

    fn refuse(&mut self, to: ConnectionKey, refusal: Refusal, turn: &mut Turn<'_>) {
        self.refusals.count(refusal.counts_as());
        self.send(to, refusal.response(), turn);
    }

    /// The hash of a name that a stranger chose.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        let mut hasher = siphasher::sip::SipHasher13::new_with_keys(self.hash_seed, !self.hash_seed);
        hasher.write(name);
        hasher.finish()
    }
}

impl Doors for Engine {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        self.now = self.now.max(now);
        self.deadlines.begin(self.now);
        let turn = &mut Turn { now: self.now, effects };
        if self.elapse(turn) {
            self.conclude(turn);
        }
        self.act(event, turn);
        // What the event has made due, such as a step of the wall clock.
        self.elapse(turn);
        self.conclude(turn);
    }

    fn deadline(&self) -> Option<Time> {
        self.deadlines.earliest()
    }

    fn figures(&self) -> Figures {
        self.read_figures()
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.read_functions(page, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_hashed_otherwise_than_another_and_than_under_another_seed() {
        let hash = |seed, name: &[u8]| Engine::new(Config::default(), seed).hash(name);
        assert_eq!(hash(1, b"f"), hash(1, b"f"));
        assert_ne!(hash(1, b"f"), hash(1, b"g"));
        assert_ne!(hash(1, b"f"), hash(2, b"f"));
    }
}
