//! Building for ThreadSanitizer, and running what was built.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use super::PACKAGES;
use crate::copy::Copy;
use crate::copy::errand::{self, Ended};

/// For what machine: naming it keeps the flags from what only builds.
const MACHINE: &str = "x86_64-unknown-linux-gnu";

/// What the compiler is told, beside what `.cargo/config.toml` says, which these flags replace. Unsafe code is what a
/// planted race needs.
const FLAGS: &str = "--cfg tokio_unstable -Zsanitizer=thread --cap-lints allow";

/// The programs of their tests. Those of `gearmand` are about one process in its surroundings, and the driver's stop
/// the clock and stay on one thread.
const PROGRAMS: [&str; 4] = ["sockets", "wire", "double", "loopback"];

/// The copy of the tree, and where reports of what runs there are written.
pub(super) struct Sanitizer {
    root: PathBuf,
    pub(super) copy: Copy,
    reports: PathBuf,
}

/// What came of a run.
pub(super) struct Run {
    pub(super) reports: Vec<String>,
    /// Whether it ended well. Tests in which something is reported do not.
    pub(super) is_fine: bool,
    /// What was done, in words.
    pub(super) did: String,
    /// All that it printed.
    pub(super) said: String,
}

/// The standard library is built for ThreadSanitizer as well, or what its locks protect would seem to race.
pub(super) fn install_source() -> Result<(), String> {
    let output = Command::new("rustc").arg("+nightly").args(["--print", "sysroot"]).output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    let sysroot = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(
            "it needs a nightly toolchain: rustup toolchain install nightly --profile minimal".to_owned()
        );
    }
    if Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").exists() {
        return Ok(());
    }
    let status =
        Command::new("rustup").args(["component", "add", "rust-src", "--toolchain", "nightly"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            Err("rustup cannot add the source of the standard library: see what it says above".to_owned())
        }
        Err(error) => Err(format!("rustup, which shall add the source of the standard library: {error}")),
    }
}

impl Sanitizer {
    pub(super) fn new(root: &Path, copy: Copy) -> Result<Self, String> {
        let reports = copy.target.join("reports");
        fs::create_dir_all(&reports).map_err(|error| format!("{}: {error}", reports.display()))?;
        Ok(Self { root: root.to_path_buf(), copy, reports })
    }

    /// Runs every test of what starts tasks.
    pub(super) fn all_tests(&self) -> Result<Run, String> {
        let programs = PROGRAMS.iter().flat_map(|name| ["--test".to_owned(), (*name).to_owned()]);
        let arguments: Vec<String> = std::iter::once("--lib".to_owned()).chain(programs).collect();
        self.tests(&arguments, "")
    }

    /// Runs those tests of what cargo finds by these arguments whose names hold this.
    pub(super) fn tests(&self, arguments: &[String], name: &str) -> Result<Run, String> {
        built(self.cargo_test().args(arguments).arg("--no-run"))?;
        let mut command = self.cargo_test();
        command.args(arguments).args(["--no-fail-fast", "--", name]);
        self.run(&mut command, |ended| {
            let passed = passed(&ended.said);
            (passed > 0 && ended.code == Some(0), format!("{passed} passed"))
        })
    }

    /// Puts the program through these seeds in real time, which the simulator of the tree itself does.
    pub(super) fn program(&self, seeds: Range<u64>) -> Result<Run, String> {
        // The program is built with its package's tests; built alone, all that it needs would be built once more.
        built(self.cargo_test().args(["--test", "loopback", "--no-run"]))?;
        let mut build = Command::new("cargo");
        build.args(["build", "--release", "--package", "gearman-sim"]).current_dir(&self.root);
        built(build.env("CARGO_TARGET_DIR", self.root.join("target")))?;
        let mut command = Command::new(self.root.join("target/release/gearman-sim"));
        command.args(["run", "--stage", "loopback", "--gearmand"]);
        command.arg(self.copy.target.join(MACHINE).join("debug/gearmand"));
        command.args(["--seeds", &format!("{}..{}", seeds.start, seeds.end), "-j", "8"]);
        self.run(&mut command, |ended| {
            let summary = ended.said.lines().find(|line| line.contains(" not clean, "));
            // Few seeds may be too poor for the simulator to call them clean, which is code 6.
            (matches!(ended.code, Some(0 | 6)), summary.unwrap_or("no seed").to_owned())
        })
    }

