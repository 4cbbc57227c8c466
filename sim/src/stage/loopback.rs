//! The program that ships, with all its threads: the plan's peers in this process, against `gearmand` processes over
//! the machine's own sockets, in real time.
//!
//! The peers live on the hosts of [`super::turmoil`], whose steps keep step with the machine's clock, and so does the
//! layer that makes networks go wrong. On a server's host there is no server but a relay, which carries bytes to a
//! process and back. Processes are killed with SIGKILL and stand still by SIGSTOP.
//!
//! What happens depends on the machine, so a plan does not do the same twice here. The judge's slack is how late the
//! steps of this run were, so that nobody is accused because a machine is busy.

mod canary;
mod descriptors;
mod pace;
mod patience;
mod process;
mod relay;

use super::house::{House, REST, byte_faults, servers};
use super::storm::{Storm, Victims};
use super::{Run, Stuck, Watcher};
use crate::actors::{Role, cast};
use crate::faults::FaultClass;
use crate::faults::schedule::When;
use crate::history::{Actor, History, ServerId};
use crate::journal::{Journal, Told};
use crate::judge::Terms;
use crate::lives::Stretch;
use crate::machine::reserve;
use crate::network::{Cables, Home, SimNetwork};
use crate::plan::Plan;
use crate::trial::Stage;
use canary::Canary;
use gearman_protocol::Time;
use pace::Pace;
use patience::{PATIENCE, Patience, Unrest};
use process::Process;
pub(crate) use process::end_all;
use relay::Backend;
use socket2::Socket;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether the runs of this process are to be given up.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Gives up all runs: somebody has pressed Ctrl-C, and does not want to wait for seconds.
pub(crate) fn give_up() {
    GIVEN_UP.store(true, Ordering::Relaxed);
}

/// What came of a plan, and on which terms the servers are to be judged for it.
pub(crate) struct Real {
    pub(crate) run: Run,
    pub(crate) terms: Terms,
    /// Why it has not come to its end, if it has not: then nobody can be judged for it.
    pub(crate) cut: Option<Cut>,
}

/// Why a run has not come to its end.
#[derive(Debug)]
pub(crate) enum Cut {
    /// A server's process has ended by itself; how, and its last words.
    Died(String),
    /// The machine does not let it be run; why.
    Refused(String),
}

/// What the machine has refused first.
#[derive(Clone, Default)]
struct Refusal(Rc<RefCell<Option<String>>>);

impl Refusal {
    fn note(&self, why: String) {
        self.0.borrow_mut().get_or_insert(why);
    }
}

/// Runs a plan, to its end if nothing is in the way.
///
/// # Errors
/// The machine does not let it be begun: one line that says why.
pub(crate) fn run(plan: &Plan, gearmand: &Path, watcher: Watcher) -> Result<Real, String> {
    let mut plan = adapted(plan.clone());
    let refusal = Refusal::default();
    let mut servers = (0..plan.workload.servers)
        .map(|id| Server::new(&plan, ServerId::new(id), gearmand, &refusal))
        .collect::<Result<Vec<Server>, String>>()?;
    for server in &mut servers {
        server.start()?;
        server.wait()?;
    }
    let pace = Pace::new(plan.world.tick());
    plan.world.epoch_ms = pace.wall().get();
    let mut town = Town::new(&plan, servers, (pace, refusal), watcher);
    let mut storm = Storm::new(&plan, town.house.cables.clone());
    let (stuck, cut) = match play(&plan, &mut town, &mut storm) {
        Ok(stuck) => (stuck, None),
        Err(cut) => (None, Some(cut)),
    };
    let (lasted, slack) = (town.house.now(), plan.slack() + town.pace.slack());
    let Told { history, tally, census, mut lives } = town.house.cables.lock().journal().take();
    if stuck.is_none() && cut.is_none() {
        lives.settle_all();
    }
    let ends = lives.ends().clone();
    let run = Run { history, tally, census, faults: storm.into_happened(), ends, lasted, stuck };
    Ok(Real { run, terms: Terms::of(&plan, slack), cut })
}

/// The storm and what comes after it; says who is stuck.
fn play(plan: &Plan, town: &mut Town<'_>, storm: &mut Storm<'_>) -> Result<Option<Stuck>, Cut> {
    let end_of_storm = Time::from_millis(plan.workload.storm_ms.into());
    while town.house.now() < end_of_storm {
        storm.blow(town.house.now(), town);
        town.step()?;
    }
    storm.calm(town);
    town.house.storm_over();
    town.settle(end_of_storm)
}

/// Why a class of faults cannot happen here, if it cannot.
pub(crate) const fn reason_against(class: FaultClass) -> Option<&'static str> {
    if class.is_of_a_store() {
        return Some("gearmand keeps no jobs in a store yet");
    }
    if matches!(class, FaultClass::ServerPowerLoss) {
        return Some("the kernel of this machine lives on, and tells for a process that it is gone");
    }
    if matches!(class, FaultClass::ClockStep) {
        return Some("the wall clock is the whole machine's");
    }
    None
}

