//! The bare doors: the plan's actors straight against an engine, without sockets, hosts or a runtime.
//!
//! Bytes are not cut here and connections do not break by themselves; what is open is the order, and the server may
//! die.
//! Every message is under way for a time of its own, so messages of different connections overtake each other in
//! any way that keeps each connection's order, in both directions.
//! That is every order that a correct network can produce, at a thousandth of its price.

mod links;
mod server;

use super::{Happened, MakeDoors, Options, Run, Settled, Stuck};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, When};
use crate::history::{Actor, Closing, Connection, ServerId, What};
use crate::journal::{Journal, Told};
use crate::lives::Stretch;
use crate::plan::{Plan, Wall};
use crate::store::{Crash, Disk, Kept};
use crate::workload::{Machine, Output};
use gearman_engine::{ConnectionId, Event};
use gearman_protocol::{AdminReply, Outward, Request, Response, Time};
use links::{Links, ToPeer, ToServer};
use server::Server;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// How long everybody must have been at rest before a run is over: the core's workers ask twice in it.
const REST: Duration = Duration::from_millis(1000);
/// How long after the storm a run may take at most.
const BOUND: Duration = Duration::from_secs(60);
/// So many entries no plan needs; a run that comes here goes round in a circle without time passing.
const MOST_ENTRIES: u64 = 1_000_000;

/// Runs a plan to its end.
#[must_use]
pub fn run(plan: &Plan, options: Options<'_>) -> Run {
    let Options { history, watcher, doors, cheat, submit_to_two } = options;
    let disk = |id| Disk::new(plan.seed_of(id), plan.world.per_mille.clone(), cheat);
    let ids = (0..plan.workload.servers).map(ServerId::new);
    let servers = ids.map(|id| Server::new(id, disk(id))).collect();
    let mut bare = Bare::new(plan, doors, servers, Journal::new(history, plan.lives(), watcher));
    bare.submit_to_two = submit_to_two;
    (0..bare.servers.len()).for_each(|server| bare.start(server));
    let storm_ends = Time::from_millis(plan.workload.storm_ms.into());
    bare.play(|bare| bare.next_at().is_none_or(|at| at >= storm_ends));
    bare.now = bare.now.max(storm_ends);
    bare.calm();
    let settled = bare.settle(storm_ends, plan.rests_until());
    bare.servers.iter().for_each(|server| server.must_have_ended(bare.now));
    if settled.is_ok() {
        bare.see(What::AtRest);
    }
    let Told { history, tally, census, mut lives } = bare.journal.take();
    if settled.is_ok() {
        lives.settle_all();
    }
    let far_jobs = plan.workload.far_jobs();
    let held = bare.servers.iter().find_map(|server| server.held(far_jobs)).filter(|_| settled.is_ok());
    let ends = lives.ends().clone();
    let (settled, stuck) = (settled.as_ref().ok().copied(), settled.err());
    Run { history, tally, census, faults: bare.happened, ends, lasted: bare.now, settled, stuck, held }
}

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// The next message of this connection reaches the server.
    Arrives(usize),
    /// The next message of this connection reaches the peer.
    Returns(usize),
    /// This actor wanted to be woken.
    Wakes(usize),
    /// This server's engine wanted to be called.
    Elapses(usize),
    /// A task of this server's store is done.
    Written(usize, u64),
    /// This server starts again.
    Starts(usize),
    /// The wall clocks are set by so many milliseconds.
    Sets(i32),
}

struct Bare<'a> {
    now: Time,
    journal: Journal,
    make: MakeDoors<'a>,
    servers: Vec<Server>,
    machines: Vec<Machine>,
    /// The connection of each actor, if it has one.
    homes: Vec<Option<usize>>,
    /// Which servers each actor knows, whether it roams, and how far it is in its list.
    lists: Vec<(Vec<u8>, bool, usize)>,
    /// A sabotage: whatever is submitted is submitted to another server as well.
    submit_to_two: bool,
    links: Links,
    /// What will happen, the earliest first; among what happens in one millisecond chance decides.
    agenda: BinaryHeap<Reverse<(Time, u64, Item)>>,
    /// When each actor is on the agenda already.
    alarms: Vec<Option<Time>>,
    ties: u64,
    seed: u64,
    /// What machines want done; kept so that its memory is.
    wanted: Vec<Output>,
    wall: Wall,
    /// The crashes of the plan that are to come.
    to_come: Vec<&'a Fault>,
    /// How many jobs have come to each stretch of their lives.
    reached: BTreeMap<Stretch, u32>,
    happened: Vec<Happened>,
}

