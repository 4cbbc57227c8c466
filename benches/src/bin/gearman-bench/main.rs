//! Side-by-side measurement of Gearman servers.

mod chart;
mod children;
mod duel;
mod failure;
mod figure;
mod floor;
mod launch;
mod load;
mod machine;
mod options;
mod outs;
mod packet;
mod process;
mod record;
mod report;
mod row;
mod sample;
mod say;
mod scaling;
mod stopwatch;
mod table;
mod timed;
mod verdict;
mod wire;
mod workload;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Options::parse().command;
    let outcome = children::end_with_signals().and_then(|()| run(command));
    match outcome {
        Ok(()) | Err(failure::Failure::Unheard) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gearman-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> failure::Result<()> {
    match command {
        Command::Run(duel) => duel.run(),
        Command::Table(table) => table.run(),
        Command::Chart(chart) => chart.run(),
        Command::Scaling(scaling) => scaling.run(),
        Command::Timed { address, told_at } => timed::serve(address, told_at),
        Command::Floor { address, coalesce } => floor::Floor::serve(address, coalesce),
        Command::List => {
            row::ROWS.iter().try_for_each(|row| say::say(format_args!("{:<24} {}", row.name, row.workload)))
        }
    }
}
