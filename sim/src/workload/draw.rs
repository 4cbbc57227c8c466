//! How a seed becomes a workload.
//!
//! Every draw is keyed by actor, purpose and number, so that a change in one place does not reshuffle the rest.

mod crowd;
mod meeting;
mod worker;

use super::{
    ActorKind, ActorPlan, AdminPlan, Hostile, Knobs, Meddling, Op, PriorityPlan, SOON_S, Scheduling, Step,
    SubmitPlan, Then, UniquePlan, Which, Workload,
};
use crate::chance::{Chance, rng};

/// The key of draws that belong to no actor.
const NOBODY: u64 = u64::MAX;
/// What functions are called.
const NAMES: [&str; 5] = ["reverse", "resize", "mail", "index", "count"];
/// The largest workload is more than a megabyte, and large ones have at least so many bytes.
const HUGE: u64 = 1_100_000;
const LARGE: u64 = 40_000;
/// A time that no run lives to see begins so many seconds after its begin.
const FAR_S: u32 = 3600;
/// Shared uniques are few, so that they meet.
const SHARED: u64 = 6;

impl Knobs {
    /// How the server is set up in the run of this seed, with a store or without.
    #[must_use]
    pub fn draw(seed: u64, store: bool) -> Self {
        let mut chance = rng(seed, NOBODY, "workload.knobs", 0);
        Self {
            job_retries: *chance.weighted(&[
                (8, None),
                (2, Some(1)),
                (3, Some(2)),
                (3, Some(3)),
                (1, Some(0)),
            ]),
            worker_wakeup: *chance.weighted(&[(8, None), (1, Some(1)), (1, Some(2))]),
            wakeup_timeout_ms: small(chance.between(200..=1000)),
            min_job_timeout_ms: 50,
            exceptions: chance.odds(1, 8),
            store,
            scheduling: *rng(seed, NOBODY, "workload.scheduling", 0).weighted(&[
                (6, Scheduling::Version2),
                (1, Scheduling::Version1_1),
                (1, Scheduling::Version1_1RoundRobin),
            ]),
        }
    }
}

impl Workload {
    /// What peers do in the run of this seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        Drawing::new(seed).workload()
    }

    /// The same with all kinds of operations, of which seeds otherwise have a choice.
    #[must_use]
    pub fn uniform(seed: u64) -> Self {
        let all = Drawing {
            timeouts: true,
            deserters: true,
            sharing: true,
            hostile: true,
            meddling: true,
            large: true,
            later: true,
            limits: true,
            ..Drawing::new(seed)
        };
        all.workload()
    }
}

/// What is common to all actors of a seed.
struct Drawing {
    seed: u64,
    functions: u64,
    servers: u8,
    storm_ms: u32,
    /// Which oddities this seed has at all: a seed that has everything shows nothing clearly.
    timeouts: bool,
    deserters: bool,
    sharing: bool,
    hostile: bool,
    meddling: bool,
    large: bool,
    later: bool,
    limits: bool,
}

impl Drawing {
    fn new(seed: u64) -> Self {
        let mut chance = rng(seed, NOBODY, "workload.swarm", 0);
        Self {
            seed,
            functions: chance.between(2..=NAMES.len() as u64),
            servers: *rng(seed, NOBODY, "workload.servers", 0).weighted(&[(9, 1), (2, 2), (1, 3)]),
            storm_ms: small(chance.between(3500..=4500)),
            timeouts: chance.odds(3, 4),
            deserters: chance.odds(3, 4),
            sharing: chance.odds(3, 4),
            hostile: chance.odds(2, 3),
            meddling: chance.odds(2, 3),
            large: chance.odds(1, 3),
            later: rng(seed, NOBODY, "workload.later", 0).odds(2, 5),
            limits: rng(seed, NOBODY, "workload.limits", 0).odds(1, 3),
        }
    }

    fn rng(&self, actor: u64, purpose: &str, number: u64) -> Chance {
        rng(self.seed, actor, purpose, number)
    }

