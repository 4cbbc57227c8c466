//! The jobs that one language's client gives to one language's worker.

use std::path::Path;
use std::{fmt, fs};

use super::Failure;
use super::language::Language;
use super::process::{Outcome, run, wait_until};
use super::server::Server;

/// What the client scripts exit with when the job failed.
const JOB_FAILED: i32 = 3;

/// A client, a worker, and where they meet.
pub(super) struct Pair<'a> {
    pub(super) client: &'a Language,
    pub(super) worker: &'a Language,
    pub(super) root: &'a Path,
    pub(super) server: &'a Server,
    pub(super) scratch: &'a Path,
}

impl Pair<'_> {
    /// Runs one job after another; the last shows that the worker has survived the failing one.
    pub(super) fn run(&self) -> Result<(), Failure> {
        self.foreground()?;
        self.background()?;
        self.failing()?;
        self.foreground()
    }

    /// A foreground job with every byte there is: the result comes back.
    fn foreground(&self) -> Result<(), Failure> {
        let workload: Vec<u8> = (0..=u8::MAX).collect();
        let outcome = self.submit("foreground", &workload)?;
        self.expect_success("foreground", &outcome)?;
        let (got, expected) = (&outcome.stdout, workload.to_ascii_uppercase());
        if *got != expected {
            let same = got.iter().zip(&expected).take_while(|(one, other)| one == other).count();
            let what = format!(
                "wrong result: of {} bytes, {} came, and {same} are right",
                expected.len(),
                got.len()
            );
            return Err(self.failure("foreground", what));
        }
        Ok(())
    }

    /// A background job: the client gets a handle, and the worker gets the workload.
    fn background(&self) -> Result<(), Failure> {
        let workload = self.background_workload();
        let outcome = self.submit("background", workload.as_bytes())?;
        self.expect_success("background", &outcome)?;
        if !String::from_utf8_lossy(&outcome.stdout).contains(':') {
            return Err(
                self.failure("background", format!("no handle in `{}`", outcome.stdout.escape_ascii()))
            );
        }
        wait_until(|| self.background_runs() > 0)
            .map_err(|late| self.failure("background", format!("the worker did not get the job {late}")))
    }

    /// The background job ran once; to be asked when no job is left that might run it again.
    pub(super) fn check_ran_once(&self) -> Result<(), Failure> {
        match self.background_runs() {
            1 => Ok(()),
            runs => Err(self.failure("background", format!("ran {runs} times"))),
        }
    }

    fn background_workload(&self) -> String {
        format!("from {} to {} in the background", self.client, self.worker)
    }

    /// How often the worker has noted this pair's background job.
    fn background_runs(&self) -> usize {
        let record = fs::read(self.worker.record(self.scratch)).unwrap_or_default();
        String::from_utf8_lossy(&record).matches(&self.background_workload()).count()
    }

    /// A job whose worker fails it: the client hears so.
    /// Perl's worker sends WORK_EXCEPTION and WORK_FAIL, and gives up when the second is answered with an ERROR (H-132).
    fn failing(&self) -> Result<(), Failure> {
        let outcome = self.submit("failing", b"fail")?;
        if outcome.code == Some(JOB_FAILED) {
            return Ok(());
        }
        Err(self.failure("failing", format!("the client did not hear of the failure: {outcome}")))
    }

    fn submit(&self, step: &str, workload: &[u8]) -> Result<Outcome, Failure> {
        let mode = if step == "background" { "background" } else { "foreground" };
        let mut command = self.client.script(self.root, "client");
        command.arg(self.server.port.to_string()).arg(mode).arg(self.worker.function());
        run(&mut command, workload).map_err(|what| self.failure(step, what))
    }

    fn expect_success(&self, step: &str, outcome: &Outcome) -> Result<(), Failure> {
        if outcome.code == Some(0) { Ok(()) } else { Err(self.failure(step, outcome.to_string())) }
    }

    fn failure(&self, step: &str, what: impl Into<String>) -> Failure {
        Failure::new(format!("{self}: {step} job"), what)
    }
}

impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} client -> {} worker", self.client, self.worker)
    }
}
