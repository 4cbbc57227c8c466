//! How a seed becomes a plan.
//!
//! Every draw is keyed by what it is for, and each class of faults has draws of its own: leaving a class out leaves
//! all else as it was.

use super::{Host, Mix, Plan, VERSION, World};
use crate::chance::{Chance, rng};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, Lanes, Outcome, When, Whom};
use crate::lives::Stretch;
use crate::workload::{ActorKind, ActorPlan, Knobs, Workload};

/// The key of draws that belong to no actor.
const NOBODY: u64 = u64::MAX;
/// What the wall clock says when a run begins: 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;
/// Before this moment, in milliseconds, actors are still arriving and nothing is worth breaking.
const CALM_MS: u64 = 250;

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, mix: &Mix) -> Self {
        let mut workload = Workload::draw(seed);
        mix.tame(&mut workload);
        let (world, server) = (world(seed, mix), Knobs::draw(seed));
        let hosts = hosts(seed, &workload.actors, world.tick_ms);
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
        (FaultClass::StoreSlow, 20..=150),
        (FaultClass::StoreFail, 50..=300),
        (FaultClass::StoreReorder, 50..=500),
        (FaultClass::StoreLost, 700..=1000),
        (FaultClass::StoreTorn, 700..=1000),
    ];
    let per_mille = rates.into_iter().filter_map(|(class, range)| {
        let mut chance = rng(seed, NOBODY, class.name(), 0);
        let rate = small(chance.between(range));
        (chance.odds(2, 3) && mix.has(class)).then_some((class, rate))
    });
    World { tick_ms, window, epoch_ms: EPOCH_MS, per_mille: per_mille.collect() }
}