/// The plan without what cannot be here. What waits for a store to be asked waits for a job to wait instead, which is
/// when a store would have been asked.
fn adapted(mut plan: Plan) -> Plan {
    plan.server.store = false;
    plan.world.per_mille.retain(|&class, _| Stage::Loopback.has(class));
    plan.faults.retain(|fault| Stage::Loopback.has(fault.deed.class()));
    for fault in &mut plan.faults {
        if let When::Storing { nth } = fault.when {
            fault.when = When::Reached { stretch: Stretch::Waiting, nth };
        }
    }
    plan
}

/// One server, whose process has one life after the other.
struct Server {
    gearmand: PathBuf,
    flags: Vec<String>,
    backend: Backend,
    life: Option<Process>,
    canary: Option<Canary>,
    /// Keeps the port while no process has it.
    _reserved: Socket,
}

impl Server {
    fn new(plan: &Plan, id: ServerId, gearmand: &Path, refusal: &Refusal) -> Result<Self, String> {
        let (reserved, at) = reserve().map_err(|error| format!("no port for a server: {error}"))?;
        Ok(Self {
            gearmand: gearmand.to_owned(),
            flags: process::flags(&plan.server, id, at),
            backend: Backend {
                at,
                process: Rc::new(Cell::new(0)),
                turn: plan.world.tick(),
                refusal: refusal.clone(),
            },
            life: None,
            canary: None,
            _reserved: reserved,
        })
    }

    const fn at(&self) -> SocketAddr {
        self.backend.at
    }

    fn start(&mut self) -> Result<(), String> {
        let life = Process::start(&self.gearmand, &self.flags)?;
        self.backend.process.set(life.id());
        self.life = Some(life);
        Ok(())
    }

    /// Waits until it listens.
    fn wait(&mut self) -> Result<(), String> {
        self.life.iter().try_for_each(Process::wait)?;
        self.canary = Some(Canary::new(self.at()));
        Ok(())
    }

    /// Whether it has just come up.
    fn has_come_up(&mut self) -> bool {
        let has_come_up = self.life.as_ref().is_some_and(Process::has_come_up);
        if has_come_up {
            self.canary = Some(Canary::new(self.at()));
        }
        has_come_up
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.canary = None;
        self.life = None;
    }
}

/// The hosts, and the servers behind some of them.
struct Town<'a> {
    house: House<'a>,
    servers: Vec<Server>,
    /// Those whose process has started again and does not listen yet.
    coming: Vec<usize>,
    pace: Pace,
    refusal: Refusal,
}

impl<'a> Town<'a> {
    fn new(
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
        Self { house, servers: processes, coming: Vec::new(), pace, refusal }
    }

    fn step(&mut self) -> Result<(), Cut> {
        if GIVEN_UP.load(Ordering::Relaxed) {
            return Err(Cut::Refused("it was interrupted".to_owned()));
        }
        self.let_in();
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

    /// Waits until everybody is at rest, and has been for as long as a server may need to say something; says who is
    /// not, if nothing has happened for long, or not all in twice as long as it can take one after the other.
    fn settle(&mut self, since: Time) -> Result<Option<Stuck>, Cut> {
        self.servers.iter_mut().flat_map(|server| &mut server.canary).for_each(Canary::forget);
        let patience = Patience::new(self.house.plan, since);
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
            if now - rested >= self.rest(now) {
                return Ok(None);
            }
            match patience.tell(now, happened, self.pace.slack(), || self.servers_sleep()) {
                Unrest::Young => {}
                Unrest::Stuck => return Ok(Some(self.stuck(since))),
                Unrest::Unknown => return Err(self.too_busy(since)),
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
        }
        self.house.kill(host);
        self.house.cables.lock().died(host);
    }

    fn go_dark(&mut self, server: ServerId) {
        unreachable!("{server} goes dark, and adapted plans have no loss of power")
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
                let life = self.servers[server.index()].life.as_mut();
                let paused = life.map_or(Ok(()), |life| life.pause(until));
                self.may(paused);
            }
            None => self.house.cables.lock().pause(host, until),
        }
    }

    fn resume(&mut self, host: usize, until: Time) {
        match self.house.server_at(host) {
            Some(server) => {
                let life = self.servers[server.index()].life.as_mut();
                let resumed = life.map_or(Ok(()), |life| life.resume(until));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::schedule::{Deed, Fault};
    use crate::plan::Mix;

    #[test]
    fn an_adapted_plan_has_nothing_that_cannot_be_here() {
        for seed in 0..40 {
            let plan = adapted(Plan::draw(seed, &Mix::everything()));
            assert!(!plan.server.store);
            let once = plan.faults.iter().map(|fault| fault.deed.class());
            for class in once.chain(plan.world.per_mille.keys().copied()) {
                assert_eq!(reason_against(class), None, "{class}");
            }
            let waits_for_a_store = |fault: &Fault| matches!(fault.when, When::Storing { .. });
            assert!(!plan.faults.iter().any(waits_for_a_store));
        }
    }

    #[test]
    fn a_crash_while_the_store_is_asked_happens_when_a_job_waits() {
        let mut plan = Plan::draw(0, &Mix::of([]));
        let deed = Deed::ServerCrash { server: 0, down_ms: 50 };
        plan.faults = vec![Fault { when: When::Storing { nth: 7 }, deed: deed.clone() }];
        let when = When::Reached { stretch: Stretch::Waiting, nth: 7 };
        assert_eq!(adapted(plan).faults, [Fault { when, deed }]);
    }
}