    fn workload(&self) -> Workload {
        let mut chance = self.rng(NOBODY, "workload.actors", 0);
        let (workers, clients) = (chance.between(3..=5), chance.between(3..=5));
        let functions = NAMES.iter().take(usize::try_from(self.functions).unwrap_or(NAMES.len()));
        let mut actors = vec![self.core_worker(0), self.core_client(1)];
        actors.extend((2..2 + workers).map(|actor| self.worker(actor)));
        let mut visitors: Vec<ActorPlan> =
            (2 + workers..2 + workers + clients).map(|actor| self.client(actor)).collect();
        self.meet(&mut visitors);
        actors.append(&mut visitors);
        if self.hostile || self.meddling {
            actors.push(self.vandal(2 + workers + clients));
        }
        self.empty_one(&mut actors);
        self.spread(&mut actors);
        Workload {
            functions: functions.map(|&name| name.to_owned()).collect(),
            servers: self.servers,
            actors,
            storm_ms: self.storm_ms,
        }
    }

    /// Tells everybody which servers there are, and gives each server a worker of the core.
    ///
    /// Most know all, some not; whom they try first differs. The core's client begins with the first.
    fn spread(&self, actors: &mut Vec<ActorPlan>) {
        let all: Vec<u8> = (0..self.servers).collect();
        for (actor, plan) in (0..).zip(actors.iter_mut()).filter(|(_, plan)| !plan.core) {
            let mut chance = self.rng(actor, "workload.list", 0);
            plan.servers.clone_from(&all);
            chance.shuffle(&mut plan.servers);
            if chance.odds(1, 4) {
                plan.servers.truncate(1 + chance.index(plan.servers.len()));
            }
            plan.roams = self.servers > 1 && plan.worker.is_none() && chance.odds(1, 2);
        }
        actors[1].servers.clone_from(&all);
        for server in 1..self.servers {
            let worker = ActorPlan { servers: vec![server], ..self.core_worker(actors.len() as u64) };
            actors.push(worker);
        }
    }

    fn core_client(&self, actor: u64) -> ActorPlan {
        let kind = self.kind(actor);
        let steps = 0..self.rng(actor, "workload.steps", 0).between(16..=24);
        let steps = steps.map(|number| Step {
            after_ms: self.pause(actor, number),
            op: Op::Submit(self.submit(actor, number, kind == ActorKind::Raw)),
        });
        ActorPlan {
            kind: self.kind(actor),
            core: true,
            servers: vec![0],
            roams: false,
            starts_ms: 0,
            worker: None,
            steps: steps.collect(),
        }
    }

    fn kind(&self, actor: u64) -> ActorKind {
        let library = self.rng(actor, "workload.kind", 0).odds(1, 2);
        if library { ActorKind::Library } else { ActorKind::Raw }
    }

    fn size(&self, chance: &mut Chance) -> u32 {
        let large = if self.large { 1 } else { 0 };
        let most = *chance.weighted(&[(3, 0), (6, 100), (3, 2000), (large, LARGE)]);
        small(chance.by_magnitude(0..=most))
    }

    fn client(&self, actor: u64) -> ActorPlan {
        let kind = self.kind(actor);
        let mut chance = self.rng(actor, "workload.client", 0);
        let step = |number| Step {
            after_ms: self.pause(actor, number),
            op: self.client_op(actor, number, kind == ActorKind::Raw),
        };
        let steps = (0..chance.between(24..=42)).map(step).collect();
        let mut client = ActorPlan {
            kind,
            core: false,
            servers: vec![0],
            roams: false,
            starts_ms: small(chance.between(0..=300)),
            worker: None,
            steps,
        };
        self.crowd(actor, &mut client);
        client
    }

    fn client_op(&self, actor: u64, number: u64, raw: bool) -> Op {
        let mut chance = self.rng(actor, "workload.op", number);
        let odd = u64::from(raw);
        let back_ms = Some(small(chance.between(1..=400)));
        let other = tiny(chance.below(3));
        let shared = tiny(chance.below(SHARED));
        let meddling = odd * u64::from(self.meddling);
        let question = *self.rng(actor, "workload.question", number).pick(&[
            AdminPlan::Version,
            AdminPlan::PriorityStatus,
            AdminPlan::ShowJobs,
            AdminPlan::ShowUniqueJobs,
            AdminPlan::GetPid,
            AdminPlan::Verbose,
            AdminPlan::Create(other),
            AdminPlan::Drop(other),
            AdminPlan::Shutdown,
        ]);
        let question = self.perhaps_shutdown(actor, number, question);
        chance
            .weighted(&[
                (40, Op::Submit(self.submit(actor, number, raw))),
                (if self.servers > 1 { 10 } else { 4 }, Op::Status(Which::Own(other))),
                (2 * odd, Op::Status(Which::Near(-3))),
                (2, Op::StatusUnique(shared)),
                (2 * odd, Op::Echo(30)),
                (2 * odd, Op::Exceptions),
                (odd, Op::UnknownOption),
                (odd, Op::SetClientId),
                (odd, Op::Admin(question)),
                (2 * odd, Op::Admin(AdminPlan::Cancel(Which::Own(other)))),
                (2 * odd * u64::from(self.limits), Op::Admin(self.limit(actor, number))),
                (meddling, Op::Meddle(Which::Own(other), Meddling::Complete)),
                (odd, Op::HalfClose { back_ms }),
                (2, Op::Leave { back_ms }),
            ])
            .clone()
    }

