//! Steps of this project that are not cargo's own: checks of the documentation, and runs with other programs.

mod docs;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Steps of this project that are not cargo's own.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Check ids, links, commands and test names in the documentation.
    Docs,
}

fn main() -> ExitCode {
    match Task::parse() {
        Task::Docs => docs::run(&root()),
    }
}

/// The repository's root: the directory above this crate.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_path_buf()
}