impl<'a> Bare<'a> {
    fn new(plan: &'a Plan, make: MakeDoors<'a>, servers: Vec<Server>, journal: Journal) -> Self {
        let machines = Machine::all(&plan.workload, plan.world.epoch_s());
        let mut bare = Self {
            now: Time::ZERO,
            journal,
            make,
            servers,
            lists: plan.workload.actors.iter().map(|actor| (actor.servers.clone(), actor.roams, 0)).collect(),
            submit_to_two: false,
            homes: vec![None; machines.len()],
            alarms: vec![None; machines.len()],
            machines,
            links: Links::new(plan.seed),
            agenda: BinaryHeap::new(),
            ties: 0,
            seed: plan.seed,
            wanted: Vec::new(),
            wall: Wall::of(plan),
            to_come: plan.faults.iter().filter(|fault| server_of(&fault.deed).is_some()).collect(),
            reached: BTreeMap::new(),
            happened: Vec::new(),
        };
        (0..bare.machines.len()).for_each(|actor| bare.set_alarm(actor));
        for fault in &plan.faults {
            if let (When::At(ms), Deed::ClockStep { by_ms }) = (fault.when, &fault.deed) {
                bare.put(Time::from_millis(ms.into()), Item::Sets(*by_ms));
            }
        }
        bare
    }

    fn see(&mut self, what: What) {
        self.journal.record(self.now, what);
    }

    fn next_at(&self) -> Option<Time> {
        self.agenda.peek().map(|Reverse((at, ..))| *at)
    }

    /// Lets happen what is on the agenda until `is_enough` says so.
    fn play(&mut self, is_enough: impl Fn(&Self) -> bool) {
        while !is_enough(self) && self.journal.len() < MOST_ENTRIES {
            let Some(Reverse((at, _, item))) = self.agenda.pop() else { return };
            self.now = self.now.max(at);
            match item {
                Item::Arrives(link) => self.arrives(link),
                Item::Returns(link) => self.returns(link),
                Item::Wakes(actor) => self.wakes(actor, at),
                Item::Elapses(server) => {
                    if self.servers[server].alarm == Some(at) {
                        self.servers[server].alarm = None;
                        self.tell(server, Event::Elapsed);
                    }
                }
                Item::Written(server, task) => {
                    if let Some(kept) = self.servers[server].disk.finish(task) {
                        let Kept { record, outcome } = kept;
                        self.tell(server, Event::Stored { record, outcome });
                    }
                }
                Item::Starts(server) => self.start(server),
                Item::Sets(by_ms) => self.set_clocks(by_ms),
            }
            self.blow();
        }
    }

    fn set_clocks(&mut self, by_ms: i32) {
        self.journal.clock_was_set();
        let what = format!("by {by_ms} ms");
        self.happened.push(Happened { at: self.now, class: FaultClass::ClockStep, what });
        let now = self.wall.at(self.now);
        (0..self.servers.len()).for_each(|server| self.tell(server, Event::Wall { now }));
    }

    /// The storm is over: all but the core leave.
    fn calm(&mut self) {
        self.see(What::StormOver);
        self.to_come.clear();
        self.servers.iter_mut().for_each(|server| server.disk.calm(true));
        for actor in 0..self.machines.len() {
            let mut wanted = std::mem::take(&mut self.wanted);
            self.machines[actor].storm_over(&mut wanted);
            self.carry_out(actor, wanted);
        }
    }

    /// Until all of the core have been at rest for a while, and what is for later has had its time; says who is not if that
    /// takes longer than it may, or if nothing more can happen.
    fn settle(&mut self, since: Time, rests_until: Time) -> Result<Settled, Stuck> {
        let mut rested = self.now;
        loop {
            let next = self.next_at();
            let until = next.unwrap_or(self.now);
            if self.restless().next().is_some() {
                rested = until;
            } else if next.is_none() || until >= rests_until.max(rested + REST) {
                self.now = self.now.max(rests_until);
                return Ok(Settled { within: rested - since, bound: BOUND });
            }
            if next.is_none() || until - since > BOUND || self.journal.len() >= MOST_ENTRIES {
                let mut who: Vec<String> =
                    self.restless().map(|actor| format!("a{actor} is not at rest")).collect();
                who.extend(self.journal.lives().waits());
                let waited_ms = u64::try_from((until - since).as_millis()).unwrap_or(u64::MAX);
                return Err(Stuck { waited_ms, who });
            }
            self.play(|bare| bare.next_at().is_none_or(|at| at > until));
        }
    }

