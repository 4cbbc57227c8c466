//! Running the tests that should see a bug.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process_group};

use super::copy::Copy;
use super::home::Home;
use crate::patience::comes_true;
use crate::threads;

/// For how long a build and its tests may take together. Most take seconds: this is for a bug that hangs.
const PATIENCE: Duration = Duration::from_secs(900);

/// What became of the tests that were asked for, by their bare names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) passed: BTreeSet<String>,
    pub(super) failed: BTreeSet<String>,
}

/// Builds a program of tests in the copy and runs these tests of it.
pub(super) fn run(copy: &Copy, home: &Home, tests: &BTreeSet<&str>) -> Result<Outcome, String> {
    let (said, complained) = (copy.target.join("stdout"), copy.target.join("stderr"));
    let failed = |error: io::Error| format!("{home}: {error}");
    fs::create_dir_all(&copy.target).map_err(failed)?;
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet", "--no-fail-fast"]).args(home.arguments());
    command.arg("--").args(tests).arg("--format=pretty");
    command.current_dir(&copy.root).env("CARGO_TARGET_DIR", &copy.target);
    if home.is_scheduled() {
        // Other flags build everything anew: beside what the other tests use, not in its place.
        command.env("CARGO_TARGET_DIR", copy.target.join("threads")).env("RUSTFLAGS", threads::FLAGS);
    }
    // One small crate is built again and again, and what it computes is little.
    command.env("CARGO_INCREMENTAL", "1").env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
    command.env("CARGO_PROFILE_DEV_DEBUG", "none");
    // Nothing that fails here shall be remembered or be written beside the tests.
    command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true").env("INSTA_UPDATE", "no");
    command.stdout(File::create(&said).map_err(failed)?).stderr(File::create(&complained).map_err(failed)?);
    let child = command.process_group(0).spawn().map_err(failed)?;
    let status = wait(child).map_err(failed)?;
    let said = fs::read_to_string(said).map_err(failed)?;
    if status.is_none() {
        return Err(format!(
            "{home}: not done after {} s: the bug must be one that ends",
            PATIENCE.as_secs()
        ));
    }
    if !said.contains("test result:") {
        let complained = fs::read_to_string(complained).map_err(failed)?;
        return Err(format!("{home} does not build or does not end:\n{complained}"));
    }
    Ok(read(&said, tests))
}

/// How it ended; `None` if it had to be ended.
fn wait(mut child: Child) -> io::Result<Option<ExitStatus>> {
    let mut ended = Ok(None);
    let has_ended = comes_true(PATIENCE, || {
        ended = child.try_wait();
        !matches!(ended, Ok(None))
    });
    if has_ended {
        return ended;
    }
    kill_process_group(Pid::from_child(&child), Signal::KILL)?;
    child.wait()?;
    Ok(None)
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
