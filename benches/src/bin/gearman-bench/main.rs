//! Side-by-side measurement of Gearman servers.

mod chart;
mod duel;
mod failure;
mod figure;
mod floor;
mod launch;
mod load;
mod options;
mod outs;
mod packet;
mod process;
mod record;
mod row;
mod sample;
mod stopwatch;
mod table;
mod verdict;
mod wire;
mod workload;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Run(duel) => duel.run(),
        Command::Table(table) => table.run(),
        Command::Chart(chart) => chart.run(),
        Command::Floor { address, coalesce } => floor::Floor::serve(address, coalesce),
        Command::List => {
            row::ROWS.iter().for_each(|row| println!("{:<24} {}", row.name, row.workload));
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gearman-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
