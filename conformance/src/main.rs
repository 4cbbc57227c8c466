//! The command line.

use std::process::ExitCode;

use gearman_conformance::command::{execute, parse};
use gearman_conformance::report::Exit;

fn main() -> ExitCode {
    // A panic is this tool's own fault and has an exit code of its own.
    let exit = std::panic::catch_unwind(|| parse().map_or_else(|exit| exit, execute)).unwrap_or(Exit::Own);
    ExitCode::from(exit.code())
}
