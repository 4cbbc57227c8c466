//! What faults touched.

use super::FaultClass;
use crate::lives::Stretch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::AddAssign;

/// How often a class of faults happened, and to how many jobs in which stretch of their lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touches {
    /// How often it happened.
    pub happened: u64,
    /// How often it touched at least one job.
    pub bit: u64,
    /// The jobs it touched, by where they were.
    pub jobs: BTreeMap<Stretch, u64>,
}

/// The touches of all classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally(BTreeMap<FaultClass, Touches>);

impl Tally {
    /// A fault has happened.
    pub fn happened(&mut self, class: FaultClass) {
        self.0.entry(class).or_default().happened += 1;
    }

    /// A fault that has happened has touched jobs in these stretches of their lives; says whether there are any.
    pub fn touched(&mut self, class: FaultClass, jobs: &[Stretch]) -> bool {
        let touches = self.0.entry(class).or_default();
        touches.bit += u64::from(!jobs.is_empty());
        for &stretch in jobs {
            *touches.jobs.entry(stretch).or_default() += 1;
        }
        !jobs.is_empty()
    }

    /// What a class has touched.
    #[must_use]
    pub fn of(&self, class: FaultClass) -> Touches {
        self.0.get(&class).cloned().unwrap_or_default()
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        for (&class, touches) in &other.0 {
            let sum = self.0.entry(class).or_default();
            sum.happened += touches.happened;
            sum.bit += touches.bit;
            for (&stretch, count) in &touches.jobs {
                *sum.jobs.entry(stretch).or_default() += count;
            }
        }
    }
}
