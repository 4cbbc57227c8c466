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
use crate::stage::loopback::{Cut, Real};
use crate::stage::{self, Options, Run, Stuck, Watcher};
use gearman_engine::{Doors, Engine};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
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
    /// Machines straight against the engine: no sockets and no network that fails, every order of messages.
    Bare,
    /// The program `gearmand` with four threads, over this machine's own sockets and in real time.
    Loopback,
}

/// The rules that can decide only where servers keep jobs in a store.
const OF_A_STORE: [&str; 4] = ["kept-jobs-run", "ended-stays-ended", "replay-order", "refused-never-runs"];

impl Stage {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turmoil => "turmoil",
            Self::Bare => "bare",
            Self::Loopback => "loopback",
        }
    }

    /// Whether faults of a class can happen there.
    #[must_use]
    pub const fn has(self, class: FaultClass) -> bool {
        match self {
            Self::Turmoil => true,
            Self::Bare => class.needs_no_network(),
            Self::Loopback => stage::loopback::reason_against(class).is_none(),
        }
    }

    /// Whether a rule can ever decide there.
    #[must_use]
    pub fn arms(self, rule: &str) -> bool {
        self != Self::Loopback || !OF_A_STORE.contains(&rule)
    }

    /// Whether a plan does the same there each time.
    #[must_use]
    pub const fn is_deterministic(self) -> bool {
        !matches!(self, Self::Loopback)
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
    /// The program that is judged on [`Stage::Loopback`]; the one beside this program unless said.
    pub gearmand: Option<PathBuf>,
}

impl Conditions {
    /// The engine as it ships, by all rules.
    #[must_use]
    pub fn shipped(stage: Stage) -> Self {
        Self {
            stage,
            rules: RuleChoice::all(),
            hash_seed: 0,
            server: Server::Engine,
            sabotage: None,
            plant: None,
            gearmand: None,
        }
    }

    /// The program that is judged on [`Stage::Loopback`].
    ///
    /// # Errors
    /// There is none: one line that says what to do.
    pub fn program(&self) -> Result<PathBuf, String> {
        let beside = || Some(std::env::current_exe().ok()?.with_file_name("gearmand"));
        let path = self.gearmand.clone().or_else(beside).unwrap_or_default();
        if path.is_file() {
            return Ok(path);
        }
        let path = path.display();
        Err(format!(
            "{path}: there is no such program; build it with `cargo build --release -p gearman-server`, or name it with \
             --gearmand"
        ))
    }
}

/// What came of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// What happened, unless a panic of ours was in the way: up to where it was cut off, if it was.
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
    /// Somebody waits for ever, or a server still holds what nobody waits for.
    Stuck(Stuck),
    /// Something of ours panicked, or the process of a server has ended by itself.
    Panic(Panic),
    /// It does not depend on its plan alone, for this reason.
    NotDeterministic(String),
    /// The machine did not let it be run, for this reason: nothing is known of the server.
    NotRun(String),
}

/// Runs a plan on a thread of its own and judges what its peers saw.
///
/// `watcher` is told each entry as it is written down.
#[must_use]
pub fn hold(plan: &Plan, conditions: &Conditions, watcher: Watcher) -> Outcome {
    if conditions.stage == Stage::Loopback {
        return conditions.program().map_or_else(
            |why| missed(Failure::NotRun(why)),
            |gearmand| hold_real(plan, conditions, &gearmand, watcher),
        );
    }
    // Only hash keys follow from it: what the plan decides is drawn from the plan's seed.
    let entropy = chance::rng(conditions.hash_seed, 0, "entropy", plan.seed).draw();
    let Isolated { result, wall_clock_reads } = isolated::run(entropy, || {
        let run = play(plan, conditions, entropy, watcher);
        let verdict = judge(plan, conditions, &conditions.rules, run.history.entries());
        (run, verdict)
    });
    match result {
        Err(panic) => missed(Failure::Panic(panic)),
        Ok((run, verdict)) => {
            let failure = failure(&run, &verdict, wall_clock_reads);
            Outcome { run: Some(run), verdict: Some(verdict), failure }
        }
    }
}

/// The same in real time, against processes.
fn hold_real(plan: &Plan, conditions: &Conditions, gearmand: &Path, watcher: Watcher) -> Outcome {
    let result = isolated::run_in_real_time(|| {
        let Real { run, terms, cut } = stage::loopback::run(plan, gearmand, watcher)?;
        if let Some(cut) = cut {
            let failure = match cut {
                Cut::Died(message) => {
                    Failure::Panic(Panic { message, place: gearmand.display().to_string() })
                }
                Cut::Refused(why) => Failure::NotRun(why),
            };
            return Ok(Outcome { run: Some(run), verdict: None, failure: Some(failure) });
        }
        let verdict = judge_on(terms, &conditions.rules, run.history.entries());
        let failure = failure(&run, &verdict, 0);
        Ok(Outcome { run: Some(run), verdict: Some(verdict), failure })
    });
    match result {
        Err(panic) => missed(Failure::Panic(panic)),
        Ok(Err(why)) => missed(Failure::NotRun(why)),
        Ok(Ok(outcome)) => outcome,
    }
}

/// What came of a plan of which nothing is known.
const fn missed(failure: Failure) -> Outcome {
    Outcome { run: None, verdict: None, failure: Some(failure) }
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
        Stage::Loopback => unreachable!("processes have no doors"),
    }
}

/// What these rules say of a history that was made in simulated time, under such conditions.
#[must_use]
pub fn judge(plan: &Plan, conditions: &Conditions, rules: &RuleChoice, entries: &[Entry]) -> Verdict {
    let slack = match conditions.stage {
        Stage::Turmoil => plan.slack(),
        Stage::Loopback => unreachable!("what processes did is judged as exactly as their run was measured"),
        Stage::Bare => Duration::ZERO,
    };
    judge_on(Terms::of(plan, slack + conditions.server.most_lag()), rules, entries)
}

fn judge_on(terms: Terms, rules: &RuleChoice, entries: &[Entry]) -> Verdict {
    let mut judge = Judge::with(terms, |name| rules.has(name));
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
    let left: Vec<String> = verdict.left.iter().chain(&run.held).cloned().collect();
    if !left.is_empty() {
        let waited_ms = run.settled.map_or(0, |settled| settled.within.as_millis());
        let waited_ms = u64::try_from(waited_ms).unwrap_or(u64::MAX);
        return Some(Failure::Stuck(Stuck { waited_ms, who: left }));
    }
    let leak = format!("a host has read the machine's wall clock {wall_clock_reads} times");
    (wall_clock_reads > 0).then_some(Failure::NotDeterministic(leak))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::rules;

    #[test]
    fn what_a_stage_cannot_arm_are_rules_that_there_are() {
        for name in OF_A_STORE {
            assert!(rules().iter().any(|rule| rule.name == name), "{name}");
        }
        assert!(Stage::Loopback.arms("fifo") && !Stage::Loopback.arms("replay-order"));
        assert!(Stage::Turmoil.arms("replay-order"));
    }

    #[test]
    fn a_plan_is_not_run_where_there_is_no_server() {
        let gearmand = Some("/nonexistent/gearmand".into());
        let conditions = Conditions { gearmand, ..Conditions::shipped(Stage::Loopback) };
        let plan = Plan::draw(0, &crate::plan::Mix::of([]));
        let Some(Failure::NotRun(why)) = hold(&plan, &conditions, Box::new(|_| {})).failure else {
            panic!("it was run");
        };
        assert!(why.starts_with("/nonexistent/gearmand: there is no such program"), "{why}");
    }
}
