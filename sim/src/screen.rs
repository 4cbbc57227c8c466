//! What a failing seed shows: one screen that explains itself.

mod story;

use crate::judge::rules;
use crate::plan::Plan;
use crate::stage::{Happened, Run};
use crate::trial::{Failure, Outcome};
use gearman_protocol::Time;
use std::fmt;
use story::Story;

/// How many lines of a list are shown.
const LINES: usize = 10;
/// How many of the last faults are shown.
const FAULTS: usize = 4;

/// Everything that a failing seed says.
pub(crate) struct Screen<'a> {
    /// What was run.
    pub(crate) plan: &'a Plan,
    /// What came of it.
    pub(crate) outcome: &'a Outcome,
    /// The commands that lead further, whole lines.
    pub(crate) next: &'a [String],
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.plan.seed;
        match &self.outcome.failure {
            None => writeln!(f, "seed {seed} is clean")?,
            Some(Failure::Panic(panic)) => {
                writeln!(f, "seed {seed}: a panic at {}\n  {}", panic.place, panic.message)?;
            }
            Some(Failure::NotRun(why)) => writeln!(f, "seed {seed} was not run: {why}")?,
            Some(Failure::NotDeterministic(why)) => writeln!(f, "seed {seed} is not deterministic: {why}")?,
            Some(Failure::Stuck(stuck)) => {
                writeln!(f, "seed {seed} is stuck: {} ms after the storm not all is done", stuck.waited_ms)?;
                list(f, &stuck.who)?;
                self.faults(f, None)?;
            }
            Some(Failure::Wrong(first)) => {
                let sentence =
                    rules().iter().find(|rule| rule.name == first.rule).map_or("", |rule| rule.sentence);
                writeln!(f, "seed {seed} is wrong: {}: {sentence}", first.rule)?;
                writeln!(f, "  at {} ms: {}", first.at.as_millis(), first.what)?;
                if let Some(run) = &self.outcome.run {
                    write!(f, "{}", Story::of(first, run.history.entries()))?;
                }
                self.faults(f, Some(first.at))?;
                self.more(f)?;
            }
        }
        if !self.next.is_empty() {
            writeln!(f, "\nnext")?;
        }
        self.next.iter().try_for_each(|command| writeln!(f, "  {command}"))
    }
}

impl Screen<'_> {
    /// The last faults up to a moment.
    fn faults(&self, f: &mut fmt::Formatter<'_>, until: Option<Time>) -> fmt::Result {
        let Some(Run { faults, .. }) = &self.outcome.run else { return Ok(()) };
        let before: Vec<&Happened> =
            faults.iter().filter(|one| until.is_none_or(|until| one.at <= until)).collect();
        if !before.is_empty() {
            writeln!(f, "\nthe last faults before that")?;
        }
        before[before.len().saturating_sub(FAULTS)..].iter().try_for_each(|one| writeln!(f, "{one}"))
    }

    fn more(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accusations = self.outcome.verdict.iter().flat_map(|verdict| &verdict.accusations);
        let rest: Vec<String> = accusations
            .skip(1)
            .map(|one| format!("at {} ms: {}: {}", one.at.as_millis(), one.rule, one.what))
            .collect();
        if rest.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nand after that")?;
        list(f, &rest[..rest.len().min(2)])
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {:<18} {}", self.at.as_millis(), self.class, self.what)
    }
}

fn list(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    lines.iter().take(LINES).try_for_each(|line| writeln!(f, "  {line}"))?;
    match lines.len().checked_sub(LINES) {
        Some(more @ 1..) => writeln!(f, "  and {more} more"),
        Some(0) | None => Ok(()),
    }
}
