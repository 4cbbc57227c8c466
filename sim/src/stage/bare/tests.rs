//! Both servers, judged, on bare doors.

use super::*;
use crate::history::History;
use crate::judge::{Judge, Terms, Verdict, rules};
use crate::naive::{Server, naive};
use crate::plan::Mix;
use crate::stage::deaf::Deaf;
use crate::stage::hoarder::Hoarder;
use gearman_engine::{Config, Doors, Effect, Effects, Engine};
use gearman_model::Model;
use std::sync::{Arc, Mutex};

/// Runs a seed and judges it.
fn judged(seed: u64, server: fn(Config, u64) -> Box<dyn Doors + Send>) -> (Run, Verdict) {
    judged_with(seed, server, Duration::ZERO)
}

/// The same, with clocks that are only so exact.
fn judged_with(
    seed: u64,
    server: fn(Config, u64) -> Box<dyn Doors + Send>,
    slack: Duration,
) -> (Run, Verdict) {
    judged_on(&Plan::draw(seed, &Mix::everything()), server, slack)
}

/// Runs a plan and judges it.
fn judged_on(
    plan: &Plan,
    server: fn(Config, u64) -> Box<dyn Doors + Send>,
    slack: Duration,
) -> (Run, Verdict) {
    let judge = Arc::new(Mutex::new(Judge::new(Terms::of(plan, slack))));
    let watcher = Arc::clone(&judge);
    let options = Options {
        history: History::keeping(),
        watcher: Box::new(move |entry| watcher.lock().expect("no panic").observe(entry)),
        doors: Box::new(|id| server(plan.server.config(id), plan.seed)),
        cheat: None,
        submit_to_two: false,
    };
    let run = run(plan, options);
    let judge = Arc::into_inner(judge).expect("the run is over").into_inner().expect("no panic");
    (run, judge.finish())
}

fn engine(config: Config, hash_seed: u64) -> Box<dyn Doors + Send> {
    Box::new(Engine::new(config, hash_seed))
}

fn model(config: Config, _: u64) -> Box<dyn Doors + Send> {
    Box::new(Model::new(config))
}

/// The naive server again, with everything drawn at random that Gearman leaves open.
fn free(config: Config, seed: u64) -> Box<dyn Doors + Send> {
    naive(config, seed)
}

#[test]
fn what_a_server_still_holds_when_all_is_done_is_a_leak() {
    for has_far_jobs in [false, true] {
        let fits =
            |&seed: &u64| (Plan::draw(seed, &Mix::everything()).workload.far_jobs() > 0) == has_far_jobs;
        let seed = (0..).find(fits).expect("there is one");
        let (run, _) = judged(seed, |config, hash_seed| Box::new(Hoarder(Engine::new(config, hash_seed))));
        let held = run.held.expect("it holds a job");
        assert!(held.contains("holds 1 jobs, 0 watchers and 0 records"), "{held}");
        assert_eq!(judged(seed, engine).0.held, None);
    }
}

/// Forgets that something is due.
struct Absentminded(Engine);

