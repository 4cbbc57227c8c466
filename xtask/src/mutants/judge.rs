//! Who judges the changes of a package: quick tests first, and for what these do not see, everything else that there is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use super::tried::Tried;

/// A package whose code is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Package {
    Engine,
    Protocol,
    Server,
    Client,
}

impl Package {
    pub(super) const ALL: [Self; 4] = [Self::Engine, Self::Protocol, Self::Server, Self::Client];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Engine => "gearman-engine",
            Self::Protocol => "gearman-protocol",
            Self::Server => "gearman-server",
            Self::Client => "gearman-client",
        }
    }

    /// The directory it lies in.
    pub(super) fn directory(self) -> &'static str {
        self.name().trim_start_matches("gearman-")
    }

    /// cargo's words for the package's own tests that take seconds.
    const fn quick(self) -> &'static str {
        match self {
            Self::Engine => "--lib --test behaviour",
            Self::Protocol => "--lib --test protocol",
            Self::Server => "--lib --test driver",
            Self::Client => "--lib --test double",
        }
    }

    /// The packages of everybody else, and cargo's words for their tests: 200 seeds on bare doors and 50 under turmoil,
    /// and for the core the model beside the engine.
    const fn thorough(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Engine => (
                &["gearman-engine", "gearman-model", "gearman-sim"],
                "--test properties --test against_engine --test campaign",
            ),
            Self::Protocol => (
                &["gearman-engine", "gearman-model", "gearman-sim"],
                "--test behaviour --test against_engine --test campaign",
            ),
            Self::Server => {
                (&["gearman-server", "gearman-sim"], "--test loopback --test gearmand --test campaign")
            }
            Self::Client => (&["gearman-sim"], "--test campaign"),
        }
    }
}

/// Which changes are tried.
pub(super) struct Choice {
    /// Only those in lines that this file, a diff, adds.
    diff: Option<PathBuf>,
    /// At most so many of each package, and which.
    slice: Option<(u64, u64)>,
}

impl Choice {
    pub(super) fn new(
        root: &Path,
        since: Option<&str>,
        count: Option<u64>,
        first: u64,
    ) -> Result<Self, String> {
        let diff = since.map(|commit| diff_since(root, commit)).transpose()?;
        Ok(Self { diff, slice: count.map(|count| (count, first)) })
    }

    /// Whether none is left out.
    pub(super) const fn is_whole(&self) -> bool {
        self.diff.is_none() && self.slice.is_none()
    }

    /// cargo-mutants' words for it.
    fn flags(&self, root: &Path, package: Package) -> Result<Vec<String>, String> {
        let mut flags = of(package);
        if let Some(diff) = &self.diff {
            flags.extend(["--in-diff".to_owned(), diff.display().to_string()]);
        }
        if let Some((most, first)) = self.slice {
            let shards = count(root, &flags)?.div_ceil(most).max(1);
            flags.extend(["--sharding".to_owned(), "round-robin".to_owned()]);
            flags.extend(["--shard".to_owned(), format!("{}/{shards}", first % shards)]);
        }
        Ok(flags)
    }
}

/// cargo-mutants' words for all changes of a package, in order.
fn of(package: Package) -> Vec<String> {
    ["--package", package.name(), "--no-shuffle"].map(str::to_owned).into()
}

