//! The command line.

use std::process::ExitCode;

use clap::Parser as _;
use gearman_conformance::command::{CommandLine, execute};
use gearman_conformance::report::Exit;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    // A panic is this tool's own fault and has an exit code of its own.
    let exit = std::panic::catch_unwind(|| execute(line)).unwrap_or(Exit::Own);
    ExitCode::from(exit.code())
}