    /// Half of those who would shut a server down gracefully do so at once, and half of the vandals who know no command
    /// know these two.
    fn perhaps_shutdown(&self, actor: u64, number: u64, planned: AdminPlan) -> AdminPlan {
        let either = [AdminPlan::Shutdown, AdminPlan::ShutdownAtOnce];
        let mut chance = self.rng(actor, "workload.shutdown", number);
        let knows_it = planned == AdminPlan::Unknown && !chance.odds(1, 2);
        if planned == AdminPlan::Shutdown || knows_it { *chance.pick(&either) } else { planned }
    }

    /// A limit that some of the jobs run into.
    fn limit(&self, actor: u64, number: u64) -> AdminPlan {
        let mut chance = self.rng(actor, "workload.limit", number);
        let mut most = || tiny(chance.between(2..=10));
        let (one, each) = (most(), [most(), most(), most()]);
        let most = *chance.weighted(&[(3, [one; 3]), (2, each), (1, [0; 3])]);
        AdminPlan::MaxQueue { function: tiny(chance.below(self.functions)), most }
    }

    /// In half of the seeds one submit has no workload.
    fn empty_one(&self, actors: &mut [ActorPlan]) {
        let mut chance = self.rng(NOBODY, "workload.empty", 0);
        let steps = actors.iter_mut().flat_map(|actor| &mut actor.steps);
        let submits =
            steps.filter_map(|step| if let Op::Submit(submit) = &mut step.op { Some(submit) } else { None });
        // A dash makes the workload the key.
        let submits = submits.filter(|submit| !matches!(submit.unique, UniquePlan::Dash(_)));
        let mut submits: Vec<&mut SubmitPlan> = submits.collect();
        if !submits.is_empty() && chance.odds(1, 2) {
            let chosen = chance.index(submits.len());
            submits[chosen].is_empty = true;
        }
    }

    fn pause(&self, actor: u64, number: u64) -> u32 {
        let mut chance = self.rng(actor, "workload.pause", number);
        let most = *chance.weighted(&[(4, 0), (4, 60), (2, 300)]);
        small(chance.between(0..=most))
    }

    fn submit(&self, actor: u64, number: u64, raw: bool) -> SubmitPlan {
        let mut chance = self.rng(actor, "workload.submit", number);
        let sharing = if self.sharing { 4 } else { 0 };
        let shared = tiny(chance.below(SHARED));
        let unique = *chance.weighted(&[
            (6, UniquePlan::None),
            (3, UniquePlan::Own),
            (sharing, UniquePlan::Shared(shared)),
            (sharing / 4, UniquePlan::Longest(shared)),
            (sharing / 4, UniquePlan::Dash(shared)),
        ]);
        let reducer = chance.odds(1, 16).then(|| tiny(chance.below(3)));
        let priority =
            *chance.weighted(&[(6, PriorityPlan::Normal), (2, PriorityPlan::High), (2, PriorityPlan::Low)]);
        let patience = small(chance.between(100..=1500));
        let background = chance.odds(2, 5);
        let mut later = self.rng(actor, "workload.later", number);
        let is_later =
            self.later && raw && background && reducer.is_none() && priority == PriorityPlan::Normal;
        let mut huge = self.rng(actor, "workload.huge", number);
        let is_huge = self.large && huge.odds(1, 60);
        let huge = if huge.odds(1, 2) { HUGE } else { huge.by_magnitude(LARGE..=HUGE) };
        let epoch_s = (is_later && later.odds(2, 3)).then(|| small(later.between(0..=SOON_S.into())));
        // Whoever shared a job that is far away would wait for ever.
        let is_far = matches!(unique, UniquePlan::None | UniquePlan::Own)
            && self.rng(actor, "workload.far", number).odds(1, 5);
        let epoch_s = epoch_s.map(|soon| if is_far { FAR_S } else { soon });
        let is_binary = unique == UniquePlan::Own && self.rng(actor, "workload.binary", number).odds(1, 3);
        SubmitPlan {
            function: tiny(chance.below(self.functions)),
            unique: if is_binary { UniquePlan::Binary } else { unique },
            priority: if reducer.is_some() { PriorityPlan::Normal } else { priority },
            background,
            epoch_s,
            reducer,
            size: if is_huge { small(huge) } else { self.size(&mut chance) },
            is_empty: false,
            then: *chance.weighted(&[(6, Then::Nothing), (2, Then::Created), (3, Then::Ended(patience))]),
        }
    }

