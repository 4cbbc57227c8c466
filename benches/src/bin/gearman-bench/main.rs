//! Side-by-side measurement of Gearman servers.

mod failure;
mod floor;
mod load;
mod options;
mod outs;
mod packet;
mod process;
mod sample;
mod stopwatch;
mod wire;
mod workload;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Run(one) => one.run(),
        Command::Floor { address } => floor::Floor::serve(address),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gearman-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
