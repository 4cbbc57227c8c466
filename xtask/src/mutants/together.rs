//! All changes in one program: built once, it is run with each, and a variable says with which.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process_group};

use super::change::Change;
use super::compiler::{self, Files, Program};
use super::guards::{Guarded, SWITCH};
use super::judge::Package;
use super::tried::Tried;
use crate::copy::{Copy, errand};

/// What the compiler is told: what `.cargo/config.toml` says, which these flags replace, and that changed code may be
/// as ugly as it likes.
const FLAGS: &str = "--cfg tokio_unstable --cap-lints allow";

/// The memory that a program may ask for, in KiB: a loop without end may fill it much sooner than time is up. A test of
/// the protocol asks for twice 4 GiB, and touches little of them.
const MEMORY: u64 = 12 << 20;

/// The test that builds a program, with flags that do not bear what stands in the copy. What it sees is that the
/// program ends, which others see too.
const BUILDS: &str = "the_embedding_example_runs";

/// A copy of the tree with the changes of a package in it.
pub(super) struct Together<'a> {
    copy: Copy,
    /// Files of the package that are the root of a crate.
    roots: Vec<String>,
    /// What each file says with no change in it.
    before: BTreeMap<String, String>,
    changes: &'a [Change],
    /// How many programs of tests a core runs at a time.
    at_a_time: usize,
    /// The numbers of those that can be chosen: from 1 on, in the order of the list.
    chosen: BTreeSet<u32>,
    /// The numbers of those that do not compile wherever they stand.
    hopeless: BTreeSet<u32>,
}

/// What came of a change.
#[derive(Clone, Copy)]
enum Outcome {
    Seen,
    Hung,
    Unseen,
}

impl<'a> Together<'a> {
    pub(super) fn of(root: &Path, package: Package, changes: &'a [Change]) -> Result<Self, String> {
        let copy = Copy::of(root, "mutants/together", &[])?;
        let roots = roots(root, package.directory());
        let read = |file: &String| match fs::read_to_string(root.join(file)) {
            Ok(text) => Ok((file.clone(), text)),
            Err(error) => Err(format!("{file}: {error}")),
        };
        let files = changes.iter().map(|change| &change.file).chain(&roots);
        let before = files.map(read).collect::<Result<_, _>>()?;
        // A constant cannot choose.
        let inside = (1..).zip(changes).filter(|(_, change)| change.function.is_some());
        let chosen = inside.map(|(number, _)| number).collect();
        let at_a_time = package.at_a_time();
        Ok(Self { copy, roots, before, changes, at_a_time, chosen, hopeless: BTreeSet::new() })
    }