    /// A peer that means harm, or does not know better.
    fn vandal(&self, actor: u64) -> ActorPlan {
        let count = self.rng(actor, "workload.steps", 0).between(10..=24);
        let step = |number| {
            let mut chance = self.rng(actor, "workload.harm", number);
            let kind = *chance.pick(&Hostile::ALL);
            let which = *chance.pick(&[
                Which::Own(0),
                Which::Near(-1),
                Which::Near(1),
                Which::Near(3),
                Which::Nobody,
            ]);
            let meddling = *chance.pick(&[
                Meddling::Data,
                Meddling::Status,
                Meddling::Complete,
                Meddling::Fail,
                Meddling::Exception,
            ]);
            let cancel = AdminPlan::Cancel(which);
            let admin = *chance.pick(&[AdminPlan::Status, AdminPlan::Workers, cancel, AdminPlan::Unknown]);
            let admin = self.perhaps_shutdown(actor, number, admin);
            let ops = [
                (6 * u64::from(self.hostile), Op::Hostile(kind)),
                (6 * u64::from(self.meddling), Op::Meddle(which, meddling)),
                (4, Op::Submit(self.submit(actor, number, true))),
                (2, Op::Status(which)),
                (2, Op::Admin(admin)),
                (1, Op::Echo(30)),
            ];
            let op = chance.weighted(&ops).clone();
            Step { after_ms: small(chance.between(0..=200)), op }
        };
        let steps = (0..count).map(step).collect();
        ActorPlan {
            kind: ActorKind::Raw,
            core: false,
            servers: vec![0],
            roams: false,
            starts_ms: 100,
            worker: None,
            steps,
        }
    }
}

/// A number of milliseconds, bytes or items, all of which are small here.
fn small(number: u64) -> u32 {
    u32::try_from(number).expect("a drawn number is small")
}

fn tiny(number: u64) -> u8 {
    u8::try_from(number).expect("a drawn index is tiny")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_one_workload() {
        assert_eq!(Workload::draw(7), Workload::draw(7));
        assert_ne!(Workload::draw(7), Workload::draw(8));
    }

    #[test]
    fn a_workload_survives_being_saved() {
        let workload = Workload::draw(11);
        let text = serde_json::to_string(&workload).expect("plain data can be written");
        assert_eq!(serde_json::from_str::<Workload>(&text).expect("and read"), workload);
    }

    /// Operations of raw actors, a worker's acts counted as operations too.
    #[test]
    fn at_least_a_third_of_the_operations_are_raw() {
        let count = |kind: ActorKind| -> usize {
            let actors = (0..50).flat_map(|seed| Workload::draw(seed).actors);
            let counted = actors.filter(|actor| actor.kind == kind);
            counted.map(|actor| actor.steps.len() + actor.worker.map_or(0, |worker| worker.acts.len())).sum()
        };
        let (raw, library) = (count(ActorKind::Raw), count(ActorKind::Library));
        assert!(raw * 3 >= raw + library, "{raw} raw operations of {}", raw + library);
    }

    #[test]
    fn the_core_can_do_every_function() {
        for seed in 0..50 {
            let workload = Workload::draw(seed);
            let core = workload.actors[0].worker.as_ref().expect("the first actor is the core's worker");
            let mut functions: Vec<u8> = core.abilities.iter().map(|ability| ability.function).collect();
            functions.sort_unstable();
            assert_eq!(functions.len(), workload.functions.len());
        }
    }
}