    fn restless(&self) -> impl Iterator<Item = usize> + '_ {
        let machines = self.machines.iter().enumerate();
        machines.filter(|(_, machine)| machine.is_core() && !machine.is_at_rest()).map(|(actor, _)| actor)
    }

    fn put(&mut self, at: Time, item: Item) {
        self.ties += 1;
        let tie =
            self.ties.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.seed.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        self.agenda.push(Reverse((at, tie, item)));
    }

    fn set_alarm(&mut self, actor: usize) {
        let Some(at) = self.machines[actor].wake_at() else { return };
        let at = at.max(self.now);
        if self.alarms[actor].is_none_or(|alarm| at < alarm) {
            self.alarms[actor] = Some(at);
            self.put(at, Item::Wakes(actor));
        }
    }

    fn wakes(&mut self, actor: usize, at: Time) {
        if self.alarms[actor] != Some(at) {
            return;
        }
        self.alarms[actor] = None;
        let mut wanted = std::mem::take(&mut self.wanted);
        self.machines[actor].woke(self.now, &mut wanted);
        self.carry_out(actor, wanted);
    }

    /// Does what an actor wants done.
    fn carry_out(&mut self, actor: usize, mut wanted: Vec<Output>) {
        let mut next = Vec::new();
        while !wanted.is_empty() {
            for output in wanted.drain(..) {
                self.carry_out_one(actor, output, &mut next);
            }
            std::mem::swap(&mut wanted, &mut next);
        }
        self.wanted = wanted;
        self.set_alarm(actor);
    }

    fn carry_out_one(&mut self, actor: usize, output: Output, next: &mut Vec<Output>) {
        if output == Output::Connect {
            return self.connect(actor, next);
        }
        let Some(link) = self.homes[actor] else { return };
        let connection = connection(link);
        match output {
            Output::Connect => {}
            Output::GaveUp => {
                self.journal.happened(FaultClass::CallTimeout);
                self.journal.touched(FaultClass::CallTimeout, &[connection]);
            }
            Output::Request(request) => {
                if let Request::Submit(_) = &request {
                    self.submit_elsewhere(actor, link, &request);
                }
                self.see(What::Wrote { connection, request: request.clone() });
                self.send(link, ToServer::Request(request));
            }
            Output::Bytes(bytes) => {
                for (message, kind) in self.links.decode(link, &bytes) {
                    self.see(match &message {
                        Ok(request) => What::Wrote { connection, request: request.clone() },
                        Err(error) => What::WroteMalformed { connection, error: *error, kind },
                    });
                    self.send(link, message.map_or_else(ToServer::Malformed, ToServer::Request));
                }
            }
            Output::HalfClose => {
                self.see(What::Closed { connection, how: Closing::HalfClosed });
                self.send(link, ToServer::HalfClosed);
            }
            Output::Close => {
                if self.links.is_within_a_message(link) {
                    self.journal.cut_off(connection);
                }
                self.see(What::Closed { connection, how: Closing::ByPeer });
                self.homes[actor] = None;
                self.links.forget_peer(link);
                self.send(link, ToServer::Closed);
            }
        }
    }

    fn connect(&mut self, actor: usize, next: &mut Vec<Output>) {
        let (list, roams, place) = &mut self.lists[actor];
        let server = usize::from(list[*place % list.len()]);
        let is_up = self.servers[server].lets_in();
        *place = if *roams || !is_up { *place + 1 } else { 0 };
        if !is_up {
            return self.machines[actor].closed(self.now);
        }
        let link = self.open(actor, server);
        self.homes[actor] = Some(link);
        self.machines[actor].opened(self.now, next);
    }

    fn open(&mut self, actor: usize, server: usize) -> usize {
        let link = self.links.open(actor, server);
        let number = u32::try_from(actor).expect("a workload has fewer than 2^32 actors");
        let (actor, server) = (Actor::new(number), self.servers[server].id);
        self.see(What::Connected { connection: connection(link), actor, server });
        self.send(link, ToServer::Opened);
        link
    }

    /// Asks another server that the actor knows for the same, if that is the sabotage; nobody reads the answer.
    fn submit_elsewhere(&mut self, actor: usize, link: usize, request: &Request) {
        let here = self.links.server(link);
        let mut others = self.lists[actor].0.iter().map(|&server| usize::from(server));
        let other = others.find(|&server| server != here && self.servers[server].lets_in());
        if let Some(other) = other.filter(|_| self.submit_to_two) {
            let second = self.open(actor, other);
            self.see(What::Wrote { connection: connection(second), request: request.clone() });
            self.send(second, ToServer::Request(request.clone()));
        }
    }

    fn send(&mut self, link: usize, message: ToServer) {
        let at = self.links.send(link, self.now, message);
        self.put(at, Item::Arrives(link));
    }

    fn arrives(&mut self, link: usize) {
        let Some(message) = self.links.arrived(link) else { return };
        let from = id(link);
        let event = match message {
            ToServer::Opened => Event::Opened { from, peer: format!("10.0.0.{}", link % 250) },
            ToServer::Request(request) => Event::Received { from, request },
            ToServer::Malformed(error) => Event::Malformed { from, error },
            ToServer::HalfClosed => {
                self.end(link);
                Event::HalfClosed { from }
            }
            ToServer::Closed => {
                self.end(link);
                self.links.close_server(link);
                Event::Closed { from }
            }
        };
        self.tell(self.links.server(link), event);
    }

    /// The server learns that a connection is over, or ends it.
    fn end(&mut self, link: usize) {
        if self.links.end(link) {
            self.see(What::Ended { connection: connection(link) });
        }
    }

    fn answer(&mut self, link: usize, message: ToPeer) {
        if let Some(at) = self.links.answer(link, self.now, message) {
            self.put(at, Item::Returns(link));
        }
    }

    fn returns(&mut self, link: usize) {
        let Some((actor, message)) = self.links.returned(link) else { return };
        match message {
            ToPeer::Response(Response::Admin(reply)) => {
                for line in lines(&reply) {
                    self.read(link, actor, Response::Admin(AdminReply::Line(line)));
                }
            }
            ToPeer::Response(response) => self.read(link, actor, response),
            ToPeer::Closed => {
                self.see(What::Closed { connection: connection(link), how: Closing::ByServer });
                self.links.forget_peer(link);
                self.homes[actor] = None;
                self.machines[actor].closed(self.now);
                self.set_alarm(actor);
            }
        }
    }

    fn read(&mut self, link: usize, actor: usize, response: Response) {
        // An actor that has closed on an earlier line reads no more.
        if self.homes[actor] != Some(link) {
            return;
        }
        let mut wanted = std::mem::take(&mut self.wanted);
        self.machines[actor].read(self.now, &response, &mut wanted);
        self.see(What::Read { connection: connection(link), response });
        self.carry_out(actor, wanted);
    }
}

