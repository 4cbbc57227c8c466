//! Steps of this project that are not cargo's own: checks of the documentation, and runs with other programs.

mod copy;
mod docs;
mod monitoring;
mod mutants;
mod package;
mod patience;
mod peers;
mod planted;
mod room;
mod threads;
mod tshark;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Steps of this project that are not cargo's own.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Check ids, links, commands and test names in the documentation.
    Docs,
    /// Write gearmand's manual page and completions to target/manual.
    Manual,
    /// Make a Debian package of gearmand, with its manual, in target/debian; needs cargo-deb.
    Package,
    /// Check the alert rules, and what the server tells Prometheus, with promtool.
    Monitoring,
    /// Break each sentence of docs/semantics.md, and what threads rely on, in a copy of the tree, and see a test fail
    /// that is named beside it.
    PlantedBugs(planted::Options),
    /// Bring bugs of the past back in a copy of the tree, one at a time, and see the simulator notice.
    HistoricalBugs(planted::historical::Options),
    /// Change each expression of the server in a copy of the tree, and see the tests and the simulator notice; needs
    /// cargo-mutants.
    Mutants(mutants::Options),
    /// Run what threads hand to each other under many schedules, each of which may be the one that goes wrong.
    Threads(threads::Options),
    /// Run what runs on many threads under ThreadSanitizer, in a copy of the tree, and see it report races that are
    /// planted; needs a nightly toolchain, to which it adds the source of the standard library.
    Races(planted::races::Options),
    /// Run real clients and workers in six languages against our server; .ci/install-peers installs them.
    Peers(peers::Options),
    /// Compare what the recorder reads in a capture with what tshark reads in it; needs tshark.
    Tshark(tshark::Options),
}

fn main() -> ExitCode {
    match Task::parse() {
        Task::Docs => docs::run(&root()),
        Task::Manual => package::manual(&root()),
        Task::Package => package::debian(&root()),
        Task::Monitoring => monitoring::run(&root()),
        Task::PlantedBugs(options) => planted::run(&root(), &options),
        Task::HistoricalBugs(options) => planted::historical::run(&root(), &options),
        Task::Mutants(options) => mutants::run(&root(), &options),
        Task::Threads(options) => threads::run(&root(), &options),
        Task::Races(options) => planted::races::run(&root(), &options),
        Task::Peers(options) => peers::run(&root(), &options),
        Task::Tshark(options) => tshark::run(&root(), &options),
    }
}

/// The repository's root: the directory above this crate.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_path_buf()
}
