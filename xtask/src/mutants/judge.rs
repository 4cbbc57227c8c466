//! Who judges the changes of a package: quick tests first, and for what these do not see, everything else that there is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use super::alone;
use super::together::Together;
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
    pub(super) const fn quick(self) -> &'static str {
        match self {
            Self::Engine => "--lib --test behaviour",
            Self::Protocol => "--lib --test protocol",
            Self::Server => "--lib --bin gearmand --test driver",
            Self::Client => "--lib --test double",
        }
    }

    /// How many programs of its tests a core runs at a time: those of the server mostly wait for processes.
    pub(super) const fn at_a_time(self) -> usize {
        match self {
            Self::Engine | Self::Protocol | Self::Client => 1,
            Self::Server => 4,
        }
    }

    /// The packages of everybody else, and cargo's words for their tests: 200 seeds on bare doors and 50 under turmoil,
    /// and for the core the model beside the engine.
    pub(super) const fn thorough(self) -> (&'static [&'static str], &'static str) {
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
        let mut flags = alone::of(package);
        if let Some(diff) = &self.diff {
            flags.extend(["--in-diff".to_owned(), diff.display().to_string()]);
        }
        if let Some((most, first)) = self.slice {
            let shards = (alone::list(root, &flags)?.len() as u64).div_ceil(most).max(1);
            flags.extend(["--sharding".to_owned(), "round-robin".to_owned()]);
            flags.extend(["--shard".to_owned(), format!("{}/{shards}", first % shards)]);
        }
        Ok(flags)
    }
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

pub(super) fn home(root: &Path) -> PathBuf {
    root.join("target").join("mutants")
}

/// Tries the chosen changes of a package: those that compile beside what they change together, the others alone.
///
/// It does so with few as well: one build with all of them takes as long as about three with one.
pub(super) fn judge(root: &Path, package: Package, choice: &Choice) -> Result<Tried, String> {
    let changes = alone::list(root, &choice.flags(root, package)?)?;
    if changes.is_empty() {
        return Ok(Tried::default());
    }
    let mut together = Together::of(root, package, &changes)?;
    let mut tried = together.judge(&[package.name()], package.quick(), None)?;
    let others = together.others();
    if !tried.survivors.is_empty() {
        let (homes, tests) = package.thorough();
        let thorough = together.judge(homes, tests, Some(&tried.survivors))?;
        tried = tried.then(&thorough)?;
    }
    tried.extend(alone::judge(root, package, &others)?);
    Ok(tried)
}
