//! The same plan does the same: twice, under other hash keys, on other threads, after other seeds.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use gearman_sim::campaign::Campaign;
use gearman_sim::plan::Mix;
use gearman_sim::trial::{Conditions, RuleChoice, Stage};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// The digests of some seeds, run so many at a time under such hash keys.
fn digests(seeds: &str, threads: usize, hash_seed: u64) -> BTreeMap<u64, u64> {
    let campaign = Campaign {
        seeds: seeds.parse().unwrap(),
        mix: Mix::everything(),
        conditions: Conditions { stage: Stage::Turmoil, rules: RuleChoice::all(), hash_seed },
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
