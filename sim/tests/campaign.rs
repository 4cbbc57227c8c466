//! A small campaign over seeds that stay the same. It is also the judge of changes that are made to the server on
//! purpose, so it ends with the first seed that is not clean.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so with a panic")]

use gearman_sim::campaign::{Campaign, Report};
use gearman_sim::plan::Mix;
use gearman_sim::trial::{Conditions, Stage};
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs these seeds under all rules; each must be clean.
fn is_clean(stage: Stage, seeds: &str) {
    let campaign = Campaign {
        seeds: seeds.parse().unwrap(),
        mix: Mix::everything(),
        conditions: Conditions::shipped(stage),
        threads: 2,
    };
    let stop = AtomicBool::new(false);
    let (mut clean, mut failed) = (0, None::<Report>);
    campaign.run(&stop, |report| {
        if report.failed.is_none() {
            clean += 1;
        } else {
            stop.store(true, Ordering::Relaxed);
            failed = Some(report);
        }
    });
    assert!(failed.is_none(), "not clean: {failed:?}");
    assert_eq!(clean, campaign.seeds.count());
}

#[test]
fn two_hundred_seeds_on_bare_doors_are_clean() {
    is_clean(Stage::Bare, "0..200");
}

#[test]
fn fifty_seeds_under_turmoil_are_clean() {
    is_clean(Stage::Turmoil, "0..50");
}
