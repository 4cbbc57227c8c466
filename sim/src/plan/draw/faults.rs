//! How a seed's faults are drawn.

use super::{NOBODY, small};
use crate::chance::{Chance, rng};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, Lanes, Last, Outcome, Reception, When, Whom};
use crate::lives::Stretch;
use crate::plan::{Host, Mix};
use crate::workload::{ActorKind, ActorPlan, Knobs, Op, Step, Workload};

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
        let Some(row) = SCHEDULED.iter().find(|row| row.class == class) else { return Vec::new() };
        let mut chance = rng(self.seed, NOBODY, class.name(), 1);
        let has_some = self.mix.grants(chance.odds(row.on.0, row.on.1));
        let count = if has_some { chance.between(1..=row.most) } else { 0 };
        (0..count).filter_map(|number| self.fault(row, number)).collect()
    }

    fn fault(&self, row: &Scheduled, number: u64) -> Option<Fault> {
        let mut chance = rng(self.seed, number, row.class.name(), 2);
        let when = self.when(row, &mut chance);
        let deed = (row.deed)(self, when, &mut chance)?;
        Some(Fault { when, deed })
    }

    /// Half of the faults wait for a job to come to some stretch of its life, because chance seldom meets the
    /// short ones.
    fn when(&self, row: &Scheduled, chance: &mut Chance) -> When {
        let strikes_the_store = matches!(row.class, FaultClass::ServerCrash | FaultClass::ServerPowerLoss);
        if strikes_the_store && self.server.store && chance.clone().and("store").odds(2, 3) {
            return When::Storing { nth: small(chance.between(1..=40)) };
        }
        if row.waits_for.is_empty() || chance.odds(1, 2) {
            let last = u64::from(self.workload.storm_ms).saturating_sub(CALM_MS).max(CALM_MS);
            return When::At(small(chance.between(CALM_MS..=last)));
        }
        When::Reached { stretch: *chance.pick(row.waits_for), nth: small(chance.between(1..=30)) }
    }

    fn dribble(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        let lanes = *chance.pick(&[Lanes::Both, Lanes::ToServer, Lanes::FromServer]);
        let (bytes, for_ms) = (small(chance.by_magnitude(2..=32)), small(chance.between(100..=700)));
        Some(Deed::Dribble { whom, lanes, bytes, for_ms })
    }

    fn slow_reader(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        let (bytes, window) = (small(chance.by_magnitude(8..=200)), small(chance.by_magnitude(16..=600)));
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

    /// A server that is told of it late, within a second, is still told long before the storm is over.
    fn clock_step(&self, chance: &mut Chance) -> Option<Deed> {
        let waits = |step: &Step| matches!(&step.op, Op::Submit(submit) if submit.epoch_s.is_some());
        let is_any = self.workload.actors.iter().flat_map(|actor| &actor.steps).any(waits);
        let (forwards, by_ms) = (chance.odds(1, 2), i32::try_from(chance.between(100..=1800)).ok()?);
        is_any.then_some(Deed::ClockStep { by_ms: if forwards { by_ms } else { -by_ms } })
    }

    fn host_of_kind(&self, chance: &mut Chance, fits: impl Fn(&Host) -> bool) -> Option<u32> {
        let numbers = self.numbers(fits);
        (!numbers.is_empty()).then(|| *chance.pick(&numbers))
    }

    fn numbers(&self, fits: impl Fn(&Host) -> bool) -> Vec<u32> {
        (1..).zip(self.hosts).filter(|(_, host)| fits(host)).map(|(number, _)| number).collect()
    }

    fn half_open(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        let whom = self.whom(when, chance, |_| true)?;
        Some(Deed::HalfOpen { whom, for_ms: small(chance.between(50..=1200)) })
    }

    fn workers(&self, chance: &mut Chance) -> Option<u32> {
        self.host_of_kind(chance, |host| host.name.starts_with("workers"))
    }

    fn leave(&self, when: When, chance: &mut Chance) -> Option<Deed> {
        Some(Deed::Leave { whom: self.whom(when, chance, |actor| actor.worker.is_none())? })
    }

    fn impatience(&self, chance: &mut Chance) -> Option<Deed> {
        let library = |actor: &ActorPlan| actor.kind == ActorKind::Library && actor.worker.is_none();
        Some(Deed::Impatience {
            actor: self.actor(chance, library)?,
            within_ms: small(chance.between(1..=60)),
        })
    }
}

