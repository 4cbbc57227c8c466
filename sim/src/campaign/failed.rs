//! What is kept of a seed that was not clean.

use crate::trial::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A seed that was not clean, and why: what other machines are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Which.
    pub seed: u64,
    /// What kind of failure it was.
    pub kind: Kind,
    /// One line that says what was wrong.
    pub why: String,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A rule was broken.
    Wrong,
    /// Somebody waits for ever.
    Stuck,
    /// Something of ours panicked.
    Panic,
    /// It does not depend on its plan alone.
    NotDeterministic,
    /// The machine did not let it be run.
    NotRun,
}

impl Failed {
    /// What is kept of a failure.
    #[must_use]
    pub fn new(seed: u64, failure: &Failure) -> Self {
        let (kind, why) = match failure {
            Failure::Wrong(first) => {
                (Kind::Wrong, format!("{} at {} ms: {}", first.rule, first.at.as_millis(), first.what))
            }
            Failure::Stuck(stuck) => {
                let who = stuck.who.first().map_or("", String::as_str);
                (Kind::Stuck, format!("{} ms after the storm: {who}", stuck.waited_ms))
            }
            Failure::Panic(panic) => (Kind::Panic, format!("{}: {}", panic.place, panic.message)),
            Failure::NotDeterministic(why) => (Kind::NotDeterministic, why.clone()),
            Failure::NotRun(why) => (Kind::NotRun, why.clone()),
        };
        // A panic's message may have several lines.
        let why = why.lines().next().unwrap_or_default().to_owned();
        Self { seed, kind, why }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, kind, why } = self;
        let kind = match kind {
            Kind::Wrong => "wrong",
            Kind::Stuck => "stuck",
            Kind::Panic => "a panic",
            Kind::NotDeterministic => "not deterministic",
            Kind::NotRun => "not run",
        };
        write!(f, "seed {seed} is {kind}: {why}")
    }
}
