//! How rich a campaign must have been to have tested anything.

use super::Summary;
use super::reach::unasked;
use crate::judge::rules;
use crate::plan::Mix;
use crate::trial::{RuleChoice, Stage};

/// A campaign of fewer seeds proves too little to be measured.
const LEAST_SEEDS: u64 = 100;
/// Each class of faults must have bitten, and each rule been able to decide, in this share of the seeds.
const LEAST_SHARE: f64 = 0.05;
/// A server must be asked in every way the protocol has, and not only in those that libraries know.
const LEAST_RAW: f64 = 1.0 / 3.0;
/// Per seed, on average.
const LEAST_HOSTS: f64 = 5.0;
const LEAST_JOBS: f64 = 50.0;
const LEAST_FAULTS: f64 = 5.0;

/// What was asked for, and so must have been there.
#[derive(Clone, Copy, Debug)]
pub struct Demands<'a> {
    /// The classes of faults.
    pub mix: &'a Mix,
    /// The rules.
    pub rules: &'a RuleChoice,
    /// Where, because not everything can happen everywhere.
    pub stage: Stage,
}

/// In what a campaign stayed too poor, a line each. One that is too small to be measured must still have run a seed
/// in which a job ended.
#[must_use]
pub fn shortfalls(summary: &Summary, demands: Demands<'_>) -> Vec<String> {
    if summary.seeds == 0 {
        return vec!["no seed was run: the shard is empty".to_owned()];
    }
    if summary.jobs_ended() == 0.0 {
        return vec!["no job has ended".to_owned()];
    }
    if summary.seeds < LEAST_SEEDS {
        return Vec::new();
    }
    let mut short = Vec::new();
    let mut at_least = |what: String, got: f64, least: f64, doubt: f64| {
        if got + doubt < least {
            short.push(format!("{what}: {got:.2}, and {least} is the least"));
        }
    };
    for class in demands.mix.classes().filter(|&class| demands.stage.has(class)) {
        at_least(
            format!("share of seeds in which {class} bit"),
            summary.share_of_class(class),
            LEAST_SHARE,
            doubt(summary.share_of_class(class), summary.seeds),
        );
    }
    let arms = |name: &str| demands.rules.has(name) && demands.stage.arms(name);
    for rule in rules().iter().filter(|rule| arms(rule.name)) {
        at_least(
            format!("share of seeds in which {} could decide", rule.name),
            summary.share_of_rule(rule.name),
            LEAST_SHARE,
            doubt(summary.share_of_rule(rule.name), summary.seeds),
        );
    }
    at_least("hosts per seed".to_owned(), summary.hosts(), LEAST_HOSTS, 0.0);
    at_least("jobs ended per seed".to_owned(), summary.jobs_ended(), LEAST_JOBS, 0.0);
    at_least("share of requests by raw actors".to_owned(), summary.share_of_raw(), LEAST_RAW, 0.0);
    if *demands.mix == Mix::everything() {
        at_least("faults that bit per seed".to_owned(), summary.faults_that_bit(), LEAST_FAULTS, 0.0);
        short.extend(unasked(summary, demands.stage));
    }
    short
}

/// By how much a share in so many seeds may be less than it would be in very many: two standard deviations.
#[expect(clippy::cast_precision_loss, reason = "a share is compared with two digits after the point")]
fn doubt(share: f64, seeds: u64) -> f64 {
    2.0 * (share * (1.0 - share) / seeds.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lives::End;

    #[test]
    fn a_campaign_without_an_ended_job_has_tested_nothing_however_small_it_is() {
        let (mix, rules) = (Mix::everything(), RuleChoice::all());
        let demands = Demands { mix: &mix, rules: &rules, stage: Stage::Bare };
        let mut summary = Summary::default();
        summary.seeds = 1;
        assert_eq!(shortfalls(&summary, demands), ["no job has ended"]);
        summary.ends.insert(End::Fail, 1);
        assert_eq!(shortfalls(&summary, demands), [""; 0]);
    }

    #[test]
    fn a_small_campaign_may_fall_short_by_chance_and_a_large_one_may_not() {
        let is_enough = |share: f64, seeds| share + doubt(share, seeds) >= LEAST_SHARE;
        assert!(is_enough(0.03, 100) && !is_enough(0.03, 10_000));
        assert!(!is_enough(0.0, 100) && is_enough(0.05, 1_000_000));
    }
}
