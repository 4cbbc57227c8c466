//! What a campaign has seen.

use super::{Failed, Figures, Kind, Report};
use crate::census::Census;
use crate::faults::FaultClass;
use crate::faults::tally::Tally;
use crate::judge::rules;
use crate::lives::{End, Stretch};
use crate::stage::Settled;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// Simulated times are kept in steps of so many milliseconds.
const STEP_MS: u64 = 100;

/// The sums over the seeds of a campaign: plain counts, so that those of several machines can be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// Those that were not clean, in order.
    pub failed: Vec<Failed>,
    /// How long it took on the machine's clock, in milliseconds; of several machines, one after the other.
    pub took_ms: u64,
    hosts: u64,
    packets: u64,
    requests: u64,
    raw_requests: u64,
    pub(super) ends: BTreeMap<End, u64>,
    pub(super) tally: Tally,
    pub(super) census: Census,
    /// In how many seeds a class of faults bit.
    bit: BTreeMap<FaultClass, u64>,
    faults_that_bit: u64,
    /// In how many seeds each rule could decide.
    armed: BTreeMap<String, u64>,
    /// How many seeds lasted how long in simulated time, by the beginning of the step in which they ended.
    lasted_ms: BTreeMap<u64, u64>,
    /// How many seeds came to rest how long after their storms, in the same steps.
    settled_ms: BTreeMap<u64, u64>,
    /// The greatest share that one of them took of the time that it might have taken, in thousandths.
    most_of_bound: u64,
}