    /// Always with the same packages, so that what they need is built once.
    fn cargo_test(&self) -> Command {
        let mut command = Command::new("cargo");
        command.args(["+nightly", "test", "-Zbuild-std", "--target", MACHINE]).current_dir(&self.copy.root);
        for package in PACKAGES {
            command.args(["--package", &format!("gearman-{package}")]);
        }
        command.env("CARGO_TARGET_DIR", &self.copy.target).env("RUSTFLAGS", FLAGS);
        command
    }

    /// Runs something whose threads are watched, to its end.
    fn run(&self, command: &mut Command, judge: impl Fn(&Ended) -> (bool, String)) -> Result<Run, String> {
        let failed = |error: io::Error| format!("{}: {error}", self.reports.display());
        fs::remove_dir_all(&self.reports).and_then(|()| fs::create_dir_all(&self.reports)).map_err(failed)?;
        let ended = errand::run(&self.copy, command.env("TSAN_OPTIONS", self.options()))?;
        let (is_fine, did) = judge(&ended);
        let reports = reports_in(&self.reports).map_err(failed)?;
        Ok(Run { reports, is_fine, did, said: ended.said + &ended.complained })
    }

    /// That one socket's bytes are read after they were written orders nothing that we rely on, and would hide much:
    /// `io_sync=0`.
    fn options(&self) -> String {
        let (reports, known) = (self.reports.join("report"), self.root.join("xtask/races.supp"));
        format!(
            "io_sync=0 allow_addr2line=1 log_path='{}' suppressions='{}'",
            reports.display(),
            known.display()
        )
    }
}

/// Builds, which may take as long as it likes, and says what it does.
fn built(command: &mut Command) -> Result<(), String> {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("it does not build ({status}): see above")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// How many tests have passed.
fn passed(said: &str) -> u64 {
    let counts = said
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ")?.split_once(". ")?.1.split_once(" passed"));
    counts.filter_map(|(count, _)| count.parse::<u64>().ok()).sum()
}

/// Every report of every process, which has written its own file.
fn reports_in(directory: &Path) -> io::Result<Vec<String>> {
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory)? {
        let text = fs::read_to_string(entry?.path())?;
        reports.extend(each_report(&text));
    }
    Ok(reports)
}

/// A report ends with a line of signs, and begins with one.
fn each_report(text: &str) -> impl Iterator<Item = String> {
    text.split("==================")
        .filter(|part| part.contains("WARNING: ThreadSanitizer"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_programs_that_were_run_count() {
        let said = "running 2 tests\ntest result: ok. 2 passed; 0 failed\n\ntest result: FAILED. 30 passed; 1 failed";
        assert_eq!(passed(said), 32);
        assert_eq!(passed("running 2 tests\nSegmentation fault"), 0);
    }

    #[test]
    fn reports_are_told_apart() {
        let sign = "==================";
        let text = format!(
            "{sign}\nWARNING: ThreadSanitizer: data race (pid=1)\n  a\n{sign}\n\
             {sign}\nWARNING: ThreadSanitizer: data race (pid=1)\n  b\n{sign}\nThreadSanitizer: reported 2 warnings\n"
        );
        let reports: Vec<String> = each_report(&text).collect();
        assert_eq!(reports.len(), 2);
        assert!(reports[0].ends_with("  a\n") && reports[1].ends_with("  b\n"));
    }
}