impl Doors for Absentminded {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        if event != Event::Elapsed {
            self.0.handle(now, event, effects);
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}

#[test]
fn a_job_for_later_that_is_forgotten_when_all_is_at_rest_is_seen() {
    let is_late = |plan: &Plan| plan.rests_until().as_millis() > u64::from(plan.workload.storm_ms) + 2500;
    let mut plans = (0..400).map(|seed| Plan::draw(seed, &Mix::of([]))).filter(is_late);
    let forgets = |config, hash_seed| -> Box<dyn Doors + Send> {
        Box::new(Absentminded(Engine::new(config, hash_seed)))
    };
    let is_seen = |plan: &Plan| {
        let (run, verdict) = judged_on(plan, forgets, Duration::ZERO);
        run.settled.is_some() && verdict.accusations.iter().any(|one| one.rule == "wake-up")
    };
    assert!(plans.any(|plan| is_seen(&plan)), "no run waits until something for later is due");
}

/// Wakes nobody.
struct Silent(Engine);

impl Doors for Silent {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut said = Effects::new();
        self.0.handle(now, event, &mut said);
        let is_noop = |effect: &Effect| matches!(effect, Effect::Send { response: Response::Noop, .. });
        said.drain().filter(|effect| !is_noop(effect)).for_each(|effect| effects.push(effect));
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
}

#[test]
fn where_no_rule_may_judge_who_is_woken_a_job_that_waits_for_ever_shows_it() {
    let seen = (0..40).filter(|&seed| {
        let mut plan = Plan::draw(seed, &Mix::of([]));
        plan.server.worker_wakeup = Some(1);
        let (run, verdict) = judged_on(
            &plan,
            |config, hash_seed| Box::new(Silent(Engine::new(config, hash_seed))),
            Duration::ZERO,
        );
        assert_eq!(verdict.accusations, [], "seed {seed}");
        let waits = |line: &String| line.contains("has waited since") && line.contains("sleeps since");
        run.settled.is_some() && verdict.left.iter().any(waits)
    });
    assert!(seen.count() > 0, "no worker sleeps beside a job");
}

/// A server that does nothing at all.
struct Dead;

impl Doors for Dead {
    fn handle(&mut self, _: Time, _: Event, _: &mut Effects) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

#[test]
fn who_waits_for_a_server_that_does_nothing_is_stuck_though_nothing_more_can_happen() {
    // One that is told to end and does not is stopped for that.
    let classes = FaultClass::ALL.iter().copied().filter(|&class| class != FaultClass::ServerDrain);
    let mix = Mix::of(classes);
    for seed in 0..20 {
        let plan = Plan::draw(seed, &mix);
        let options = Options {
            history: History::keeping(),
            watcher: Box::new(|_| {}),
            doors: Box::new(|_| Box::new(Dead)),
            cheat: None,
            submit_to_two: false,
        };
        let run = run(&plan, options);
        let stuck = run.stuck.unwrap_or_else(|| panic!("seed {seed} came to rest: {:?}", run.settled));
        assert!(stuck.who[0].ends_with("is not at rest") && run.settled.is_none(), "seed {seed}: {stuck:?}");
        let waits = stuck.who.iter().filter(|line| line.contains("waits for the answer to its submit"));
        assert!(waits.count() > 0, "seed {seed}: {stuck:?}");
    }
}

fn assert_innocent(seed: u64, run: &Run, verdict: &Verdict) {
    let first = verdict.accusations.first();
    let told: Vec<String> = run.history.entries().iter().map(ToString::to_string).collect();
    assert!(first.is_none(), "seed {seed} accuses a correct server: {first:?}\n{}", told.join("\n"));
    assert!(run.stuck.is_none(), "seed {seed} does not come to rest: {:?}", run.stuck);
}

#[test]
fn a_correct_server_is_never_accused_and_every_rule_can_decide() {
    let seeds = 200;
    let mut armed = vec![0; rules().len()];
    for seed in 0..seeds {
        let (run, verdict) = judged(seed, engine);
        assert_innocent(seed, &run, &verdict);
        for (total, count) in armed.iter_mut().zip(&verdict.counts) {
            *total += u64::from(count.armed > 0);
        }
    }
    for (rule, armed) in rules().iter().zip(armed) {
        // What needs a restart and a store is rarer than the rest.
        assert!(armed >= seeds / 10, "{} could decide in {armed} of {seeds} seeds only", rule.name);
    }
}

#[test]
fn the_naive_server_is_not_accused_either() {
    for seed in 1000..1050 {
        let (run, verdict) = judged(seed, model);
        assert_innocent(seed, &run, &verdict);
    }
}

#[test]
fn nor_is_one_that_takes_every_freedom_and_it_takes_them() {
    let mut others = 0;
    for seed in 160..210 {
        let (run, verdict) = judged_with(seed, free, Server::Naive.most_lag());
        assert_innocent(seed, &run, &verdict);
        others += u32::from(run.history.digest() != judged(seed, model).0.history.digest());
    }
    assert!(others >= 45, "{others} of 50 seeds went otherwise");
}

#[test]
fn a_run_is_rich() {
    let (mut jobs, mut entries) = (0, 0);
    for seed in 0..50 {
        let (run, verdict) = judged(seed, engine);
        jobs += verdict.ended;
        entries += run.history.len();
    }
    assert!(jobs >= 50 * 50, "{jobs} jobs ended in 50 seeds");
    assert!(entries >= 50 * 500, "{entries} entries in 50 seeds");
}

#[test]
fn a_plan_always_gives_the_same_history_whatever_the_hash_seed() {
    let other =
        |config, hash_seed: u64| -> Box<dyn Doors + Send> { Box::new(Engine::new(config, !hash_seed)) };
    for seed in 0..20 {
        let (one, _) = judged(seed, engine);
        let (two, _) = judged(seed, other);
        assert_eq!(one.history.digest(), two.history.digest(), "seed {seed}");
    }
}

/// The first plans in which a server is told to end while nothing else happens to it.
fn drained() -> impl Iterator<Item = u64> {
    (0..).filter(|&seed| {
        let faults = Plan::draw(seed, &Mix::everything()).faults;
        let mut ends = faults.iter().filter(|fault| server_of(&fault.deed).is_some());
        matches!(ends.next(), Some(Fault { deed: Deed::ServerDrain { .. }, .. })) && ends.next().is_none()
    })
}

#[test]
fn a_server_that_is_told_to_end_refuses_what_is_new_and_comes_back() {
    let mut refused = 0;
    for seed in drained().take(20) {
        let (run, verdict) = judged(seed, engine);
        assert_innocent(seed, &run, &verdict);
        let entries = run.history.entries();
        let life = entries.iter().filter_map(|entry| {
            if let What::ServerDrains(server) = &entry.what {
                Some((*server, "drains"))
            } else if let What::ServerDown(server) = &entry.what {
                Some((*server, "down"))
            } else if let What::ServerUp(server) = &entry.what {
                (entry.at > Time::ZERO).then_some((*server, "up"))
            } else {
                None
            }
        });
        let (who, life): (Vec<ServerId>, Vec<&str>) = life.unzip();
        assert!(life.is_empty() || life == ["drains", "down", "up"], "seed {seed}: {life:?}");
        assert!(who.iter().all(|server| *server == who[0]), "seed {seed}: {who:?}");
        let is_refusal = |what: &What| matches!(what, What::Read { response: Response::Error { code, .. }, .. } if &code[..] == b"SHUTDOWN_GRACEFUL");
        refused += entries.iter().filter(|entry| is_refusal(&entry.what)).count();
    }
    assert!(refused > 20, "{refused} submits were refused in 20 seeds");
}

#[test]
#[should_panic(expected = "was told to end and has not")]
fn a_server_that_is_told_to_end_and_stays_is_noticed() {
    let seed = drained().next().expect("there is one");
    judged(seed, |config, hash_seed| Box::new(Deaf(Engine::new(config, hash_seed))));
}
