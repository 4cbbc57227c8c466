//! One plan, run and judged.

use crate::chance;
use crate::faults::FaultClass;
use crate::history::{Entry, History};
use crate::isolated::{self, Isolated, Panic};
use crate::judge::{Accusation, Judge, Terms, Verdict};
use crate::naive::{Server, naive};
use crate::plan::Plan;
use crate::plant::Plant;
use crate::saboteur::Sabotage;
use crate::stage::{self, Options, Run, Stuck, Watcher};
use gearman_engine::{Doors, Engine};
use std::collections::BTreeSet;
use std::time::Duration;

/// Which rules judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChoice(BTreeSet<&'static str>);

impl RuleChoice {
    /// All rules.
    #[must_use]
    pub fn all() -> Self {
        Self(crate::judge::rules().iter().map(|rule| rule.name).collect())
    }

    /// These rules.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self(names.into_iter().collect())
    }

    /// All rules but one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().copied()
    }

    /// Whether a rule judges.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Where a plan is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Stage {
    /// The whole system on simulated hosts.
    #[default]
    Turmoil,
    /// Machines straight against the engine: no sockets, no faults but habits, every order of messages.
    Bare,
}

impl Stage {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turmoil => "turmoil",
            Self::Bare => "bare",
        }
    }

    /// Whether faults of a class can happen there.
    #[must_use]
    pub const fn has(self, class: FaultClass) -> bool {
        class.needs_no_network() || matches!(self, Self::Turmoil)
    }
}

/// How a plan is run and judged.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Where.
    pub stage: Stage,
    /// By which rules.
    pub rules: RuleChoice,
    /// What hash tables are seeded with, which must change nothing.
    pub hash_seed: u64,
    /// Which server is judged.
    pub server: Server,
    /// How the server misbehaves, if it shall.
    pub sabotage: Option<Sabotage>,
    /// What is wrong with it that no rule can see, if something shall be.
    pub plant: Option<Plant>,
}

/// What came of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// What happened, unless it panicked.
    pub run: Option<Run>,
    /// What the judge says of it.
    pub verdict: Option<Verdict>,
    /// Why it is not clean, if it is not.
    pub failure: Option<Failure>,
}

/// Why a run is not clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A rule was broken; the first accusation.
    Wrong(Accusation),
    /// Somebody waits for ever.
    Stuck(Stuck),
    /// Something of ours panicked.
    Panic(Panic),
    /// It does not depend on its plan alone, for this reason.
    NotDeterministic(String),
}

/// Runs a plan on a thread of its own and judges what its peers saw.
///
/// `watcher` is told each entry as it is written down.
#[must_use]
pub fn hold(plan: &Plan, conditions: &Conditions, watcher: Watcher) -> Outcome {
    // Only hash keys follow from it: what the plan decides is drawn from the plan's seed.
    let entropy = chance::rng(conditions.hash_seed, 0, "entropy", plan.seed).draw();
    let Isolated { result, wall_clock_reads } = isolated::run(entropy, || {
        let run = play(plan, conditions, entropy, watcher);
        let verdict = judge(plan, conditions, &conditions.rules, run.history.entries());
        (run, verdict)
    });
    match result {
        Err(panic) => Outcome { run: None, verdict: None, failure: Some(Failure::Panic(panic)) },
        Ok((run, verdict)) => {
            let failure = failure(&run, &verdict, wall_clock_reads);
            Outcome { run: Some(run), verdict: Some(verdict), failure }
        }
    }
}

fn play(plan: &Plan, conditions: &Conditions, hash_seed: u64, watcher: Watcher) -> Run {
    let doors = move |id| {
        let config = plan.server.config(id);
        let engine = |config| -> Box<dyn Doors + Send> {
            match conditions.server {
                Server::Engine => Box::new(Engine::new(config, hash_seed)),
                Server::Naive => naive(config, plan.seed_of(id)),
            }
        };
        let server = match &conditions.sabotage {
            Some(sabotage) => sabotage.apply(config, &engine),
            None => engine(config),
        };
        match conditions.plant {
            Some(plant) => plant.into(server),
            None => server,
        }
    };
    let cheat = conditions.sabotage.as_ref().and_then(Sabotage::cheat);
    let submit_to_two = conditions.sabotage.as_ref().is_some_and(Sabotage::submits_to_two);
    let options =
        Options { history: History::keeping(), watcher, doors: Box::new(doors), cheat, submit_to_two };
    match conditions.stage {
        Stage::Turmoil => stage::turmoil::run(plan, options),
        Stage::Bare => stage::bare::run(plan, options),
    }
}

/// What these rules say of a history that was made under such conditions.
#[must_use]
pub fn judge(plan: &Plan, conditions: &Conditions, rules: &RuleChoice, entries: &[Entry]) -> Verdict {
    let slack = match conditions.stage {
        Stage::Turmoil => plan.slack(),
        Stage::Bare => Duration::ZERO,
    };
    let slack = slack + conditions.server.most_lag();
    let mut judge = Judge::with(Terms::of(plan, slack), |name| rules.has(name));
    entries.iter().for_each(|entry| judge.observe(entry));
    judge.finish()
}

/// A broken rule says more than that somebody waits, which may follow from it.
fn failure(run: &Run, verdict: &Verdict, wall_clock_reads: u64) -> Option<Failure> {
    if let Some(first) = verdict.accusations.first() {
        return Some(Failure::Wrong(first.clone()));
    }
    if let Some(stuck) = &run.stuck {
        return Some(Failure::Stuck(stuck.clone()));
    }
    let leak = format!("a host has read the machine's wall clock {wall_clock_reads} times");
    (wall_clock_reads > 0).then_some(Failure::NotDeterministic(leak))
}
