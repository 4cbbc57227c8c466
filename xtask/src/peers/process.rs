//! Other programs: started, waited for, and never left behind.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;
use std::{fmt, io};

use super::Failure;

/// How often a condition is looked at, and how many times before it counts as never coming true: one minute.
/// Nothing is decided by time except that; a slow machine only makes the step slower.
const PAUSE: Duration = Duration::from_millis(20);
const LOOKS: usize = 3000;

/// Returns when `condition` holds, or an error that says how long it did not.
pub(super) fn wait_until(mut condition: impl FnMut() -> bool) -> Result<(), &'static str> {
    for _ in 0..LOOKS {
        if condition() {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err("within a minute")
}

/// A program that runs until it is dropped.
pub(super) struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command` with everything it says going to a file in `scratch`.
    pub(super) fn start(name: String, command: &mut Command, scratch: &Path) -> Result<Self, Failure> {
        let log = scratch.join(format!("{}.log", name.replace(' ', "-")));
        let start = || -> io::Result<Child> {
            let out = File::create(&log)?;
            let err = out.try_clone()?;
            command.stdin(Stdio::null()).stdout(out).stderr(err).spawn()
        };
        let child = { start }().map_err(|error| Failure::io(name.as_str(), "cannot start", &error))?;
        Ok(Self { name, child, log })
    }

    /// Fails if the program has ended, with what it said; `during` says in which step.
    pub(super) fn check_alive(&mut self, during: impl fmt::Display) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failure(format!("ended with {status} during: {during}"))),
            Err(error) => Err(Failure::io(self.name.as_str(), "cannot be asked for its state", &error)),
        }
    }

    /// A failure of this program, with the last lines it said.
    pub(super) fn failure(&self, what: impl fmt::Display) -> Failure {
        Failure::new(self.name.as_str(), format!("{what}{}", said(&fs::read(&self.log).unwrap_or_default())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if the program has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How a program that ran to its end ended.
pub(super) struct Outcome {
    /// None if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    status: ExitStatus,
    stderr: Vec<u8>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.status, said(&self.stderr))
    }
}

/// Runs `command` with `input` on its standard input; the error says what went wrong.
/// Input and output must be small enough for a pipe to hold them.
pub(super) fn run(command: &mut Command, input: &[u8]) -> Result<Outcome, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start: {error}"))?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let ended = wait_until(|| !matches!(child.try_wait(), Ok(None)));
    if ended.is_err() {
        // It may end by itself just now; then there is nothing to kill.
        drop(child.kill());
    }
    let status = child.wait().map_err(|error| format!("cannot be waited for: {error}"))?;
    let outcome =
        Outcome { code: status.code(), stdout: read(child.stdout), status, stderr: read(child.stderr) };
    ended.map_err(|late| format!("did not end {late}{}", said(&outcome.stderr)))?;
    match written {
        Some(Err(error)) => Err(format!("did not read its workload: {error}; {outcome}")),
        _ => Ok(outcome),
    }
}

/// What a program that has ended left in its pipe.
fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        drop(pipe.read_to_end(&mut bytes));
    }
    bytes
}

/// The last lines of `output`, each on a line of its own, to be put behind a failure.
fn said(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(8)..];
    last.iter().map(|line| format!("\n    | {line}")).collect()
}