/// Which server ends after this, if one does.
const fn server_of(deed: &Deed) -> Option<u8> {
    if let Deed::ServerDrain { server, .. } = *deed {
        return Some(server);
    }
    match down(deed) {
        Some((server, ..)) => Some(server),
        None => None,
    }
}

/// Which server is down after this, for how long, and how it ends, if one does.
const fn down(deed: &Deed) -> Option<(u8, u32, Crash)> {
    match *deed {
        Deed::ServerCrash { server, down_ms } => Some((server, down_ms, Crash::Process)),
        Deed::ServerPowerLoss { server, down_ms } => Some((server, down_ms, Crash::Power)),
        Deed::Stall { .. }
        | Deed::Dribble { .. }
        | Deed::SlowReader { .. }
        | Deed::HalfOpen { .. }
        | Deed::Cut { .. }
        | Deed::Door { .. }
        | Deed::ReconnectStorm { .. }
        | Deed::ServerPause { .. }
        | Deed::WorkerPause { .. }
        | Deed::Partition { .. }
        | Deed::ServerDrain { .. }
        | Deed::WorkerCrash { .. }
        | Deed::ClockStep { .. }
        | Deed::Leave { .. }
        | Deed::Overrun { .. }
        | Deed::Impatience { .. } => None,
    }
}

/// A text reply as its reader gets it.
fn lines(reply: &AdminReply) -> Vec<bytes::Bytes> {
    let mut out = Outward::new();
    reply.encode(&mut out);
    let text = out.to_vec();
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines.map(|line| bytes::Bytes::copy_from_slice(line.trim_ascii_end())).collect()
}

/// Connections are counted from 0 in a history, and from 1 by a driver.
fn connection(link: usize) -> Connection {
    Connection::new(u32::try_from(link).expect("a run has fewer than 2^32 connections"))
}

const fn id(link: usize) -> ConnectionId {
    ConnectionId::new(link as u64 + 1)
}

fn index(id: ConnectionId) -> usize {
    usize::try_from(id.get() - 1).expect("only connections of this stage are told of")
}

#[cfg(test)]
mod tests;
