//! The hosts of a plan, and servers that are processes.

use super::canary::Canary;
use super::pace::Pace;
use super::patience::{PATIENCE, Patience, Unrest};
use super::process::Process;
use super::server::Server;
use super::{Cut, GIVEN_UP, Refusal, Restless, relay};
use crate::actors::{Role, cast};
use crate::history::{Actor, History, ServerId};
use crate::journal::Journal;
use crate::network::{Cables, Home, SimNetwork};
use crate::plan::Plan;
use crate::stage::house::{House, REST, byte_faults, servers};
use crate::stage::storm::Victims;
use crate::stage::{Settled, Stuck, Watcher};
use crate::workload::DRAINS_FOR;
use gearman_protocol::Time;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// For so many steps after its end what a server has said last is carried to its peers.
const LINGERS: u32 = 5;
/// A server that was told to end and waits for nothing has ended after so long, on however busy a machine.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// The hosts, and the servers behind some of them.
pub(super) struct Town<'a> {
    pub(super) house: House<'a>,
    servers: Vec<Server>,
    /// Those whose process has started again and does not listen yet.
    coming: Vec<usize>,
    /// When each has ended as it was told to, if it has and its host has not been taken down.
    left: Vec<Option<Time>>,
    pub(super) pace: Pace,
    refusal: Refusal,
}

impl<'a> Town<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        processes: Vec<Server>,
        (pace, refusal): (Pace, Refusal),
        watcher: Watcher,
    ) -> Self {
        let journal = Journal::new(History::keeping(), plan.lives(), watcher);
        let cables = Cables::new(byte_faults(plan), servers(plan), journal);
        cables.lock().relay();
        let roles: Vec<Role> = cast(plan, false);
        let house = House::new(plan, &cables, roles, |sim, id, host| {
            // A server dials nobody.
            let network = SimNetwork::new(cables.clone(), Home { host, actor: Actor::new(u32::MAX) });
            let backend = processes[id.index()].backend.clone();
            sim.host(id.to_string(), move || relay::serve(network.clone(), id, backend.clone()));
        });
        let left = vec![None; processes.len()];
        Self { house, servers: processes, coming: Vec::new(), left, pace, refusal }
    }

    pub(super) fn step(&mut self) -> Result<(), Cut> {
        if GIVEN_UP.load(Ordering::Relaxed) {
            return Err(Cut::Refused("it was interrupted".to_owned()));
        }
        self.let_in();
        self.see_who_has_left();
        let now = self.house.now();
        self.servers.iter_mut().flat_map(|server| &mut server.canary).for_each(|canary| canary.turn(now));
        self.pace.wait();
        self.house.step();
        self.pace.made();
        // What the system does not say of a server that has ended is the server's fault, so that comes first.
        if let Some(end) = self.servers.iter_mut().flat_map(|server| &mut server.life).find_map(Process::end)
        {
            return Err(Cut::Died(format!("the server has ended by itself: {end}")));
        }
        self.refusal.0.take().map_or(Ok(()), |why| Err(Cut::Refused(why)))
    }

    fn see_who_has_left(&mut self) {
        let now = self.house.now();
        for (server, left) in self.servers.iter_mut().zip(&mut self.left) {
            if left.is_none() && server.has_drained() {
                *left = Some(now);
            }
        }
    }

    /// The process of a server, unless it has ended as it was told to: that hears nothing more.
    fn life(&mut self, server: ServerId) -> Option<&mut Process> {
        let has_left = self.left[server.index()].is_some();
        self.servers[server.index()].life.as_mut().filter(|_| !has_left)
    }

    /// Servers that have come up again are there for their peers.
    fn let_in(&mut self) {
        let mut still_coming = Vec::new();
        for index in std::mem::take(&mut self.coming) {
            if self.servers[index].has_come_up() {
                let id = ServerId::new(u8::try_from(index).unwrap_or(u8::MAX));
                self.house.restart(self.house.plan.host_of(id));
            } else {
                still_coming.push(index);
            }
        }
        self.coming = still_coming;
    }

    /// Waits until everybody is at rest, and has been for as long as a server may need to say something, and what is
    /// for later has had its time; says how soon that was, or who is not, if nothing has happened for long, or not all
    /// in twice as long as it can take one after the other.
    pub(super) fn settle(&mut self, since: Time) -> Result<Settled, Restless> {
        self.servers.iter_mut().flat_map(|server| &mut server.canary).for_each(Canary::forget);
        let patience = Patience::new(self.house.plan, since);
        let rests_until = self.house.plan.rests_until();
        let (mut rested, mut happened, mut entries) = (since, since, 0);
        loop {
            self.step()?;
            let (now, seen) = (self.house.now(), self.house.cables.lock().journal().len());
            if seen > entries {
                (happened, entries) = (now, seen);
            }
            if !self.coming.is_empty() || self.house.restless().next().is_some() {
                rested = now;
            }
            if now - rested >= self.rest(now) && now >= rests_until {
                self.house.cables.lock().journal().at_rest(now);
                return Ok(Settled { within: rested - since, bound: patience.bound });
            }
            match patience.tell(now, happened, self.pace.slack(), || self.servers_sleep()) {
                Unrest::Young => {}
                Unrest::Stuck => return Err(Restless::Stuck(self.stuck(since))),
                Unrest::Unknown => return Err(self.too_busy(since).into()),
            }
        }
    }

    fn too_busy(&self, since: Time) -> Cut {
        Cut::Refused(format!(
            "{} ms after the storm there is still no rest, but steps were up to {} ms late: the machine is too busy \
             (fewer seeds at a time, -j, may help)",
            (self.house.now() - since).as_millis(),
            self.pace.slack().as_millis()
        ))
    }

    /// Who is not at rest, which jobs wait for whom, and which servers say nothing.
    fn stuck(&self, since: Time) -> Stuck {
        let mut stuck = self.house.stuck(since);
        let coming = self.coming.iter().map(|server| format!("server {server} does not come up"));
        stuck.who.extend(coming);
        for (id, server) in self.servers.iter().enumerate() {
            let waits =
                server.canary.as_ref().map_or(Duration::ZERO, |canary| canary.waits(self.house.now()));
            if waits > PATIENCE {
                stuck.who.push(format!("server {id} has not answered for {} ms", waits.as_millis()));
            }
        }
        stuck
    }

    /// Whether no server has anything to do that it has not come to.
    fn servers_sleep(&self) -> bool {
        self.servers.iter().flat_map(|server| &server.life).all(Process::sleeps)
    }

    /// For how long everybody must have been at rest: longer where servers are slow to answer.
    fn rest(&self, now: Time) -> Duration {
        let canaries = self.servers.iter().flat_map(|server| &server.canary);
        let slowest = canaries.map(|canary| canary.longest(now)).max().unwrap_or_default();
        REST + 4 * (slowest + self.pace.slack())
    }

    fn may(&self, done: Result<(), String>) {
        if let Err(why) = done {
            self.refusal.note(why);
        }
    }
}

