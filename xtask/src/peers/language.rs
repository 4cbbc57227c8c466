//! The languages whose libraries take part, and how their scripts are started.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Failure;
use super::process::Running;
use super::server::Server;

/// A client library and a worker library of one language, driven by two scripts in `xtask/peers`.
pub(super) struct Language {
    /// As it is printed, and as it stands in function names.
    pub(super) name: &'static str,
    program: &'static str,
    extension: &'static str,
    /// Arguments with which the program succeeds at once if all it needs is there.
    probe: &'static [&'static str],
}

pub(super) const LANGUAGES: [Language; 3] = [
    Language { name: "php", program: "php", extension: "php", probe: &["-r", "new GearmanClient();"] },
    Language {
        name: "perl",
        program: "perl",
        extension: "pl",
        probe: &["-MGearman::Client", "-MGearman::Worker", "-e1"],
    },
    Language {
        name: "cli",
        program: "bash",
        extension: "sh",
        probe: &["-c", "gearman -H && gearadmin --help"],
    },
];

impl Language {
    /// Fails if the language or its Gearman library is not installed.
    pub(super) fn probe(&self) -> Result<(), Failure> {
        let remedy = "run .ci/install-peers, which installs what is missing";
        let output = Command::new(self.program).args(self.probe).output().map_err(|error| {
            Failure::new(self.name, format!("cannot run {}: {error}; {remedy}", self.program))
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it says nothing");
        Err(Failure::new(self.name, format!("is not ready: {said}; {remedy}")))
    }

    /// The function that this language's worker serves.
    pub(super) fn function(&self) -> String {
        format!("upper-{}", self.name)
    }

    /// The file in which this language's worker notes the workloads it got.
    pub(super) fn record(&self, scratch: &Path) -> PathBuf {
        scratch.join(format!("record-{}", self.name))
    }

    pub(super) fn start_worker(
        &self,
        root: &Path,
        server: &Server,
        scratch: &Path,
    ) -> Result<Running, Failure> {
        let mut command = self.script(root, "worker");
        command.arg(server.port.to_string()).arg(self.function()).arg(self.record(scratch));
        Running::start(format!("{self} worker"), &mut command, scratch)
    }

    /// The command that runs this language's client or worker.
    pub(super) fn script(&self, root: &Path, role: &str) -> Command {
        let mut command = Command::new(self.program);
        command.arg(root.join(format!("xtask/peers/{role}.{}", self.extension)));
        command
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
