//! How a seed becomes a plan.
//!
//! Every draw is keyed by what it is for, and each class of faults has draws of its own: leaving a class out leaves
//! all else as it was.

mod faults;
mod weather;

use super::{Host, Mix, Plan, VERSION, World};
use crate::chance::rng;
use crate::faults::FaultClass;
use crate::workload::{ActorPlan, Knobs, Workload};
use faults::Faults;
use weather::Weather;

/// The key of draws that belong to no actor.
const NOBODY: u64 = u64::MAX;
/// What the wall clock says when a run begins: 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;

/// Where fewer bytes than this can be on their way, a large message takes longer than all the rest of a plan.
const ROOMY: u32 = 65_536;
/// No submit has more bytes there.
const MOST_AT_A_TIME: u32 = 40_000;

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, mix: &Mix) -> Self {
        let mut workload = if mix.is_uniform() { Workload::uniform(seed) } else { Workload::draw(seed) };
        mix.tame(&mut workload);
        let weather = Weather::draw(seed, mix);
        let mix = &mix.without(|class| !weather.has(class));
        let (world, server) = (world(seed, mix), Knobs::draw(seed, weather.store));
        if world.window < ROOMY {
            workload.limit_sizes(MOST_AT_A_TIME);
        }
        let hosts = hosts(seed, &workload, world.tick_ms);
        let faults = Faults { seed, mix, server: &server, workload: &workload, hosts: &hosts }.draw();
        Self { version: VERSION, seed, world, server, hosts, workload, faults }
    }
}

fn world(seed: u64, mix: &Mix) -> World {
    let mut chance = rng(seed, NOBODY, "world", 0);
    let tick_ms = small(chance.between(5..=20));
    let window = small(*chance.weighted(&[(3, 65_536), (1, 8_192), (1, 2_048)]));
    let rates = [
        (FaultClass::ShortRead, 20..=300),
        (FaultClass::SplitWrite, 20..=150),
        (FaultClass::MergeWrite, 20..=200),
        (FaultClass::Delay, 10..=100),
        (FaultClass::StoreSlow, 20..=150),
        (FaultClass::StoreFail, 50..=300),
        (FaultClass::StoreReorder, 50..=500),
        (FaultClass::StoreLost, 700..=1000),
        (FaultClass::StoreTorn, 700..=1000),
    ];
    let per_mille = rates.into_iter().filter_map(|(class, range)| {
        let mut chance = rng(seed, NOBODY, class.name(), 0);
        let rate = small(chance.by_magnitude(range));
        (mix.grants(chance.odds(3, 4)) && mix.has(class)).then_some((class, rate))
    });
    World { tick_ms, window, epoch_ms: EPOCH_MS, per_mille: per_mille.collect() }
}

/// The core lives on a host of its own, workers and the others on two or three hosts each: two if there are several
/// servers, because turmoil's time grows with the hosts.
fn hosts(seed: u64, workload: &Workload, tick_ms: u32) -> Vec<Host> {
    let (actors, most) = (&workload.actors, if workload.servers > 1 { 2 } else { 3 });
    let mut chance = rng(seed, NOBODY, "hosts", 0);
    let mut latency = || small(chance.between(1..=3 * u64::from(tick_ms)));
    let mut hosts = vec![Host { name: "core".to_owned(), latency_ms: latency(), actors: Vec::new() }];
    for role in ["workers", "clients"] {
        for number in 1..=rng(seed, NOBODY, role, 0).between(2..=3).min(most) {
            let name = format!("{role}-{number}");
            hosts.push(Host { name, latency_ms: latency(), actors: Vec::new() });
        }
    }
    for (index, actor) in (0..).zip(actors) {
        let role = match actor {
            ActorPlan { core: true, .. } => "core",
            ActorPlan { worker: Some(_), .. } => "workers",
            ActorPlan { worker: None, .. } => "clients",
        };
        let mut homes: Vec<&mut Host> = hosts.iter_mut().filter(|host| host.name.starts_with(role)).collect();
        let home = rng(seed, u64::from(index), "home", 0).index(homes.len());
        homes[home].actors.push(index);
    }
    hosts.retain(|host| !host.actors.is_empty());
    hosts
}

/// Draws stay far below 2^32.
fn small(number: u64) -> u32 {
    u32::try_from(number).expect("the drawn range ends below 2^32")
}