/// How faults of a class are drawn that a plan says when to do.
struct Scheduled {
    class: FaultClass,
    /// In so many of so many seeds there are some.
    on: (u64, u64),
    /// How many there are then at most.
    most: u64,
    /// Half of them wait for a job to come to one of these.
    waits_for: &'static [Stretch],
    deed: fn(&Faults<'_>, When, &mut Chance) -> Option<Deed>,
}

const fn scheduled(
    class: FaultClass,
    on: (u64, u64),
    most: u64,
    waits_for: &'static [Stretch],
    deed: fn(&Faults<'_>, When, &mut Chance) -> Option<Deed>,
) -> Scheduled {
    Scheduled { class, on, most, waits_for, deed }
}

const ANY: &[Stretch] = &Stretch::ALL;
const IN_HAND: &[Stretch] = ANY.split_at(2).1;
const NOT_IN_HAND: &[Stretch] = ANY.split_at(2).0;

/// The classes that are not in it happen at a rate, or are habits.
const SCHEDULED: [Scheduled; 23] = [
    scheduled(FaultClass::Dribble, (1, 3), 2, ANY, |of, when, chance| of.dribble(when, chance)),
    scheduled(FaultClass::SlowReader, (1, 3), 2, ANY, |of, when, chance| of.slow_reader(when, chance)),
    scheduled(FaultClass::StallHeal, (4, 5), 4, ANY, |of, when, chance| {
        of.stall(when, chance, Outcome::Heals)
    }),
    scheduled(FaultClass::StallReset, (4, 5), 3, ANY, |of, when, chance| {
        of.stall(when, chance, Outcome::Breaks)
    }),
    scheduled(FaultClass::HalfOpen, (2, 5), 2, ANY, |of, when, chance| of.half_open(when, chance)),
    scheduled(FaultClass::ResetMidPacket, (2, 5), 2, ANY, |of, when, chance| {
        of.cut(when, chance, Last::Reset)
    }),
    scheduled(FaultClass::FinMidPacket, (2, 5), 2, ANY, |of, when, chance| of.cut(when, chance, Last::Fin)),
    scheduled(FaultClass::ConnectRefused, (1, 3), 2, ANY, |of, when, chance| {
        of.door(when, chance, Reception::Refuses)
    }),
    scheduled(FaultClass::ConnectHang, (1, 3), 2, ANY, |of, when, chance| {
        of.door(when, chance, Reception::Hangs)
    }),
    scheduled(FaultClass::AcceptClose, (1, 3), 2, ANY, |of, when, chance| {
        of.door(when, chance, Reception::Closes)
    }),
    scheduled(FaultClass::ReconnectStorm, (1, 4), 1, ANY, |of, _, chance| {
        let hosts = of.numbers(|host| host.name != "core");
        Some(Deed::ReconnectStorm { hosts, for_ms: small(chance.between(50..=500)) })
    }),
    scheduled(FaultClass::Partition, (3, 4), 2, IN_HAND, |of, _, chance| of.partition(chance, Lanes::Both)),
    scheduled(FaultClass::PartitionOneWay, (3, 4), 2, IN_HAND, |of, _, chance| {
        let lanes = *chance.pick(&[Lanes::ToServer, Lanes::FromServer]);
        of.partition(chance, lanes)
    }),
    scheduled(FaultClass::ServerCrash, (2, 3), 1, ANY, |of, _, chance| {
        let server = of.server_of(chance);
        Some(Deed::ServerCrash { server, down_ms: small(chance.between(30..=800)) })
    }),
    scheduled(FaultClass::ServerPowerLoss, (5, 6), 1, ANY, |of, _, chance| {
        let server = of.server_of(chance);
        Some(Deed::ServerPowerLoss { server, down_ms: small(chance.between(30..=800)) })
    }),
    scheduled(FaultClass::ServerDrain, (1, 2), 1, ANY, |of, _, chance| {
        let server = of.server_of(chance);
        Some(Deed::ServerDrain { server, down_ms: small(chance.between(30..=500)) })
    }),
    scheduled(FaultClass::ServerPause, (1, 3), 1, ANY, |of, _, chance| {
        let server = of.server_of(chance);
        Some(Deed::ServerPause { server, for_ms: small(chance.between(30..=700)) })
    }),
    scheduled(FaultClass::WorkerCrash, (3, 4), 2, IN_HAND, |of, _, chance| {
        Some(Deed::WorkerCrash { host: of.workers(chance)?, down_ms: small(chance.between(30..=1000)) })
    }),
    scheduled(FaultClass::WorkerPause, (1, 3), 2, IN_HAND, |of, _, chance| {
        Some(Deed::WorkerPause { host: of.workers(chance)?, for_ms: small(chance.between(30..=900)) })
    }),
    scheduled(FaultClass::ClientLeave, (4, 5), 3, NOT_IN_HAND, |of, when, chance| of.leave(when, chance)),
    scheduled(FaultClass::JobTimeout, (1, 1), 3, &[], |of, _, chance| of.overrun(chance)),
    scheduled(FaultClass::ClockStep, (5, 6), 2, &[], |of, _, chance| of.clock_step(chance)),
    scheduled(FaultClass::CallTimeout, (1, 1), 3, &[], |of, _, chance| of.impatience(chance)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_scheduled_or_happens_at_a_rate_or_is_a_habit() {
        for &class in FaultClass::ALL {
            let is_scheduled = SCHEDULED.iter().any(|row| row.class == class);
            let is_not = class.has_a_rate() || class == FaultClass::HostileBytes;
            assert_ne!(is_scheduled, is_not, "{class}");
        }
    }
}
