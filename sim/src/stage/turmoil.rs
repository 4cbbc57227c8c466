//! The whole system on one thread: the real server and the real client library on turmoil's hosts, over a network
//! with faults.
//!
//! turmoil is stepped by hand: between two steps nothing runs, so that is where faults happen.

mod pausable;

use super::storm::{Storm, Victims};
use super::{MakeDoors, Options, Run, Stuck};
use crate::actors::{Role, cast};
use crate::ambient;
use crate::history::{Actor, ServerId};
use crate::journal::{Journal, Told};
use crate::network::{ByteFaults, Cables, Home, Servers, SimNetwork, now};
use crate::plan::{Plan, Wall};
use crate::store::{Cheat, Crash, Disk, Shelf};
use crate::workload::ActorPlan;
use gearman_net::Clock;
use gearman_protocol::{Time, UnixMillis};
use pausable::Pausable;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use turmoil::Sim;

/// How long everybody must have been at rest before a run is over.
const REST: Duration = Duration::from_millis(600);

/// Runs a plan to its end.
#[must_use]
pub fn run(plan: &Plan, options: Options) -> Run {
    let Options { history, watcher, doors, cheat, submit_to_two } = options;
    let journal = Journal::new(history, plan.lives(), watcher);
    let cables = Cables::new(byte_faults(plan), servers(plan), journal);
    let roles = cast(plan, submit_to_two);
    let mut house = House::new(plan, &cables, roles, (&doors, cheat));
    let mut storm = Storm::new(plan, cables.clone());
    let end_of_storm = Time::from_millis(plan.workload.storm_ms.into());
    while house.now() < end_of_storm {
        storm.blow(house.now(), &mut house);
        house.step();
    }
    storm.calm(&mut house);
    cables.lock().journal().storm_over(house.now());
    house.roles.iter().for_each(Role::storm_over);
    let stuck = house.settle(end_of_storm);
    let lasted = house.now();
    let Told { history, tally, census, mut lives } = cables.lock().journal().take();
    if stuck.is_none() {
        lives.settle_all();
    }
    let ends = lives.ends().clone();
    Run { history, tally, census, faults: storm.into_happened(), ends, lasted, stuck }
}

fn byte_faults(plan: &Plan) -> ByteFaults {
    ByteFaults {
        seed: plan.seed,
        tick: plan.world.tick(),
        window: plan.world.window as usize,
        per_mille: plan.world.per_mille.clone(),
    }
}

fn servers(plan: &Plan) -> Servers {
    let hosts = (0..plan.workload.servers).map(|server| plan.host_of(ServerId::new(server))).collect();
    let list = |actor: &ActorPlan| {
        let known = actor.servers.iter().copied().map(ServerId::new).collect();
        (known, actor.roams)
    };
    Servers::new(hosts, plan.workload.actors.iter().map(list).collect())
}

/// The hosts, and who lives there.
struct House<'a> {
    plan: &'a Plan,
    sim: Sim<'a>,
    cables: Cables,
    roles: Vec<Role>,
    up: Vec<bool>,
    /// The store of each server.
    shelves: Vec<Shelf>,
}

impl<'a> House<'a> {
    fn new(
        plan: &'a Plan,
        cables: &Cables,
        roles: Vec<Role>,
        (doors, cheat): (&'a MakeDoors<'a>, Option<Cheat>),
    ) -> Self {
        let mut sim = build(plan);
        let clock = SimClock(Arc::new(Wall::of(plan)));
        let mut shelves = Vec::new();
        for id in (0..plan.workload.servers).map(ServerId::new) {
            let host = plan.host_of(id);
            let disk = Disk::new(plan.seed_of(id), plan.world.per_mille.clone(), cheat);
            let shelf = Shelf::new(disk, cables.clone(), host);
            let (shared, kept) = (cables.clone(), shelf.clone());
            let clock = clock.clone();
            sim.host(id.to_string(), move || {
                let doors = Pausable::new(doors(id), shared.clone(), host);
                serve(shared.clone(), (id, host), doors, clock.clone(), kept.clone())
            });
            shelves.push(shelf);
        }
        for (number, host) in (1..).zip(&plan.hosts) {
            let lodgers = host.actors.iter().map(|&actor| (Actor::new(actor), roles[actor as usize].clone()));
            let lodgers: Vec<(Actor, Role)> = lodgers.collect();
            let shared = cables.clone();
            sim.host(&*host.name, move || live(shared.clone(), number, lodgers.clone()));
            let latency = Duration::from_millis(host.latency_ms.into());
            for id in (0..plan.workload.servers).map(ServerId::new) {
                sim.set_link_latency(id.to_string(), &*host.name, latency);
            }
        }
        let up = vec![true; 1 + plan.hosts.len() + shelves.len()];
        Self { plan, sim, cables: cables.clone(), roles, up, shelves }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.sim.elapsed()
    }

    fn step(&mut self) {
        // Panics come out here as panics; there is nothing else that a step could fail with.
        ambient::watching_the_wall_clock(|| self.sim.step()).expect("hosts never end");
    }