/// How many changes these flags choose.
fn count(root: &Path, flags: &[String]) -> Result<u64, String> {
    let output = cargo_mutants(root).arg("--list").args(flags).output().map_err(|error| absent(&error))?;
    if !output.status.success() {
        return Err(format!("cargo mutants --list: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count() as u64)
}

fn diff_since(root: &Path, commit: &str) -> Result<PathBuf, String> {
    let mut command = Command::new("git");
    command.args(["diff", "--no-ext-diff", commit, "--", "*.rs"]).current_dir(root);
    let output = command.output().map_err(|error| format!("git diff: {error}"))?;
    if !output.status.success() {
        return Err(format!("git diff {commit}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let file = home(root).join("changed.diff");
    let written = fs::create_dir_all(home(root)).and_then(|()| fs::write(&file, output.stdout));
    written.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn home(root: &Path) -> PathBuf {
    root.join("target").join("mutants")
}

/// Tries the chosen changes of a package.
pub(super) fn judge(root: &Path, package: Package, choice: &Choice) -> Result<Tried, String> {
    let flags = choice.flags(root, package)?;
    let home = home(root).join(package.name());
    // What an earlier run has seen would be skipped.
    match fs::remove_dir_all(&home) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", home.display()));
        }
        _ => {}
    }
    if count(root, &flags)? == 0 {
        return Ok(Tried::default());
    }
    let quick = pass(root, &home.join("quick"), &flags, package.quick(), "60")?;
    if quick.survivors.is_empty() {
        return Ok(quick);
    }
    let mut flags = of(package);
    flags.extend(
        quick.survivors.iter().flat_map(|name| ["--re".to_owned(), format!("^{}$", literally(name))]),
    );
    let (homes, tests) = package.thorough();
    flags.extend(["--test-package", &homes.join(",")].map(str::to_owned));
    // Before it changes anything, cargo-mutants would try these tests in the package alone.
    flags.extend(["--baseline", "skip"].map(str::to_owned));
    passes(root, homes, tests)?;
    let thorough = pass(root, &home.join("thorough"), &flags, tests, "300")?;
    quick.then(&thorough)
}

/// A regular expression that only this text matches.
fn literally(text: &str) -> String {
    let mut expression = String::new();
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            expression.push('\\');
        }
        expression.push(letter);
    }
    expression
}

/// Sees that the tests pass with nothing changed: otherwise they would see everything.
fn passes(root: &Path, homes: &[&str], tests: &str) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet"]).args(homes.iter().flat_map(|home| ["--package", home]));
    command.args(tests.split(' ')).current_dir(root).env("CARGO_TARGET_DIR", home(root).join("target"));
    as_judged(&mut command);
    let status = command.status().map_err(|error| absent(&error))?;
    if status.success() { Ok(()) } else { Err(format!("with nothing changed, cargo test {tests} fails")) }
}

/// One run of cargo-mutants, in which no tests may take longer than so many seconds.
fn pass(root: &Path, home: &Path, flags: &[String], tests: &str, limit: &str) -> Result<Tried, String> {
    fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut command = cargo_mutants(root);
    command
        .args(flags)
        .args(["--no-times", "--timeout", limit, "--build-timeout", "600", "--output"])
        .arg(home);
    command.arg("--").args(tests.split(' '));
    let status = command.status().map_err(|error| absent(&error))?;
    // 2: some were not seen; 3: some did not end.
    match status.code() {
        Some(0 | 2 | 3) => Tried::read(home),
        Some(4) => Err(format!("with nothing changed, cargo test {tests} fails")),
        _ => Err(format!("cargo mutants ended with {status}")),
    }
}

/// What is built is small, is built again and again, and computes little.
fn cargo_mutants(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.arg("mutants").current_dir(root).env_remove("CARGO_TARGET_DIR");
    // What Debug prints is for people who look for an error, and through the checks of its tables tests look into the
    // engine: neither is what a server does.
    command.args(["--exclude-re", "impl fmt::Debug", "--exclude", "engine/src/check/**"]);
    command.args(["--exclude", "engine/src/check.rs"]);
    as_judged(&mut command);
    command
}

/// How tests are built and run, with a change and without.
fn as_judged(command: &mut Command) {
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
    // A change is seen or not: what properties are tried with must not decide it anew each time.
    command.env("CARGO_INCREMENTAL", "1").env("PROPTEST_RNG_SEED", "1");
}

fn absent(error: &std::io::Error) -> String {
    format!("cargo does not start: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_stands_for_one_name() {
        let name = "engine/src/a.rs:9:9: replace <impl A<T>>::f -> Vec<[u8; 2]> with (*b)?";
        assert_eq!(
            literally(name),
            r"engine/src/a\.rs:9:9: replace <impl A<T>>::f -> Vec<\[u8; 2\]> with \(\*b\)\?",
        );
    }
}