impl Summary {
    /// Takes a seed in.
    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        if let Some(failure) = report.failed.as_ref().and_then(|failed| failed.1.failure.as_ref()) {
            self.fail(Failed::new(report.seed, failure));
        }
        let Figures { hosts, packets, requests, raw_requests, lasted, settled, ends, tally, census, armed } =
            &report.figures;
        self.requests += requests;
        self.raw_requests += raw_requests;
        self.hosts += *hosts as u64;
        self.packets += packets;
        *self.lasted_ms.entry(step(lasted.as_millis())).or_default() += 1;
        if let Some(Settled { within, bound }) = settled {
            let (within, bound) = (millis(*within), millis(*bound));
            *self.settled_ms.entry(step(within)).or_default() += 1;
            self.most_of_bound = self.most_of_bound.max(1000 * within / bound.max(1));
        }
        add(&mut self.ends, ends);
        self.tally += tally;
        self.census += census;
        for &class in FaultClass::ALL {
            let bit = tally.of(class).bit;
            *self.bit.entry(class).or_default() += u64::from(bit > 0);
            // Single reads, writes and records are hit by the hundred: for how rich a seed was, they count once.
            self.faults_that_bit += if class.has_a_rate() { bit.min(1) } else { bit };
        }
        for (rule, _) in rules().iter().zip(armed).filter(|(_, armed)| **armed) {
            match self.armed.get_mut(rule.name) {
                Some(count) => *count += 1,
                None => drop(self.armed.insert(rule.name.to_owned(), 1)),
            }
        }
    }

    /// Takes in that a seed was not clean.
    pub fn fail(&mut self, failed: Failed) {
        let place = self.failed.partition_point(|other| other.seed < failed.seed);
        self.failed.insert(place, failed);
    }

    /// Those that were not clean, in order; those that were not run come last, as nothing is known of them.
    #[must_use]
    pub fn worst_first(&self) -> Vec<&Failed> {
        let mut failed: Vec<&Failed> = self.failed.iter().collect();
        failed.sort_by_key(|failed| failed.kind == Kind::NotRun);
        failed
    }

    /// Whether so many failed that others would fail for the same cause. What was not run tells nothing of others,
    /// unless nothing could be run.
    #[must_use]
    pub fn is_hopeless(&self, enough: usize) -> bool {
        let not_run = self.failed.iter().filter(|failed| failed.kind == Kind::NotRun).count();
        self.failed.len() - not_run >= enough || not_run >= enough && not_run as u64 == self.seeds
    }

    /// Hosts per seed, on average.
    #[must_use]
    pub fn hosts(&self) -> f64 {
        self.per_seed(self.hosts)
    }

    /// Jobs per seed that ended while their server lived, on average.
    #[must_use]
    pub fn jobs_ended(&self) -> f64 {
        let ended = self.ends.iter().filter(|(end, _)| **end != End::Lost);
        self.per_seed(ended.map(|(_, count)| count).sum())
    }

    /// Faults per seed that touched a job, on average.
    #[must_use]
    pub fn faults_that_bit(&self) -> f64 {
        self.per_seed(self.faults_that_bit)
    }

    /// Which share of what peers wrote was written by no client library.
    #[must_use]
    pub fn share_of_raw(&self) -> f64 {
        share(self.raw_requests, self.requests)
    }

    /// In which share of the seeds a class of faults touched a job.
    #[must_use]
    pub fn share_of_class(&self, class: FaultClass) -> f64 {
        self.per_seed(self.bit.get(&class).copied().unwrap_or(0))
    }

    /// In which share of the seeds a rule could decide.
    #[must_use]
    pub fn share_of_rule(&self, rule: &str) -> f64 {
        self.per_seed(self.armed.get(rule).copied().unwrap_or(0))
    }

    /// What peers did.
    #[must_use]
    pub const fn census(&self) -> &Census {
        &self.census
    }

    /// The rules that could decide, by name, which may come from a file.
    pub(super) fn armed_rules(&self) -> impl Iterator<Item = &str> {
        self.armed.keys().map(String::as_str)
    }

    /// The simulated time that half of the seeds reached, in milliseconds, a tenth of a second being one step.
    #[must_use]
    pub fn median_horizon(&self) -> u64 {
        median(&self.lasted_ms)
    }

    /// How soon after their storms the seeds came to rest, where that was in simulated time: a line.
    fn rest(&self) -> Option<String> {
        let slowest = self.settled_ms.keys().next_back()?;
        let half = median(&self.settled_ms);
        Some(format!(
            "after the storm: half at rest within {} ms, the slowest within {} ms; none took more than {:.1} % of what it \
             may take\n",
            half + STEP_MS,
            slowest + STEP_MS,
            100.0 * share(self.most_of_bound, 1000)
        ))
    }

    /// The sums alone, without the tables: a few lines.
    #[must_use]
    pub fn head(&self) -> String {
        let (seeds, failed, rate) = (self.seeds, self.failed.len(), self.rate());
        let (jobs, faults, hosts) = (self.jobs_ended(), self.faults_that_bit(), self.hosts());
        let median = self.median_horizon();
        let ends: Vec<String> =
            self.ends.iter().map(|(end, count)| format!("{count} {}", end.name())).collect();
        let (ends, packets, raw) = (ends.join(", "), self.packets, 100.0 * self.share_of_raw());
        format!(
            "{seeds} seeds, {failed} not clean, {rate:.1} seeds/s\n\
             per seed: {hosts:.1} hosts, {jobs:.1} jobs ended, {faults:.1} faults that bit, half over {median} ms\n\
             jobs: {ends}\n\
             packets: {packets}; of those that peers wrote, {raw:.0} % by raw actors\n{}",
            self.rest().unwrap_or_default()
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one digit after the point")]
    fn rate(&self) -> f64 {
        1000.0 * self.seeds as f64 / self.took_ms.max(1) as f64
    }

    fn per_seed(&self, sum: u64) -> f64 {
        share(sum, self.seeds)
    }
}

impl AddAssign<&Self> for Summary {
    fn add_assign(&mut self, other: &Self) {
        other.failed.iter().for_each(|failed| self.fail(failed.clone()));
        self.seeds += other.seeds;
        self.took_ms += other.took_ms;
        self.hosts += other.hosts;
        self.packets += other.packets;
        self.requests += other.requests;
        self.raw_requests += other.raw_requests;
        self.faults_that_bit += other.faults_that_bit;
        self.tally += &other.tally;
        self.census += &other.census;
        add(&mut self.ends, &other.ends);
        add(&mut self.bit, &other.bit);
        add(&mut self.armed, &other.armed);
        add(&mut self.lasted_ms, &other.lasted_ms);
        add(&mut self.settled_ms, &other.settled_ms);
        self.most_of_bound = self.most_of_bound.max(other.most_of_bound);
    }
}

fn add<K: Clone + Ord>(sums: &mut BTreeMap<K, u64>, counts: &BTreeMap<K, u64>) {
    for (key, count) in counts {
        *sums.entry(key.clone()).or_default() += count;
    }
}

const fn step(ms: u64) -> u64 {
    ms / STEP_MS * STEP_MS
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The step that half of what was counted reached.
fn median(counts: &BTreeMap<u64, u64>) -> u64 {
    let all: u64 = counts.values().sum();
    let mut so_far = 0;
    let median = counts.iter().find(|(_, count)| {
        so_far += **count;
        2 * so_far > all
    });
    median.map_or(0, |(&ms, _)| ms)
}

#[expect(clippy::cast_precision_loss, reason = "an average is shown with one digit after the point")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{:<18} {:>8} {:>8} {:>6}", self.head(), "fault", "happened", "bit", "seeds")?;
        for stretch in Stretch::ALL {
            write!(f, " {stretch:>10}")?;
        }
        for &class in FaultClass::ALL {
            let touches = self.tally.of(class);
            let share = 100.0 * self.share_of_class(class);
            write!(f, "\n{class:<18} {:>8} {:>8} {share:>5.0}%", touches.happened, touches.bit)?;
            for stretch in Stretch::ALL {
                write!(f, " {:>10}", touches.jobs.get(&stretch).copied().unwrap_or(0))?;
            }
        }
        writeln!(f, "\n\n{:<34} {:>6}", "rule", "armed")?;
        for rule in rules() {
            writeln!(f, "{:<34} {:>5.0}%", rule.name, 100.0 * self.share_of_rule(rule.name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(failed: impl IntoIterator<Item = (u64, Kind)>) -> Summary {
        let mut summary = Summary::default();
        for (seed, kind) in failed {
            summary.fail(Failed { seed, kind, why: String::new() });
        }
        summary
    }

    #[test]
    fn what_was_not_run_hides_no_failure() {
        let summary = summary([(9, Kind::Wrong), (3, Kind::NotRun), (5, Kind::NotRun), (12, Kind::Stuck)]);
        let seeds: Vec<u64> = summary.worst_first().iter().map(|failed| failed.seed).collect();
        assert_eq!(seeds, [9, 12, 3, 5]);
    }

    #[test]
    fn what_was_not_run_ends_a_campaign_only_if_nothing_could_be_run() {
        let mut not_run = summary((0..30).map(|seed| (seed, Kind::NotRun)));
        not_run.seeds = 31;
        assert!(!not_run.is_hopeless(20));
        not_run.seeds = 30;
        assert!(not_run.is_hopeless(20) && !not_run.is_hopeless(31));
        let mut wrong = summary((0..20).map(|seed| (seed, Kind::Wrong)));
        wrong.seeds = 50;
        assert!(wrong.is_hopeless(20) && !wrong.is_hopeless(21));
    }

    #[test]
    fn the_slowest_to_come_to_rest_is_the_slowest_of_all_parts() {
        let part = |settled: &[(u64, u64)]| {
            let mut summary = Summary::default();
            for (seed, &(within, bound)) in (0..).zip(settled) {
                let [within, bound] = [within, bound].map(Duration::from_millis);
                let figures = Figures { settled: Some(Settled { within, bound }), ..Figures::default() };
                summary.add(&Report { seed, digest: 0, figures, failed: None });
            }
            summary
        };
        let mut all = part(&[(310, 1_000), (250, 10_000)]);
        all += &part(&[(2_199, 50_000)]);
        let said = "half at rest within 400 ms, the slowest within 2200 ms; none took more than 31.0 %";
        assert!(all.head().contains(said), "{}", all.head());
        assert!(!Summary::default().head().contains("at rest"), "in real time nobody knows");
    }
}