impl Victims for Town<'_> {
    fn is_up(&self, host: usize) -> bool {
        self.house.is_up(host)
    }

    fn crash(&mut self, host: usize) {
        if let Some(server) = self.house.server_at(host) {
            self.servers[server.index()].kill();
            if self.left[server.index()].take().is_some() {
                self.house.cables.lock().leaves(self.house.now(), server);
            }
        }
        self.house.kill(host);
        self.house.cables.lock().died(host);
    }

    fn go_dark(&mut self, server: ServerId) {
        unreachable!("{server} goes dark, and adapted plans have no loss of power")
    }

    fn drain(&mut self, server: ServerId) -> Duration {
        self.house.cables.lock().journal().server_drains(self.house.now(), server);
        let told = self.servers[server.index()].drain();
        self.may(told);
        DRAINS_FOR + ENDS_WITHIN
    }

    /// The end of a process is told when what is on its way has had some time, and when it is known of every connection
    /// that had ended before.
    fn has_ended(&self, server: ServerId) -> bool {
        let (tick, now) = (self.house.plan.world.tick(), self.house.now());
        self.left[server.index()].is_some_and(|since| now >= since + LINGERS * tick)
    }

    fn stored(&self) -> u64 {
        0
    }

    /// A server is let in when it listens.
    fn restart(&mut self, host: usize) {
        match self.house.server_at(host) {
            Some(server) => {
                let started = self.servers[server.index()].start();
                self.may(started);
                self.coming.push(server.index());
            }
            None => self.house.restart(host),
        }
    }

    fn pause(&mut self, host: usize, until: Time) {
        match self.house.server_at(host) {
            Some(server) => {
                let paused = self.life(server).map_or(Ok(()), |life| life.pause(until));
                self.may(paused);
            }
            None => self.house.cables.lock().pause(host, until),
        }
    }

    fn resume(&mut self, host: usize, until: Time) {
        match self.house.server_at(host) {
            Some(server) => {
                let resumed = self.life(server).map_or(Ok(()), |life| life.resume(until));
                self.may(resumed);
            }
            None => self.house.cables.lock().resume(host, until),
        }
    }

    fn overrun(&mut self, actor: u32, takes_ms: u32) {
        self.house.role(actor).overrun(takes_ms);
    }

    fn hurry(&mut self, actor: u32, within_ms: u32) {
        self.house.role(actor).hurry(within_ms);
    }
}
