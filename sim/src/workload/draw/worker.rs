//! Workers: what each can do, how it works, and when it fails to.

use super::{Drawing, small, tiny};
use crate::chance::Chance;
use crate::workload::{
    Ability, Act, ActEnd, ActorKind, ActorPlan, GrabForm, Nap, Op, Progress, Step, TimedReport, Wake,
    WorkerPlan,
};

impl Drawing {
    /// It can do everything and does it well, so that every job ends in the end. In three plans of four it asks even when
    /// nobody wakes it, and so shows when a job could be had; in the others a server that wakes nobody is stuck.
    pub(super) fn core_worker(&self, actor: u64) -> ActorPlan {
        let mut chance = self.rng(actor, "workload.core", 0);
        let mut functions: Vec<u8> = (0..tiny(self.functions)).collect();
        chance.shuffle(&mut functions);
        let abilities =
            functions.into_iter().map(|function| Ability { function, timeout_ms: None }).collect();
        let asks_by_itself = self.rng(0, "workload.core.asks", 0).odds(3, 4);
        let grab_ms = Some(small(chance.between(250..=450))).filter(|_| asks_by_itself);
        let echo_ms = chance.odds(1, 2).then(|| small(chance.between(20..=120)));
        let worker = WorkerPlan {
            abilities,
            grab: grab(&mut chance),
            capacity: 1,
            acts: (0..12).map(|number| self.honest_act(actor, number)).collect(),
            naps: vec![Nap::Sleep { echo_ms, grab_ms }],
            wakes: vec![Wake::Grab],
        };
        let starts_ms = small(chance.between(0..=1200));
        ActorPlan {
            kind: ActorKind::Raw,
            core: true,
            servers: vec![0],
            roams: false,
            starts_ms,
            worker: Some(worker),
            steps: Vec::new(),
        }
    }

    pub(super) fn worker(&self, actor: u64) -> ActorPlan {
        let kind = self.kind(actor);
        let raw = kind == ActorKind::Raw;
        let mut chance = self.rng(actor, "workload.worker", 0);
        let count = chance.between(1..=self.functions);
        let mut functions: Vec<u8> = (0..tiny(self.functions)).collect();
        chance.shuffle(&mut functions);
        functions.truncate(usize::from(tiny(count)));
        let timed = self.timeouts && chance.odds(2, 3);
        let mut ability = |function| {
            let timeout_ms = (timed && chance.odds(3, 4)).then(|| small(chance.between(60..=500)));
            Ability { function, timeout_ms }
        };
        let abilities = functions.into_iter().map(&mut ability).collect();
        let acts = (0..16).map(|number| self.act(actor, number, raw, timed)).collect();
        let naps = (0..4).map(|number| self.nap(actor, number, raw)).collect();
        let wakes = (0..4).map(|number| self.wake(actor, number, raw)).collect();
        let capacity = if raw { *chance.weighted(&[(4, 1), (2, 2), (1, 3)]) } else { 1 };
        let worker = WorkerPlan { abilities, grab: grab(&mut chance), capacity, acts, naps, wakes };
        let steps = if raw { self.workers_steps(actor) } else { Vec::new() };
        let starts_ms = small(chance.between(0..=1500));
        ActorPlan {
            kind,
            core: false,
            servers: vec![0],
            roams: false,
            starts_ms,
            worker: Some(worker),
            steps,
        }
    }

    fn honest_act(&self, actor: u64, number: u64) -> Act {
        let mut chance = self.rng(actor, "workload.act", number);
        let reports = self.reports(&mut chance);
        let size = self.size(&mut chance);
        let end =
            *chance.weighted(&[(8, ActEnd::Complete(size)), (1, ActEnd::Fail), (1, ActEnd::Exception(size))]);
        Act { reports, works_ms: small(chance.between(0..=25)), end }
    }

    fn act(&self, actor: u64, number: u64, raw: bool, timed: bool) -> Act {
        let mut act = self.honest_act(actor, number);
        let mut chance = self.rng(actor, "workload.end", number);
        let back = small(chance.between(1..=300));
        let size = self.size(&mut chance);
        if timed && chance.odds(1, 6) {
            // Too long for its limit, before its last word or before its first.
            let too_long = small(chance.between(150..=900));
            match act.reports.first_mut() {
                Some(first) if chance.odds(1, 2) => first.after_ms = too_long,
                Some(_) | None => act.works_ms = too_long,
            }
        }
        if self.deserters && chance.odds(1, 5) {
            let raw_only = u64::from(raw);
            act.end = *chance.weighted(&[
                (4, ActEnd::Vanish(back)),
                (2 * raw_only, ActEnd::HalfClose(back)),
                (3 * raw_only, ActEnd::CantDo(back)),
                (2 * raw_only, ActEnd::Reset(back)),
                (2 * raw_only, ActEnd::CompleteTwice(size)),
                (2 * raw_only, ActEnd::ExceptionThenFail(size)),
                (raw_only * u64::from(timed), ActEnd::Forget),
            ]);
        }
        act
    }

    fn reports(&self, chance: &mut Chance) -> Vec<TimedReport> {
        let count = *chance.weighted(&[(5, 0), (3, 1), (2, 2), (1, 4)]);
        let mut report = || {
            let after_ms = small(chance.between(0..=12));
            let size = self.size(chance);
            let hundredths = tiny(chance.below(100));
            let report = *chance.weighted(&[
                (3, Progress::Data(size)),
                (2, Progress::Status(hundredths)),
                (1, Progress::Warning(size)),
            ]);
            TimedReport { after_ms, report }
        };
        (0..count).map(|_| report()).collect()
    }

    fn nap(&self, actor: u64, number: u64, raw: bool) -> Nap {
        let mut chance = self.rng(actor, "workload.nap", number);
        let echo_ms = (raw && chance.odds(1, 2)).then(|| small(chance.between(10..=120)));
        let grab_ms = (raw && chance.odds(1, 4)).then(|| small(chance.between(100..=800)));
        let poll = Nap::Poll(small(chance.between(10..=200)));
        *chance.weighted(&[(6, Nap::Sleep { echo_ms, grab_ms }), (u64::from(raw), poll)])
    }

    fn wake(&self, actor: u64, number: u64, raw: bool) -> Wake {
        let mut chance = self.rng(actor, "workload.wake", number);
        let dawdle = Wake::Dawdle(small(chance.between(50..=1500)));
        *chance.weighted(&[(5, Wake::Grab), (u64::from(raw), Wake::SleepAgain), (u64::from(raw), dawdle)])
    }

    /// What a raw worker does besides working.
    fn workers_steps(&self, actor: u64) -> Vec<Step> {
        let count = self.rng(actor, "workload.steps", 0).between(0..=4);
        let step = |number| {
            let mut chance = self.rng(actor, "workload.step", number);
            let function = tiny(chance.below(self.functions));
            let ability = Ability { function, timeout_ms: None };
            let back_ms = Some(small(chance.between(1..=500)));
            let ops = [
                (2, Op::CanDo(ability)),
                (1, Op::CantDo(function)),
                (2, Op::Echo(30)),
                (1, Op::SetClientId),
                (1, Op::Exceptions),
                (1, Op::AllYours),
                (u64::from(self.deserters), Op::Leave { back_ms }),
            ];
            let op = chance.weighted(&ops).clone();
            Step { after_ms: small(chance.between(100..=1200)), op }
        };
        (0..count).map(step).collect()
    }
}

fn grab(chance: &mut Chance) -> GrabForm {
    *chance.pick(&[GrabForm::Plain, GrabForm::Uniq, GrabForm::All])
}
