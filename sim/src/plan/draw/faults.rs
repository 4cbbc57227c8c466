//! How a seed's faults are drawn.

use super::{NOBODY, small};
use crate::chance::{Chance, rng};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, Lanes, Last, Outcome, Reception, When, Whom};
use crate::lives::Stretch;
use crate::plan::{Host, Mix};
use crate::workload::{ActorKind, ActorPlan, Knobs, Workload};

/// Before this moment, in milliseconds, actors are still arriving and nothing is worth breaking.
const CALM_MS: u64 = 250;

/// What the drawing of faults needs to know.
pub(super) struct Faults<'a> {
    pub(super) seed: u64,
    pub(super) mix: &'a Mix,
    pub(super) server: &'a Knobs,
    pub(super) workload: &'a Workload,
    pub(super) hosts: &'a [Host],
}

impl Faults<'_> {
    pub(super) fn draw(&self) -> Vec<Fault> {
        let classes = FaultClass::ALL.iter().filter(|&&class| self.mix.has(class));
        classes.flat_map(|&class| self.of_class(class)).collect()
    }

    /// In each seed some classes are missing: where everything happens at once, nothing is seen clearly.
    fn of_class(&self, class: FaultClass) -> Vec<Fault> {
        let Some((on, most)) = how_often(class) else { return Vec::new() };
        let mut chance = rng(self.seed, NOBODY, class.name(), 1);
        let count = if chance.odds(on.0, on.1) { chance.between(1..=most) } else { 0 };
        (0..count).filter_map(|number| self.fault(class, number)).collect()
    }

    fn fault(&self, class: FaultClass, number: u64) -> Option<Fault> {
        let mut chance = rng(self.seed, number, class.name(), 2);
        let when = self.when(class, &mut chance);
        let deed = match class {
            FaultClass::Dribble => self.dribble(when, &mut chance)?,
            FaultClass::SlowReader => self.slow_reader(when, &mut chance)?,
            FaultClass::StallHeal => self.stall(when, &mut chance, Outcome::Heals)?,
            FaultClass::StallReset => self.stall(when, &mut chance, Outcome::Breaks)?,
            FaultClass::HalfOpen => {
                let whom = self.whom(when, &mut chance, |_| true)?;
                Deed::HalfOpen { whom, for_ms: small(chance.between(50..=1200)) }
            }
            FaultClass::ResetMidPacket => self.cut(when, &mut chance, Last::Reset)?,
            FaultClass::FinMidPacket => self.cut(when, &mut chance, Last::Fin)?,
            FaultClass::ConnectRefused => self.door(when, &mut chance, Reception::Refuses)?,
            FaultClass::ConnectHang => self.door(when, &mut chance, Reception::Hangs)?,
            FaultClass::AcceptClose => self.door(when, &mut chance, Reception::Closes)?,
            FaultClass::ReconnectStorm => {
                let hosts = self.numbers(|host| host.name != "core");
                Deed::ReconnectStorm { hosts, for_ms: small(chance.between(50..=500)) }
            }
            FaultClass::Partition => self.partition(&mut chance, Lanes::Both)?,
            FaultClass::PartitionOneWay => {
                let lanes = *chance.pick(&[Lanes::ToServer, Lanes::FromServer]);
                self.partition(&mut chance, lanes)?
            }
            FaultClass::ServerCrash => Deed::ServerCrash {
                server: self.server_of(&chance),
                down_ms: small(chance.between(30..=800)),
            },
            FaultClass::ServerPowerLoss => {
                let server = self.server_of(&chance);
                Deed::ServerPowerLoss { server, down_ms: small(chance.between(30..=800)) }
            }
            FaultClass::ServerPause => {
                Deed::ServerPause { server: self.server_of(&chance), for_ms: small(chance.between(30..=700)) }
            }
            FaultClass::WorkerCrash => {
                let host = self.host_of_kind(&mut chance, |host| host.name.starts_with("workers"))?;
                Deed::WorkerCrash { host, down_ms: small(chance.between(30..=1000)) }
            }
            FaultClass::WorkerPause => {
                let host = self.host_of_kind(&mut chance, |host| host.name.starts_with("workers"))?;
                Deed::WorkerPause { host, for_ms: small(chance.between(30..=900)) }
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
            | FaultClass::Delay
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
        let stretches = stretches(class);
        if stretches.is_empty() || chance.odds(1, 2) {
            let last = u64::from(self.workload.storm_ms).saturating_sub(CALM_MS).max(CALM_MS);
            return When::At(small(chance.between(CALM_MS..=last)));
        }
        When::Reached { stretch: *chance.pick(stretches), nth: small(chance.between(1..=30)) }
    }

    fn dribble(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        let lanes = *chance.pick(&[Lanes::Both, Lanes::ToServer, Lanes::FromServer]);
        let (bytes, for_ms) = (small(chance.between(2..=32)), small(chance.between(100..=700)));
        Some(Deed::Dribble { whom, lanes, bytes, for_ms })
    }

    fn slow_reader(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        let (bytes, window) = (small(chance.between(8..=200)), small(chance.between(16..=600)));
        let (every, for_ms) = (small(chance.between(2..=8)), small(chance.between(200..=800)));
        Some(Deed::SlowReader { whom, bytes, every, window, for_ms })
    }

    fn cut(&self, when: When, chance: &mut Chance, last: Last) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        Some(Deed::Cut { whom, lanes: *chance.pick(&[Lanes::ToServer, Lanes::FromServer]), last })
    }

    fn door(&self, when: When, chance: &mut Chance, reception: Reception) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        Some(Deed::Door { whom, reception, for_ms: small(chance.between(50..=800)) })
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
        let server = self.server_of(chance);
        let is_one = self.workload.servers > 1 && chance.clone().and("one").odds(2, 3);
        let server = is_one.then_some(server);
        (!hosts.is_empty()).then_some(Deed::Partition { hosts, server, lanes, for_ms, then })
    }

    /// One of the servers.
    fn server_of(&self, chance: &Chance) -> u8 {
        let number = chance.clone().and("server").below(self.workload.servers.into());
        u8::try_from(number).expect("there are few servers")
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

/// In how many of how many seeds faults of a class are on, and how many of it there are then at most; nothing for
/// those that are habits or happen at a rate.
const fn how_often(class: FaultClass) -> Option<((u64, u64), u64)> {
    match class {
        FaultClass::StallHeal => Some(((4, 5), 4)),
        FaultClass::StallReset | FaultClass::ClientLeave => Some(((4, 5), 3)),
        FaultClass::JobTimeout | FaultClass::CallTimeout => Some(((1, 1), 3)),
        FaultClass::Partition | FaultClass::PartitionOneWay | FaultClass::WorkerCrash => Some(((3, 4), 2)),
        FaultClass::HalfOpen | FaultClass::ResetMidPacket | FaultClass::FinMidPacket => Some(((2, 5), 2)),
        FaultClass::Dribble
        | FaultClass::SlowReader
        | FaultClass::ConnectRefused
        | FaultClass::ConnectHang
        | FaultClass::AcceptClose
        | FaultClass::WorkerPause => Some(((1, 3), 2)),
        FaultClass::ServerCrash | FaultClass::ServerPause => Some(((1, 3), 1)),
        FaultClass::ReconnectStorm => Some(((1, 4), 1)),
        FaultClass::ServerPowerLoss => Some(((1, 2), 1)),
        FaultClass::ShortRead
        | FaultClass::SplitWrite
        | FaultClass::MergeWrite
        | FaultClass::Delay
        | FaultClass::StoreSlow
        | FaultClass::StoreFail
        | FaultClass::StoreReorder
        | FaultClass::StoreLost
        | FaultClass::StoreTorn
        | FaultClass::HostileBytes => None,
    }
}

/// The stretches of a job's life for which faults of a class wait.
fn stretches(class: FaultClass) -> &'static [Stretch] {
    match class {
        FaultClass::ClientLeave => &[Stretch::Submitted, Stretch::Waiting],
        FaultClass::Partition
        | FaultClass::PartitionOneWay
        | FaultClass::WorkerCrash
        | FaultClass::WorkerPause => &Stretch::ALL[2..],
        FaultClass::Dribble
        | FaultClass::SlowReader
        | FaultClass::StallHeal
        | FaultClass::StallReset
        | FaultClass::HalfOpen
        | FaultClass::ResetMidPacket
        | FaultClass::FinMidPacket
        | FaultClass::ConnectRefused
        | FaultClass::ConnectHang
        | FaultClass::AcceptClose
        | FaultClass::ReconnectStorm
        | FaultClass::ServerPause
        | FaultClass::ServerCrash
        | FaultClass::ServerPowerLoss => &Stretch::ALL,
        FaultClass::JobTimeout
        | FaultClass::CallTimeout
        | FaultClass::ShortRead
        | FaultClass::SplitWrite
        | FaultClass::MergeWrite
        | FaultClass::Delay
        | FaultClass::StoreSlow
        | FaultClass::StoreFail
        | FaultClass::StoreReorder
        | FaultClass::StoreLost
        | FaultClass::StoreTorn
        | FaultClass::HostileBytes => &[],
    }
}