    /// Waits until everybody is at rest; says who is not if that takes longer than it can.
    fn settle(&mut self, since: Time) -> Option<Stuck> {
        let bound = self.plan.settles_within() + REST;
        let mut rested = self.now();
        loop {
            self.step();
            if self.restless().next().is_some() {
                rested = self.now();
            }
            if self.now() - rested >= REST {
                return None;
            }
            if self.now() - since > bound {
                return Some(self.stuck(since));
            }
        }
    }
}

impl House<'_> {
    /// Kills the programs of a host.
    fn kill(&mut self, host: usize) {
        self.up[host] = false;
        self.cables.lock().dies(self.now(), host);
        self.sim.crash(self.name(host));
    }

    fn stuck(&self, since: Time) -> Stuck {
        let mut who: Vec<String> = self.restless().map(|index| format!("a{index} is not at rest")).collect();
        who.extend(self.cables.lock().journal().lives().waits());
        Stuck { waited_ms: u64::try_from((self.now() - since).as_millis()).unwrap_or(u64::MAX), who }
    }

    /// Those of the core that have something left to do.
    fn restless(&self) -> impl Iterator<Item = usize> + '_ {
        let actors = self.plan.workload.actors.iter().zip(&self.roles).enumerate();
        actors.filter(|(_, (actor, role))| actor.core && !role.is_at_rest()).map(|(index, _)| index)
    }

    fn name(&self, host: usize) -> String {
        match self.cables.lock().server_at(host) {
            Some(server) => server.to_string(),
            None => self.plan.hosts[host - 1].name.clone(),
        }
    }

    fn role(&self, actor: u32) -> &Role {
        &self.roles[actor as usize]
    }
}

impl Victims for House<'_> {
    fn is_up(&self, host: usize) -> bool {
        self.up[host]
    }

    fn crash(&mut self, host: usize) {
        self.kill(host);
        self.cables.lock().died(host);
        let server = self.cables.lock().server_at(host);
        if let Some(server) = server {
            self.shelves[server.index()].crash(Crash::Process);
        }
    }

    fn go_dark(&mut self, server: ServerId) {
        let host = self.cables.lock().servers().host(server);
        self.kill(host);
        self.cables.lock().went_dark(server);
        self.cables.lock().died(host);
        self.shelves[server.index()].crash(Crash::Power);
    }

    fn stored(&self) -> u64 {
        self.shelves.iter().map(|shelf| shelf.disk().asked()).sum()
    }

    fn restart(&mut self, host: usize) {
        self.up[host] = true;
        let server = self.cables.lock().server_at(host);
        if let Some(server) = server {
            self.cables.lock().has_power(server);
        }
        self.sim.bounce(self.name(host));
    }

    fn overrun(&mut self, actor: u32, takes_ms: u32) {
        self.role(actor).overrun(takes_ms);
    }

    fn hurry(&mut self, actor: u32, within_ms: u32) {
        self.role(actor).hurry(within_ms);
    }
}

fn build<'a>(plan: &Plan) -> Sim<'a> {
    let hop = Duration::from_millis(plan.world.tick_ms.into());
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(plan.seed)
        .epoch(UNIX_EPOCH)
        .tick_duration(hop)
        // Each link gets a latency of its own; equal ends leave turmoil nothing to draw.
        .min_message_latency(hop)
        .max_message_latency(hop)
        // Its buffers are also its backlog, and one connection too many would be a panic: our window limits bytes.
        .tcp_capacity(1 << 16)
        .simulation_duration(Duration::MAX);
    builder.build()
}

async fn serve(
    cables: Cables,
    (id, host): (ServerId, usize),
    doors: Pausable,
    clock: SimClock,
    shelf: Shelf,
) -> turmoil::Result {
    // The server dials nobody.
    let network = SimNetwork::new(cables.clone(), Home { host, actor: Actor::new(u32::MAX) });
    let config = gearman_server::Config::at("0.0.0.0:4730");
    let kept = shelf.disk().read();
    let server = gearman_server::serve_with_store(&network, clock, doors, config, shelf, kept).await?;
    {
        let mut state = cables.lock();
        state.server_is_up(id);
        state.journal().server_up(now(), id);
    }
    let finish = server.finished().await;
    panic!("the server has ended by itself: {finish:?}")
}

/// A host that ends is not stepped any more and its sockets stay open, so it never ends.
async fn live(cables: Cables, host: usize, lodgers: Vec<(Actor, Role)>) -> turmoil::Result {
    for (actor, role) in lodgers {
        let network = SimNetwork::new(cables.clone(), Home { host, actor });
        tokio::task::spawn_local(cables.clone().on(host, role.play(network)));
    }
    std::future::pending().await
}

/// Simulated time.
#[derive(Clone)]
struct SimClock(Arc<Wall>);

impl Clock for SimClock {
    fn now(&self) -> Time {
        now()
    }

    fn wall(&self) -> UnixMillis {
        self.0.at(now())
    }
}
