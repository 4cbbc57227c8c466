//! The whole system on one thread: the real server and the real client library on turmoil's hosts, over a network
//! with faults.
//!
//! turmoil is stepped by hand: between two steps nothing runs, so that is where faults happen.

mod pausable;

use super::storm::{Storm, Victims};
use super::{MakeDoors, Options, Run, Stuck};
use crate::actors::{Role, cast};
use crate::ambient;
use crate::history::Actor;
use crate::journal::Journal;
use crate::network::{ByteFaults, Cables, Home, SERVER, SimNetwork, now};
use crate::plan::Plan;
use crate::store::{Cheat, Crash, Disk, Shelf};
use gearman_net::Clock;
use gearman_protocol::{Time, UnixMillis};
use pausable::Pausable;
use std::time::{Duration, UNIX_EPOCH};
use turmoil::Sim;

/// How long everybody must have been at rest before a run is over.
const REST: Duration = Duration::from_millis(600);

/// Runs a plan to its end.
#[must_use]
pub fn run(plan: &Plan, options: Options) -> Run {
    let Options { history, watcher, doors, cheat } = options;
    let cables = Cables::new(byte_faults(plan), Journal::new(history, plan.lives(), watcher));
    let mut house = House::new(plan, &cables, doors, cheat);
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
    let (history, tally, mut lives) = cables.lock().journal().take();
    if stuck.is_none() {
        lives.settle_all();
    }
    let ends = lives.ends().clone();
    Run { history, tally, faults: storm.into_happened(), ends, lasted, stuck }
}

fn byte_faults(plan: &Plan) -> ByteFaults {
    ByteFaults {
        seed: plan.seed,
        tick: plan.world.tick(),
        window: plan.world.window as usize,
        per_mille: plan.world.per_mille.clone(),
    }
}

/// The hosts, and who lives there.
struct House<'a> {
    plan: &'a Plan,
    sim: Sim<'a>,
    cables: Cables,
    roles: Vec<Role>,
    up: Vec<bool>,
    shelf: Shelf,
}

impl<'a> House<'a> {
    fn new(plan: &'a Plan, cables: &Cables, doors: MakeDoors<'a>, cheat: Option<Cheat>) -> Self {
        let roles = cast(&plan.workload, plan.seed);
        let mut sim = build(plan);
        let epoch_ms = plan.world.epoch_ms;
        let shelf = Shelf::new(Disk::new(plan.seed, plan.world.per_mille.clone(), cheat), cables.clone());
        let (shared, disk) = (cables.clone(), shelf.clone());
        sim.host(name(plan, SERVER), move || {
            let doors = Pausable::new(doors(), shared.clone());
            serve(shared.clone(), doors, epoch_ms, disk.clone())
        });
        for (number, host) in (1..).zip(&plan.hosts) {
            let lodgers = host.actors.iter().map(|&actor| (Actor::new(actor), roles[actor as usize].clone()));
            let lodgers: Vec<(Actor, Role)> = lodgers.collect();
            let shared = cables.clone();
            sim.host(name(plan, number), move || live(shared.clone(), number, lodgers.clone()));
            let latency = Duration::from_millis(host.latency_ms.into());
            sim.set_link_latency(name(plan, SERVER), name(plan, number), latency);
        }
        let up = vec![true; plan.hosts.len() + 1];
        Self { plan, sim, cables: cables.clone(), roles, up, shelf }
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
        self.sim.crash(name(self.plan, host));
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
        if host == SERVER {
            self.shelf.crash(Crash::Process);
        }
    }

    fn go_dark(&mut self) {
        self.kill(SERVER);
        self.cables.lock().went_dark();
        self.cables.lock().died(SERVER);
        self.shelf.crash(Crash::Power);
    }

    fn stored(&self) -> u64 {
        self.shelf.disk().asked()
    }

    fn restart(&mut self, host: usize) {
        self.up[host] = true;
        if host == SERVER {
            self.cables.lock().has_power();
        }
        self.sim.bounce(name(self.plan, host));
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

fn name(plan: &Plan, host: usize) -> &str {
    host.checked_sub(1).map_or("server", |index| &plan.hosts[index].name)
}

async fn serve(cables: Cables, doors: Pausable, epoch_ms: i64, shelf: Shelf) -> turmoil::Result {
    // The server dials nobody.
    let network = SimNetwork::new(cables.clone(), Home { host: SERVER, actor: Actor::new(u32::MAX) });
    let config = gearman_server::Config::at("0.0.0.0:4730");
    let (clock, kept) = (SimClock { epoch_ms }, shelf.disk().read());
    let server = gearman_server::serve_with_store(&network, clock, doors, config, shelf, kept).await?;
    {
        let mut state = cables.lock();
        state.server_is_up();
        state.journal().server_up(now());
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
#[derive(Clone, Copy)]
struct SimClock {
    epoch_ms: i64,
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        now()
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis::new(self.epoch_ms.saturating_add_unsigned(now().as_millis()))
    }
}
