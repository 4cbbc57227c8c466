//! The same plan does the same: twice, under other hash keys, on other threads, after other seeds.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use gearman_engine::{Doors, Effect, Effects, Engine, Event};
use gearman_protocol::{Response, Time};
use gearman_sim::campaign::Campaign;
use gearman_sim::history::History;
use gearman_sim::isolated;
use gearman_sim::plan::{Mix, Plan};
use gearman_sim::stage::{Options, turmoil};
use gearman_sim::trial::{Conditions, Stage};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;

/// The digests of some seeds, run so many at a time under such hash keys.
fn digests(seeds: &str, threads: usize, hash_seed: u64) -> BTreeMap<u64, u64> {
    let campaign = Campaign {
        seeds: seeds.parse().unwrap(),
        mix: Mix::everything(),
        conditions: Conditions { hash_seed, ..Conditions::shipped(Stage::Turmoil) },
        threads,
    };
    let mut digests = BTreeMap::new();
    campaign.run(&AtomicBool::new(false), |report| {
        assert!(report.failed.is_none(), "seed {} is not clean: {:?}", report.seed, report.failed);
        digests.insert(report.seed, report.digest);
    });
    digests
}

#[test]
fn threads_hash_keys_and_what_ran_before_change_nothing() {
    let together = digests("0..12", 1, 0);
    assert_eq!(together.len(), 12);
    assert_eq!(together, digests("0..12", 3, 0xC0_FFEE));
    assert_eq!(together[&11], digests("11..12", 1, 7)[&11]);
}

#[test]
fn different_seeds_do_different_things() {
    let all = digests("0..12", 2, 0);
    let mut different: Vec<u64> = all.into_values().collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 12);
}

/// An engine that wakes only those sleepers that a hash table puts first.
struct Leaky(Engine);

impl Doors for Leaky {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut honest = Effects::new();
        self.0.handle(now, event, &mut honest);
        let is_noop = |effect: &Effect| matches!(effect, Effect::Send { response: Response::Noop, .. });
        let (noops, others): (Vec<Effect>, Vec<Effect>) = honest.drain().partition(is_noop);
        others.into_iter().for_each(|effect| effects.push(effect));
        let shuffled: HashMap<usize, Effect> = noops.into_iter().enumerate().collect();
        for effect in shuffled.into_values().take(1) {
            effects.push(effect);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
}

/// An engine that asks the machine what time it is.
struct Curious(Engine);

impl Doors for Curious {
    #[expect(clippy::disallowed_methods, reason = "this is the leak")]
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let _ = std::time::SystemTime::now();
        self.0.handle(now, event, effects);
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
}

/// The digest of a seed with such a server, on a thread with this entropy, and how often clocks were read.
fn leaking<D: Doors + Send + 'static>(seed: u64, entropy: u64, wrap: fn(Engine) -> D) -> (u64, u64) {
    let plan = Plan::draw(seed, &Mix::everything());
    let isolated = isolated::run(entropy, || {
        let doors = |id| -> Box<dyn Doors + Send> { Box::new(wrap(Engine::new(plan.server.config(id), 0))) };
        let options = Options {
            history: History::passing(),
            watcher: Box::new(|_| {}),
            doors: Box::new(doors),
            cheat: None,
            submit_to_two: false,
        };
        turmoil::run(&plan, options).history.digest()
    });
    (isolated.result.unwrap(), isolated.wall_clock_reads)
}

#[test]
fn a_planted_leak_of_hash_order_shows_under_other_hash_keys() {
    let mut shows = false;
    for seed in 0..6 {
        let honest = |entropy| leaking(seed, entropy, |engine| engine);
        let leaky = |entropy| leaking(seed, entropy, Leaky);
        assert_eq!(honest(1), honest(2), "seed {seed}");
        assert_eq!(leaky(1), leaky(1), "seed {seed}");
        shows |= leaky(1) != leaky(2);
    }
    assert!(shows, "the leak changed nothing in six seeds");
}

#[test]
fn a_planted_leak_of_the_wall_clock_is_counted() {
    assert_eq!(leaking(1, 1, |engine| engine).1, 0);
    assert!(leaking(1, 1, Curious).1 > 0);
}
