//! turmoil's hosts and who lives there: what the stages have in common on which peers have hosts and a network.
//!
//! turmoil is stepped by hand: between two steps nothing runs, so that is where faults happen.

use super::Stuck;
use crate::actors::Role;
use crate::ambient;
use crate::history::{Actor, ServerId};
use crate::network::{ByteFaults, Cables, Home, Servers, SimNetwork};
use crate::plan::Plan;
use crate::workload::ActorPlan;
use gearman_protocol::Time;
use std::time::{Duration, UNIX_EPOCH};
use turmoil::Sim;

/// How long everybody must have been at rest before a run is over.
pub(super) const REST: Duration = Duration::from_millis(600);

/// The faults of single reads and writes that a plan has.
pub(super) fn byte_faults(plan: &Plan) -> ByteFaults {
    ByteFaults {
        seed: plan.seed,
        tick: plan.world.tick(),
        window: plan.world.window as usize,
        per_mille: plan.world.per_mille.clone(),
    }
}

/// Where the servers of a plan live, and who knows which.
pub(super) fn servers(plan: &Plan) -> Servers {
    let hosts = (0..plan.workload.servers).map(|server| plan.host_of(ServerId::new(server))).collect();
    let list = |actor: &ActorPlan| {
        let known = actor.servers.iter().copied().map(ServerId::new).collect();
        (known, actor.roams)
    };
    Servers::new(hosts, plan.workload.actors.iter().map(list).collect())
}

/// The hosts, and who lives there.
pub(super) struct House<'a> {
    pub(super) plan: &'a Plan,
    sim: Sim<'a>,
    pub(super) cables: Cables,
    roles: Vec<Role>,
    up: Vec<bool>,
}

impl<'a> House<'a> {
    /// The hosts of a plan; `move_in` makes those of the servers, by number.
    pub(super) fn new(
        plan: &'a Plan,
        cables: &Cables,
        roles: Vec<Role>,
        mut move_in: impl FnMut(&mut Sim<'a>, ServerId, usize),
    ) -> Self {
        let mut sim = build(plan);
        let servers = || (0..plan.workload.servers).map(ServerId::new);
        servers().for_each(|id| move_in(&mut sim, id, plan.host_of(id)));
        for (number, host) in (1..).zip(&plan.hosts) {
            let lodgers = host.actors.iter().map(|&actor| (Actor::new(actor), roles[actor as usize].clone()));
            let lodgers: Vec<(Actor, Role)> = lodgers.collect();
            let shared = cables.clone();
            sim.host(&*host.name, move || live(shared.clone(), number, lodgers.clone()));
            let latency = Duration::from_millis(host.latency_ms.into());
            for id in servers() {
                sim.set_link_latency(id.to_string(), &*host.name, latency);
            }
        }
        let up = vec![true; 1 + plan.hosts.len() + usize::from(plan.workload.servers)];
        Self { plan, sim, cables: cables.clone(), roles, up }
    }

    pub(super) fn now(&self) -> Time {
        Time::ZERO + self.sim.elapsed()
    }

    pub(super) fn step(&mut self) {
        // Panics come out here as panics; there is nothing else that a step could fail with.
        ambient::watching_the_wall_clock(|| self.sim.step()).expect("hosts never end");
    }

    /// The storm is over: everybody is told.
    pub(super) fn storm_over(&self) {
        self.cables.lock().journal().storm_over(self.now());
        self.roles.iter().for_each(Role::storm_over);
    }

    pub(super) fn is_up(&self, host: usize) -> bool {
        self.up[host]
    }

    /// Kills the programs of a host.
    pub(super) fn kill(&mut self, host: usize) {
        self.up[host] = false;
        self.cables.lock().dies(self.now(), host);
        self.sim.crash(self.name(host));
    }

    /// Starts them again.
    pub(super) fn restart(&mut self, host: usize) {
        self.up[host] = true;
        self.sim.bounce(self.name(host));
    }

    /// Which server lives on this host, if one does.
    pub(super) fn server_at(&self, host: usize) -> Option<ServerId> {
        self.cables.lock().server_at(host)
    }

    /// Who is not at rest, and which jobs wait for whom.
    pub(super) fn stuck(&self, since: Time) -> Stuck {
        let mut who: Vec<String> = self.restless().map(|index| format!("a{index} is not at rest")).collect();
        who.extend(self.cables.lock().journal().lives().waits());
        Stuck { waited_ms: u64::try_from((self.now() - since).as_millis()).unwrap_or(u64::MAX), who }
    }

    /// Those of the core that have something left to do.
    pub(super) fn restless(&self) -> impl Iterator<Item = usize> + '_ {
        let actors = self.plan.workload.actors.iter().zip(&self.roles).enumerate();
        actors.filter(|(_, (actor, role))| actor.core && !role.is_at_rest()).map(|(index, _)| index)
    }

    /// Whether a server has still to learn that somebody has left who is not of the core.
    pub(super) fn hears_of_visitors(&self) -> bool {
        self.cables.lock().may_hear_of(|actor| !self.plan.workload.actors[actor.index()].core)
    }

    fn name(&self, host: usize) -> String {
        match self.server_at(host) {
            Some(server) => server.to_string(),
            None => self.plan.hosts[host - 1].name.clone(),
        }
    }

    pub(super) fn role(&self, actor: u32) -> &Role {
        &self.roles[actor as usize]
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

/// A host that ends is not stepped any more and its sockets stay open, so it never ends.
async fn live(cables: Cables, host: usize, lodgers: Vec<(Actor, Role)>) -> turmoil::Result {
    for (actor, role) in lodgers {
        let network = SimNetwork::new(cables.clone(), Home { host, actor });
        tokio::task::spawn_local(cables.clone().on(host, role.play(network)));
    }
    std::future::pending().await
}
