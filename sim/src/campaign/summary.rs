//! What a campaign has seen.

use super::{Figures, Report};
use crate::faults::FaultClass;
use crate::faults::tally::Tally;
use crate::judge::rules;
use crate::lives::{End, Stretch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The version of the JSON that a summary makes.
const VERSION: u32 = 1;

/// The sums over the seeds of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// Those that were not clean, in order.
    pub failed: Vec<u64>,
    /// How long it took on the machine's clock.
    pub took: Duration,
    hosts: u64,
    packets: u64,
    requests: u64,
    raw_requests: u64,
    ends: BTreeMap<End, u64>,
    tally: Tally,
    /// In how many seeds a class of faults bit.
    bit: BTreeMap<FaultClass, u64>,
    faults_that_bit: u64,
    /// In how many seeds each rule could decide.
    armed: Vec<u64>,
    horizons: Vec<u64>,
}

impl Summary {
    /// Takes a seed in.
    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        if report.failed.is_some() {
            self.failed.push(report.seed);
            self.failed.sort_unstable();
        }
        let Figures { hosts, packets, requests, raw_requests, lasted, ends, tally, armed } = &report.figures;
        self.requests += requests;
        self.raw_requests += raw_requests;
        self.hosts += *hosts as u64;
        self.packets += packets;
        self.horizons.push(lasted.as_millis());
        for (&end, count) in ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.tally += tally;
        for &class in FaultClass::ALL {
            let bit = tally.of(class).bit;
            *self.bit.entry(class).or_default() += u64::from(bit > 0);
            // Single reads, writes and records are hit by the hundred: for how rich a seed was, they count once.
            self.faults_that_bit += if class.has_a_rate() { bit.min(1) } else { bit };
        }
        self.armed.resize(rules().len(), 0);
        for (count, &armed) in self.armed.iter_mut().zip(armed) {
            *count += u64::from(armed);
        }
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

    /// In which share of the seeds the rule at this place could decide.
    #[must_use]
    pub fn share_of_rule(&self, place: usize) -> f64 {
        self.per_seed(self.armed.get(place).copied().unwrap_or(0))
    }

    /// The simulated time that half of the seeds reached, in milliseconds.
    #[must_use]
    pub fn median_horizon(&self) -> u64 {
        let mut horizons = self.horizons.clone();
        horizons.sort_unstable();
        horizons.get(horizons.len() / 2).copied().unwrap_or(0)
    }

    /// As JSON, with a version.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let classes = FaultClass::ALL.iter().map(|&class| {
            let touches = self.tally.of(class);
            let jobs: BTreeMap<&str, u64> =
                touches.jobs.iter().map(|(at, count)| (at.name(), *count)).collect();
            json!({
                "name": class.name(),
                "happened": touches.happened,
                "bit": touches.bit,
                "share_of_seeds": self.share_of_class(class),
                "jobs": jobs,
            })
        });
        let rules = rules().iter().enumerate();
        let rules = rules
            .map(|(place, rule)| json!({"name": rule.name, "share_of_seeds": self.share_of_rule(place)}));
        let ends: BTreeMap<&str, u64> = self.ends.iter().map(|(end, count)| (end.name(), *count)).collect();
        json!({
            "version": VERSION,
            "seeds": self.seeds,
            "failed": self.failed,
            "seconds": self.took.as_secs_f64(),
            "seeds_per_second": self.rate(),
            "packets": self.packets,
            "share_of_raw_requests": self.share_of_raw(),
            "jobs": ends,
            "median_horizon_ms": self.median_horizon(),
            "per_seed": {"hosts": self.hosts(), "jobs_ended": self.jobs_ended(), "faults_that_bit": self.faults_that_bit()},
            "faults": classes.collect::<Vec<Value>>(),
            "rules": rules.collect::<Vec<Value>>(),
        })
    }

    /// The sums alone, without the tables: four lines.
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
             packets: {packets}; of those that peers wrote, {raw:.0} % by raw actors\n"
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with one digit after the point")]
    fn rate(&self) -> f64 {
        self.seeds as f64 / self.took.as_secs_f64().max(0.001)
    }

    fn per_seed(&self, sum: u64) -> f64 {
        share(sum, self.seeds)
    }
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
        for (place, rule) in rules().iter().enumerate() {
            writeln!(f, "{:<34} {:>5.0}%", rule.name, 100.0 * self.share_of_rule(place))?;
        }
        Ok(())
    }
}