/// The core lives on a host of its own, workers and the others on two or three hosts each.
fn hosts(seed: u64, actors: &[ActorPlan], tick_ms: u32) -> Vec<Host> {
    let mut chance = rng(seed, NOBODY, "hosts", 0);
    let mut latency = || small(chance.between(1..=3 * u64::from(tick_ms)));
    let mut hosts = vec![Host { name: "core".to_owned(), latency_ms: latency(), actors: Vec::new() }];
    for role in ["workers", "clients"] {
        for number in 1..=rng(seed, NOBODY, role, 0).between(2..=3) {
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

/// What the drawing of faults needs to know.
struct Faults<'a> {
    seed: u64,
    mix: &'a Mix,
    server: &'a Knobs,
    workload: &'a Workload,
    hosts: &'a [Host],
}

impl Faults<'_> {
    fn draw(&self) -> Vec<Fault> {
        let classes = FaultClass::ALL.iter().filter(|&&class| self.mix.has(class));
        classes.flat_map(|&class| self.of_class(class)).collect()
    }

    /// In each seed some classes are missing: where everything happens at once, nothing is seen clearly.
    fn of_class(&self, class: FaultClass) -> Vec<Fault> {
        let (on, most) = match class {
            FaultClass::StallHeal => ((4, 5), 4),
            FaultClass::StallReset | FaultClass::ClientLeave => ((4, 5), 3),
            FaultClass::JobTimeout | FaultClass::CallTimeout => ((1, 1), 3),
            FaultClass::Partition | FaultClass::PartitionOneWay | FaultClass::WorkerCrash => ((3, 4), 2),
            FaultClass::ServerCrash => ((1, 3), 1),
            FaultClass::ServerPowerLoss => ((1, 2), 1),
            FaultClass::ShortRead
            | FaultClass::SplitWrite
            | FaultClass::MergeWrite
            | FaultClass::StoreSlow
            | FaultClass::StoreFail
            | FaultClass::StoreReorder
            | FaultClass::StoreLost
            | FaultClass::StoreTorn
            | FaultClass::HostileBytes => return Vec::new(),
        };
        let mut chance = rng(self.seed, NOBODY, class.name(), 1);
        let count = if chance.odds(on.0, on.1) { chance.between(1..=most) } else { 0 };
        (0..count).filter_map(|number| self.fault(class, number)).collect()
    }

    fn fault(&self, class: FaultClass, number: u64) -> Option<Fault> {
        let mut chance = rng(self.seed, number, class.name(), 2);
        let when = self.when(class, &mut chance);
        let deed = match class {
            FaultClass::StallHeal => self.stall(when, &mut chance, Outcome::Heals)?,
            FaultClass::StallReset => self.stall(when, &mut chance, Outcome::Breaks)?,
            FaultClass::Partition => self.partition(&mut chance, Lanes::Both)?,
            FaultClass::PartitionOneWay => {
                let lanes = *chance.pick(&[Lanes::ToServer, Lanes::FromServer]);
                self.partition(&mut chance, lanes)?
            }
            FaultClass::ServerCrash => Deed::ServerCrash { down_ms: small(chance.between(30..=800)) },
            FaultClass::ServerPowerLoss => Deed::ServerPowerLoss { down_ms: small(chance.between(30..=800)) },
            FaultClass::WorkerCrash => {
                let host = self.host_of_kind(&mut chance, |host| host.name.starts_with("workers"))?;
                Deed::WorkerCrash { host, down_ms: small(chance.between(30..=1000)) }
            }
            FaultClass::ClientLeave => {
                Deed::Leave { whom: self.whom(when, &mut chance, |actor| actor.worker.is_none())? }
            }
            FaultClass::JobTimeout => self.overrun(&mut chance)?,
            FaultClass::CallTimeout => {
                let library = |actor: &ActorPlan| actor.kind == ActorKind::Library && actor.worker.is_none();
                Deed::Impatience {
                    actor: self.actor(&mut chance, library)?,
                    within_ms: small(chance.between(1..=60)),
                }
            }
            FaultClass::ShortRead
            | FaultClass::SplitWrite
            | FaultClass::MergeWrite
            | FaultClass::StoreSlow
            | FaultClass::StoreFail
            | FaultClass::StoreReorder
            | FaultClass::StoreLost
            | FaultClass::StoreTorn
            | FaultClass::HostileBytes => return None,
        };
        Some(Fault { when, deed })
    }

    /// Half of the faults wait for a job to come to some stretch of its life, because chance seldom meets the
    /// short ones.
    fn when(&self, class: FaultClass, chance: &mut Chance) -> When {
        let strikes_the_store = matches!(class, FaultClass::ServerCrash | FaultClass::ServerPowerLoss);
        if strikes_the_store && self.server.store && chance.clone().and("store").odds(2, 3) {
            return When::Storing { nth: small(chance.between(1..=40)) };
        }
        let stretches: &[Stretch] = match class {
            FaultClass::ClientLeave => &[Stretch::Submitted, Stretch::Waiting],
            FaultClass::StallHeal
            | FaultClass::StallReset
            | FaultClass::ServerCrash
            | FaultClass::ServerPowerLoss => &Stretch::ALL,
            FaultClass::Partition | FaultClass::PartitionOneWay | FaultClass::WorkerCrash => {
                &Stretch::ALL[2..]
            }
            FaultClass::ShortRead
            | FaultClass::SplitWrite
            | FaultClass::MergeWrite
            | FaultClass::StoreSlow
            | FaultClass::StoreFail
            | FaultClass::StoreReorder
            | FaultClass::StoreLost
            | FaultClass::StoreTorn
            | FaultClass::JobTimeout
            | FaultClass::CallTimeout
            | FaultClass::HostileBytes => &[],
        };
        if stretches.is_empty() || chance.odds(1, 2) {
            let last = u64::from(self.workload.storm_ms).saturating_sub(CALM_MS).max(CALM_MS);
            return When::At(small(chance.between(CALM_MS..=last)));
        }
        When::Reached { stretch: *chance.pick(stretches), nth: small(chance.between(1..=30)) }
    }

    fn stall(&self, when: When, chance: &mut Chance, then: Outcome) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        let lanes = *chance.pick(&[Lanes::Both, Lanes::ToServer, Lanes::FromServer]);
        let most = *chance.weighted(&[(2, 100), (2, 500), (1, 1500)]);
        Some(Deed::Stall { whom, lanes, for_ms: small(chance.between(10..=most)), then })
    }

    fn partition(&self, chance: &mut Chance, lanes: Lanes) -> Option<Deed> {
        let mut hosts = self.numbers(|host| host.name != "core");
        chance.shuffle(&mut hosts);
        hosts.truncate(chance.index(hosts.len()).max(1));
        hosts.sort_unstable();
        let then = *chance.pick(&[Outcome::Heals, Outcome::Breaks]);
        let for_ms = small(chance.between(20..=900));
        (!hosts.is_empty()).then_some(Deed::Partition { hosts, lanes, for_ms, then })
    }

    fn overrun(&self, chance: &mut Chance) -> Option<Deed> {
        let limit = |actor: &ActorPlan| {
            let abilities = actor.worker.iter().flat_map(|worker| &worker.abilities);
            abilities.filter_map(|ability| ability.timeout_ms).max()
        };
        let actor = self.actor(chance, |actor| limit(actor).is_some())?;
        let limit = limit(&self.workload.actors[actor as usize])?;
        Some(Deed::Overrun { actor, takes_ms: limit + small(chance.between(50..=500)) })
    }

    fn whom(&self, when: When, chance: &mut Chance, fits: impl Fn(&ActorPlan) -> bool) -> Option<Whom> {
        match when {
            When::Reached { .. } => Some(Whom::Mover),
            When::At(_) | When::Storing { .. } => self.actor(chance, fits).map(Whom::Actor),
        }
    }

    fn actor(&self, chance: &mut Chance, fits: impl Fn(&ActorPlan) -> bool) -> Option<u32> {
        let actors = (0..).zip(&self.workload.actors);
        let fitting: Vec<u32> =
            actors.filter(|(_, actor)| !actor.core && fits(actor)).map(|(index, _)| index).collect();
        (!fitting.is_empty()).then(|| *chance.pick(&fitting))
    }

    fn host_of_kind(&self, chance: &mut Chance, fits: impl Fn(&Host) -> bool) -> Option<u32> {
        let numbers = self.numbers(fits);
        (!numbers.is_empty()).then(|| *chance.pick(&numbers))
    }

    fn numbers(&self, fits: impl Fn(&Host) -> bool) -> Vec<u32> {
        (1..).zip(self.hosts).filter(|(_, host)| fits(host)).map(|(number, _)| number).collect()
    }
}

/// Draws stay far below 2^32.
fn small(number: u64) -> u32 {
    u32::try_from(number).expect("the drawn range ends below 2^32")
}
