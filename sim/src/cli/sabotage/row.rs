//! What became of one sabotage.

use crate::campaign::{Campaign, Report, Seeds};
use crate::judge::rules;
use crate::plan::Mix;
use crate::saboteur::Sabotage;
use crate::trial::{Conditions, RuleChoice, Stage, judge};
use gearman_net::{Clock, MachineClock};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How many tries there are, each beginning at a seed of its own, as far apart as can be.
pub(super) const TRIES: u64 = 10;

/// What sees a sabotage in so many times fewer seeds than its rule does, sees it by chance.
const BY_CHANCE: usize = 20;
/// So many seeds tell how often it is caught, and one of so many may be seen by another rule in any case.
const ENOUGH: usize = 5;

/// How many seeds each try needed.
pub(super) type Tries = [u64; 10];

/// What became of one sabotage.
pub(super) struct Row {
    pub(super) sabotage: Sabotage,
    /// The first seed that it was tried on.
    pub(super) first: u64,
    /// How many seeds it was tried on, from the first on.
    pub(super) tried: u64,
    /// How long these took on the machine's clock, several running at a time.
    took: Duration,
    /// The seeds in which its rule caught it.
    pub(super) caught: BTreeSet<u64>,
    /// What else sees it when its rule is off, and in how many seeds.
    otherwise: BTreeMap<&'static str, usize>,
    /// In how many seeds another rule does, or a panic. That somebody waits for ever follows from much that is wrong, and is
    /// told and not counted.
    seen_otherwise: usize,
}

impl Row {
    /// A sabotage that was tried on nothing; it will be on the seeds from here on.
    pub(super) const fn new(sabotage: Sabotage, first: u64) -> Self {
        Self {
            sabotage,
            first,
            tried: 0,
            took: Duration::ZERO,
            caught: BTreeSet::new(),
            otherwise: BTreeMap::new(),
            seen_otherwise: 0,
        }
    }

    pub(super) fn try_on(&mut self, campaign: &Campaign, interrupted: &AtomicBool, tick: impl Fn()) {
        self.tried += campaign.seeds.count();
        let clock = MachineClock::new();
        let begun = clock.now();
        campaign.run(interrupted, |report| {
            self.take(&report, &campaign.conditions);
            tick();
        });
        self.took += clock.now() - begun;
    }

    /// It, on these seeds.
    pub(super) fn campaign(&self, seeds: Seeds, stage: Stage, mix: Mix, threads: usize) -> Campaign {
        let conditions = Conditions { sabotage: Some(self.sabotage), ..Conditions::shipped(stage) };
        Campaign { seeds, mix, conditions, threads }
    }

    /// Judges a seed once more without the rule that must have caught it.
    fn take(&mut self, report: &Report, conditions: &Conditions) {
        let Some((plan, outcome)) = report.failed.as_deref() else { return };
        let Some(run) = &outcome.run else { return self.see(BTreeSet::from(["a panic"])) };
        let fired = outcome.verdict.iter().flat_map(|verdict| rules().iter().zip(&verdict.counts));
        if fired.into_iter().any(|(rule, count)| rule.name == self.sabotage.rule && count.fired > 0) {
            self.caught.insert(report.seed);
        }
        let others = RuleChoice::all().without(self.sabotage.rule);
        let verdict = judge(plan, conditions, &others, run.history.entries());
        self.see(verdict.accusations.iter().map(|accusation| accusation.rule).collect());
        if run.stuck.is_some() || !verdict.left.is_empty() {
            *self.otherwise.entry("being stuck").or_default() += 1;
        }
    }

    /// These see it in a seed, with its rule off.
    fn see(&mut self, seers: BTreeSet<&'static str>) {
        self.seen_otherwise += usize::from(!seers.is_empty());
        seers.into_iter().for_each(|seer| *self.otherwise.entry(seer).or_default() += 1);
    }

    pub(super) fn is_caught(&self) -> bool {
        !self.caught.is_empty()
    }

    /// Whether it was caught often enough to say how often it is.
    pub(super) fn is_well_known(&self) -> bool {
        self.caught.len() >= ENOUGH
    }

    /// Caught by its rule, for which no other stands in: when it is off, hardly anything is seen. Among some seeds there is
    /// always one in which what is wrong with a job shows at another as well.
    pub(super) fn is_proved(&self) -> bool {
        let (seen, caught) = (self.seen_otherwise, self.caught.len());
        self.is_caught() && (seen * BY_CHANCE <= caught || seen == 1 && caught >= ENOUGH)
    }

