//! The copy's simulator: how it is built, and what it sees.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::process::Command;

use serde::Deserialize;

use super::table::{Bug, STUCK, Stage};
use crate::copy::{Copy, errand};

/// How many seeds show nothing where there is no bug; most bugs need no more.
const FIRST: u64 = 100;

/// What the simulator has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// How many seeds were run. The simulator ends early when many were not clean.
    pub(super) seeds: u64,
    /// Those that were not clean, in order, and what saw each first: a rule, `stuck` or `panic`.
    pub(super) caught: Vec<(u64, String)>,
    /// How long it took on the machine's clock, in milliseconds.
    pub(super) took_ms: u64,
}

impl Sight {
    /// What saw the bug first. That somebody waits for ever follows from much that is wrong, and counts where the bug says
    /// that it shows so.
    pub(super) fn first(&self, bug: &Bug) -> Option<&str> {
        let tells = |seer: &str| seer != STUCK || bug.seen_by.iter().any(|named| named == STUCK);
        self.caught.iter().map(|(_, seer)| seer.as_str()).find(|seer| tells(seer))
    }
}

/// As much of the simulator's results as is looked at.
#[derive(Deserialize)]
struct Results {
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    seeds: u64,
    failed: Vec<Failed>,
    took_ms: u64,
}

#[derive(Deserialize)]
struct Failed {
    seed: u64,
    kind: String,
    /// Of a broken rule it begins with the rule's name.
    why: String,
}

impl Failed {
    fn seer(&self) -> &str {
        if self.kind == "wrong" { self.why.split(' ').next().unwrap_or_default() } else { &self.kind }
    }

    /// The code that the simulator ends with if this is the first failure.
    fn code(&self) -> i32 {
        match self.kind.as_str() {
            "wrong" => 1,
            STUCK => 3,
            "panic" => 4,
            _ => 5,
        }
    }
}

/// Builds the simulator of the copy.
pub(super) fn build(copy: &Copy) -> Result<(), String> {
    let mut command = errand::cargo(copy);
    command.args(["build", "--quiet", "--package", "gearman-sim"]);
    let ended = errand::run(copy, &mut command)?;
    if ended.code == Some(0) { Ok(()) } else { Err(format!("it does not build:\n{}", ended.complained)) }
}

/// Runs the seeds from 0 on: some, and more as long as nothing sees the bug. One that many seeds show may make each of
/// them take long.
pub(super) fn hunt(copy: &Copy, bug: &Bug, seeds: u64) -> Result<Sight, String> {
    let mut sight = Sight::default();
    for until in [10, FIRST, seeds] {
        let range = sight.seeds..until.min(seeds);
        let whole = range.end - range.start;
        let more = look(copy, bug.stage, range)?;
        let was_cut_short = more.seeds < whole;
        sight.seeds += more.seeds;
        sight.took_ms += more.took_ms;
        sight.caught.extend(more.caught);
        if sight.first(bug).is_some() || was_cut_short || sight.seeds == seeds {
            break;
        }
    }
    Ok(sight)
}

/// Runs some seeds at each stage with no bug there, in which nothing may be seen.
pub(super) fn without_bugs(copy: &Copy, stages: BTreeSet<Stage>) -> Result<(), String> {
    build(copy)?;
    for stage in stages {
        if let Some((seed, seer)) = look(copy, stage, 0..FIRST)?.caught.first() {
            return Err(format!(
                "{seer} sees something in seed {seed} at the {} stage, with no bug there",
                stage.name()
            ));
        }
    }
    Ok(())
}

fn look(copy: &Copy, stage: Stage, seeds: Range<u64>) -> Result<Sight, String> {
    let json = copy.target.join("historical.json");
    let mut command = Command::new(copy.target.join("debug").join("gearman-sim"));
    command.args(["run", "--stage", stage.name(), "--seeds", &format!("{}..{}", seeds.start, seeds.end)]);
    command.arg("--json").arg(&json);
    let ended = errand::run(copy, &mut command)?;
    let text = fs::read_to_string(&json).map_err(|error| format!("{}: {error}", json.display()))?;
    read(&text, ended.code).map_err(|error| format!("{error}\n{}{}", ended.said, ended.complained))
}

/// What the results say, which must agree with the code that the simulator ended with.
fn read(json: &str, code: Option<i32>) -> Result<Sight, String> {
    let results: Results = serde_json::from_str(json).map_err(|error| format!("no results: {error}"))?;
    let Summary { seeds, failed, took_ms } = results.summary;
    // Few seeds may be too poor for the simulator to call them clean, which is code 6.
    let wanted = failed.first().map_or_else(|| vec![0, 6], |first| vec![first.code()]);
    if !code.is_some_and(|code| wanted.contains(&code)) {
        return Err(format!("the simulator ended with code {code:?} and not with one of {wanted:?}"));
    }
    let caught = failed.iter().map(|failed| (failed.seed, failed.seer().to_owned())).collect();
    Ok(Sight { seeds, caught, took_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRONG: &str = r#"{"version": 2, "summary": {"seeds": 41, "took_ms": 700, "failed": [
        {"seed": 7, "kind": "wrong", "why": "fifo at 20 ms: a job was overtaken"},
        {"seed": 9, "kind": "panic", "why": "list.rs:3: no"}]}}"#;

    #[test]
    fn the_first_that_saw_each_seed_is_its_rule_or_the_kind_of_its_end() {
        let caught = vec![(7, "fifo".to_owned()), (9, "panic".to_owned())];
        assert_eq!(read(WRONG, Some(1)), Ok(Sight { seeds: 41, caught, took_ms: 700 }));
        let clean = r#"{"summary": {"seeds": 100, "took_ms": 1, "failed": []}}"#;
        assert_eq!(read(clean, Some(6)), Ok(Sight { seeds: 100, caught: Vec::new(), took_ms: 1 }));
    }

    #[test]
    fn a_code_that_tells_another_story_is_an_error() {
        for code in [None, Some(0), Some(2), Some(4)] {
            assert!(read(WRONG, code).is_err(), "{code:?}");
        }
        assert!(read("", Some(0)).is_err());
    }
}
