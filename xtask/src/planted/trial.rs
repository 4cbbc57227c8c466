//! Running the tests that should see a bug.

use std::collections::BTreeSet;

use super::home::Home;
use crate::copy::{Copy, errand};
use crate::threads;

/// What became of the tests that were asked for, by their bare names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) passed: BTreeSet<String>,
    pub(super) failed: BTreeSet<String>,
}

/// Builds a program of tests in the copy and runs these tests of it.
pub(super) fn run(copy: &Copy, home: &Home, tests: &BTreeSet<&str>) -> Result<Outcome, String> {
    let mut command = errand::cargo(copy);
    command.args(["test", "--quiet", "--no-fail-fast"]).args(home.arguments());
    command.arg("--").args(tests).arg("--format=pretty");
    if home.is_scheduled() {
        // Other flags build everything anew: beside what the other tests use, not in its place.
        command.env("CARGO_TARGET_DIR", copy.target.join("threads")).env("RUSTFLAGS", threads::FLAGS);
    }
    // Nothing that fails here shall be remembered or be written beside the tests.
    command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true").env("INSTA_UPDATE", "no");
    let ended = errand::run(copy, &mut command).map_err(|error| format!("{home}: {error}"))?;
    if !ended.said.contains("test result:") {
        return Err(format!("{home} does not build or does not end:\n{}", ended.complained));
    }
    Ok(read(&ended.said, tests))
}

/// What the lines `test module::name ... ok` say.
fn read(said: &str, tests: &BTreeSet<&str>) -> Outcome {
    let mut outcome = Outcome::default();
    for line in said.lines() {
        let Some((path, result)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        let path = path.trim_end_matches(" - should panic");
        let name = path.rsplit("::").next().unwrap_or(path);
        if tests.contains(name) {
            let set = if result == "ok" { &mut outcome.passed } else { &mut outcome.failed };
            set.insert(name.to_owned());
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_counts() {
        let said =
            "test a::one ... ok\ntest b::two ... FAILED\ntest b::two_more ... FAILED\n\ntest result: FAILED.";
        let outcome = read(said, &BTreeSet::from(["one", "two"]));
        assert_eq!(outcome.passed, BTreeSet::from(["one".to_owned()]));
        assert_eq!(outcome.failed, BTreeSet::from(["two".to_owned()]));
    }
}