    /// How many seeds each try needed until the rule had caught it; none if it never did.
    ///
    /// Seeds are independent, so tries share them: each begins at its own, and goes round at the end.
    pub(super) fn needs(&self) -> Option<Tries> {
        needs(&self.caught, self.first, self.tried)
    }

    /// What so many seeds of it take on this machine, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "seconds are shown with two digits after the point")]
    fn seconds(&self, seeds: u64) -> f64 {
        self.took.as_secs_f64() * seeds as f64 / self.tried.max(1) as f64
    }

    pub(super) fn line(&self) -> String {
        let Sabotage { name, rule, .. } = self.sabotage;
        let first = self.caught.first().map_or_else(|| "-".to_owned(), u64::to_string);
        let (needs, seconds) = self.shown();
        let caught = format!("{}/{}", self.caught.len(), self.tried);
        let without = self.without();
        format!("{name:<28} {rule:<22} {caught:>9} {first:>6} {needs:>6} {seconds:>7}  {without}")
    }

    /// A row of the page.
    pub(super) fn markdown(&self) -> String {
        let Sabotage { name, rule, cites, needle, .. } = self.sabotage;
        let (needs, seconds) = self.shown();
        let needle = needle.map_or("", |_| " (needle)");
        let (caught, tried, without) = (self.caught.len(), self.tried, self.without());
        let cites = cites.join(", ");
        format!(
            "| `{name}`{needle} | {cites} | `{rule}` | {caught}/{tried} | {needs} | {seconds} | {without} |\n"
        )
    }

    /// The median of the seeds that tries needed, and the seconds.
    fn shown(&self) -> (String, String) {
        let Some(needs) = self.needs().map(median) else { return ("-".to_owned(), "-".to_owned()) };
        (needs.to_string(), format!("{:.2}", self.seconds(needs)))
    }

    fn without(&self) -> String {
        if self.otherwise.is_empty() {
            return "not caught".to_owned();
        }
        let seers = self.otherwise.iter().map(|(seer, seeds)| format!("{seer} in {seeds}"));
        format!("seen by {}", seers.collect::<Vec<_>>().join(", "))
    }

    pub(super) fn to_json(&self) -> Value {
        let needs = self.needs();
        json!({
            "name": self.sabotage.name,
            "sentence": self.sabotage.sentence,
            "rule": self.sabotage.rule,
            "cites": self.sabotage.cites,
            "needle": self.sabotage.needle,
            "first_tried": self.first,
            "tried_on": self.tried,
            "caught_in": self.caught.len(),
            "caught_seeds": self.caught,
            "tries_needed": needs,
            "median_needed": needs.map(median),
            "seconds": needs.map(|needs| self.seconds(median(needs))),
            "with_the_rule_off": self.otherwise,
        })
    }
}

fn needs(caught: &BTreeSet<u64>, first: u64, tried: u64) -> Option<Tries> {
    let round = *caught.first()? + tried;
    let mut tries = Tries::default();
    for (number, needed) in (0..).zip(&mut tries) {
        let start = first + number * tried / TRIES;
        *needed = caught.range(start..).next().unwrap_or(&round) - start + 1;
    }
    Some(tries)
}

/// Of an even number of tries the worse of the two in the middle.
pub(super) fn median(mut tries: Tries) -> u64 {
    tries.sort_unstable();
    tries[tries.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_needed_unless_others_often_see_as_much() {
        let mut row = Row::new(crate::saboteur::sabotages()[0], 0);
        assert!(!row.is_proved(), "not caught");
        row.caught = (0..40).collect();
        row.see(BTreeSet::from(["fifo", "wake-up"]));
        row.see(BTreeSet::from(["fifo"]));
        row.see(BTreeSet::new());
        assert!(row.is_proved());
        assert_eq!(row.without(), "seen by fifo in 2, wake-up in 1");
        row.see(BTreeSet::from(["a panic"]));
        assert!(!row.is_proved(), "three of forty");
        let few = |caught| {
            let mut row = Row::new(crate::saboteur::sabotages()[0], 0);
            row.caught = (0..caught).collect();
            row.see(BTreeSet::from(["fifo"]));
            row.is_proved()
        };
        assert!(few(5) && !few(4), "one of some, and of too few");
    }

    #[test]
    fn a_try_ends_with_the_first_seed_that_is_caught_and_goes_round() {
        let needed = needs(&BTreeSet::from([107, 150]), 100, 100).unwrap();
        assert_eq!(needed, [8, 41, 31, 21, 11, 1, 48, 38, 28, 18]);
        assert_eq!(median(needed), 28);
        assert_eq!(needs(&BTreeSet::new(), 100, 100), None);
    }
}