    /// The names of those that cannot be chosen, and may compile alone.
    pub(super) fn others(&self) -> Vec<&'a str> {
        let is_known = |number: &u32| self.chosen.contains(number) || self.hopeless.contains(number);
        let others = (1..).zip(self.changes).filter(|(number, _)| !is_known(number));
        others.map(|(_, change)| change.name.as_str()).collect()
    }

    /// What the tests say of those that can be chosen and have one of these names; of all if none is named.
    ///
    /// What does not compile beside its original is given up.
    pub(super) fn judge(
        &mut self,
        homes: &[&str],
        tests: &str,
        names: Option<&[String]>,
    ) -> Result<Tried, String> {
        let programs = self.build(homes, tests)?;
        let is_asked = |name: &String| names.is_none_or(|names| names.contains(name));
        let numbers: Vec<u32> =
            self.chosen.iter().copied().filter(|&number| is_asked(&self.change(number).name)).collect();
        let programs = self.timed(programs)?;
        self.run_all(&programs, &numbers).map_err(|error| format!("cannot run tests: {error}"))
    }

    fn change(&self, number: u32) -> &'a Change {
        &self.changes[number as usize - 1]
    }

    /// The programs of these tests, with all changes that can be chosen.
    fn build(&mut self, homes: &[&str], tests: &str) -> Result<Vec<Program>, String> {
        loop {
            let guarded = self.write()?;
            let mut command = errand::cargo(&self.copy);
            command.args(["test", "--no-run", "--message-format", "json"]).env("RUSTFLAGS", FLAGS);
            // It is built once, and run a thousand times. What was left half done by a build that was ended would not
            // link with what this one makes, if there were such files.
            command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_INCREMENTAL", "0");
            command.args(homes.iter().flat_map(|home| ["--package", home])).args(tests.split(' '));
            let ended = errand::run(&self.copy, &mut command)?;
            let messages = compiler::read(&ended.said);
            if ended.code == Some(0) {
                return Ok(compiler::programs(messages));
            }
            let guilty = compiler::guilty(&messages, &guarded);
            if guilty.is_empty() {
                return Err(format!("the changes do not compile together:\n{}", ended.complained));
            }
            let decides = |number| self.change(number).decides_the_type();
            let mut hopeless = compiler::hopeless(&messages, &guarded, decides);
            self.hopeless.append(&mut hopeless);
            self.chosen.retain(|number| !guilty.contains(number));
            let (chosen, hopeless) = (self.chosen.len(), self.hopeless.len());
            eprintln!(
                "of {} changes {chosen} may compile together, and {hopeless} do not",
                self.changes.len()
            );
        }
    }

    /// Writes the files with the changes in them. A change for which there is no place is given up.
    fn write(&mut self) -> Result<Files, String> {
        let mut guarded = Files::new();
        for (file, text) in &self.before {
            let chosen = self.chosen.iter().map(|&number| (number, self.change(number)));
            let changes: Vec<_> = chosen.filter(|(_, change)| change.file == *file).collect();
            let mut with = Guarded::of(text, &changes).map_err(|error| format!("{file}: {error}"))?;
            if self.roots.contains(file) {
                with.text.push_str(SWITCH);
            }
            let path = self.copy.root.join(file);
            if fs::read_to_string(&path).is_ok_and(|there| there != with.text) {
                fs::write(&path, &with.text).map_err(|error| format!("{}: {error}", path.display()))?;
            }
            guarded.insert(file.clone(), with);
        }
        self.chosen = guarded.values().flat_map(Guarded::numbers).collect();
        Ok(guarded)
    }

    /// The programs, and how long each may take, judged by how long it takes with no change; they must pass, or they
    /// would see everything.
    fn timed(&self, programs: Vec<Program>) -> Result<Vec<(Program, Duration)>, String> {
        let timed = programs.into_iter().map(|program| {
            let limit = self.limit(&program)?;
            Ok((program, limit))
        });
        timed.collect()
    }

    #[expect(clippy::disallowed_methods, reason = "how long tests take, the machine's clock says")]
    fn limit(&self, program: &Program) -> Result<Duration, String> {
        let started = Instant::now();
        let outcome = self.run(program, 0, Duration::from_secs(900)).map_err(|error| error.to_string())?;
        if !matches!(outcome, Outcome::Unseen) {
            return Err(format!("with no change chosen, {} fails", program.file.display()));
        }
        Ok(Duration::from_secs(10) + started.elapsed() * 10)
    }

    /// Runs the programs with each of these changes, on all cores.
    fn run_all(&self, programs: &[(Program, Duration)], numbers: &[u32]) -> io::Result<Tried> {
        let (next, tried) = (AtomicUsize::new(0), Mutex::new(Tried::default()));
        let work = || -> io::Result<()> {
            while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = self.run_until_seen(programs, number)?;
                let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Outcome::Seen => &mut tried.caught,
                    Outcome::Hung => &mut tried.hung,
                    Outcome::Unseen => &mut tried.survivors,
                }
                .push(self.change(number).name.clone());
                show(&tried, numbers.len());
            }
            Ok(())
        };
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let workers: Vec<_> = (0..cores * self.at_a_time).map(|_| scope.spawn(work)).collect();
            let ended = workers.into_iter().map(|worker| worker.join().expect("nothing panics in there"));
            ended.collect::<io::Result<()>>()
        })?;
        Ok(tried.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn run_until_seen(&self, programs: &[(Program, Duration)], number: u32) -> io::Result<Outcome> {
        for (program, limit) in programs {
            let outcome = self.run(program, number, *limit)?;
            if !matches!(outcome, Outcome::Unseen) {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Unseen)
    }

    fn run(&self, program: &Program, number: u32, limit: Duration) -> io::Result<Outcome> {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -v {MEMORY} && exec \"$0\" --quiet --test-threads 1 --skip {BUILDS}"))
            .arg(&program.file);
        command.current_dir(&program.home).env("CARGO_MANIFEST_DIR", &program.home);
        command.env("MUTANT", number.to_string()).env("PROPTEST_RNG_SEED", "1").env("RUST_BACKTRACE", "0");
        // Nothing that fails here shall be remembered or be written beside the tests.
        command.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true").env("INSTA_UPDATE", "no");
        // Nor need it be made smaller: that it fails is enough.
        command.env("PROPTEST_MAX_SHRINK_ITERS", "0");
        command.env("INSTA_WORKSPACE_ROOT", &self.copy.root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let (said, group) = (child.stdout.take(), Pid::from_child(&child));
        let ended = thread::scope(|scope| {
            scope.spawn(move || said.into_iter().for_each(|said| end_at_failure(said, group)));
            errand::wait(child, limit)
        })?;
        Ok(match ended {
            None => Outcome::Hung,
            Some(status) if status.success() => Outcome::Unseen,
            Some(_) => Outcome::Seen,
        })
    }
}

/// The files of the package in this directory with which a crate begins, and by which its modules call it `crate`.
fn roots(root: &Path, package: &str) -> Vec<String> {
    let programs = fs::read_dir(root.join(package).join("src/bin")).into_iter().flatten().flatten();
    let programs = programs.map(|program| format!("bin/{}/main", program.file_name().display()));
    let roots = ["lib".to_owned(), "main".to_owned()].into_iter().chain(programs);
    roots.map(|name| format!("{package}/src/{name}.rs")).filter(|file| root.join(file).is_file()).collect()
}

/// Ends the group of a program of tests at the first that fails, for which it writes an F.
fn end_at_failure(said: impl Read, group: Pid) {
    if BufReader::new(said).bytes().map_while(Result::ok).any(|letter| letter == b'F') {
        // It may have come to its end by now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Tells a terminal how far it is.
fn show(tried: &Tried, all: usize) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let (done, unseen) = (tried.viable(), tried.survivors.len());
        let end = if done == all { "\n" } else { "" };
        // Whether anybody can read it changes nothing.
        let _ = write!(terminal, "\r{done} of {all} tried, {unseen} unseen{end}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// How a program ends that says this.
    fn end_of(script: &str) -> std::process::ExitStatus {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        end_at_failure(child.stdout.take().unwrap(), Pid::from_child(&child));
        child.wait().unwrap()
    }

    #[test]
    fn a_program_of_tests_ends_at_the_first_that_fails() {
        assert_eq!(end_of("printf '..F'; sleep 600").signal(), Some(9));
        assert_eq!(end_of("printf '...'; exit 5").code(), Some(5));
    }
}
