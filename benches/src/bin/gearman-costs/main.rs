//! What codec and engine cost, in figures that do not depend on how busy the machine is.

mod cases;
mod ledger;
mod slowest;
mod valgrind;

use cases::CASES;
use clap::Parser;
use ledger::{Cost, Ledger};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Counts what codec and engine cost: instructions and allocations under valgrind, and the slowest single call.
#[derive(Parser)]
#[command(name = "gearman-costs")]
enum Command {
    /// Count, and fail if anything has risen since the file was recorded: 3 % more instructions, or an allocation more.
    Check {
        /// The costs to compare with [default: benches/costs.json].
        file: Option<PathBuf>,
    },
    /// Count, and write the file.
    Record {
        /// Where to [default: benches/costs.json].
        file: Option<PathBuf>,
    },
    /// Time every single call while a queue grows deep and empties, while all of it becomes due or late at one moment, and
    /// while a peer leaves that watches or holds all of it; fail if one takes over a millisecond.
    Slowest {
        /// How many jobs there are at most.
        #[arg(long, default_value_t = 4_000_000)]
        depth: usize,
        /// How often; of each call the least time counts.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Do one thing many times, for a tool that watches.
    Case {
        /// What to do.
        name: String,
        /// How often.
        times: usize,
    },
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Check { file } => check(&file.unwrap_or_else(Ledger::path)),
        Command::Record { file } => {
            count().and_then(|costs| Ledger::new(costs).write(&file.unwrap_or_else(Ledger::path)))
        }
        Command::Slowest { depth, rounds } => slowest::run(depth, rounds),
        Command::Case { name, times } => case(&name, times),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gearman-costs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn case(name: &str, times: usize) -> Result<(), String> {
    let case = CASES.iter().find(|case| case.name == name).ok_or_else(|| format!("{name} is no case"))?;
    (case.run)(times);
    Ok(())
}

fn count() -> Result<BTreeMap<String, Cost>, String> {
    let mut costs = BTreeMap::new();
    for case in CASES {
        let cost = valgrind::cost(case)?;
        println!(
            "{:<24} {:>10} instructions {:>6} allocations",
            case.name, cost.instructions, cost.allocations
        );
        costs.insert(case.name.to_owned(), cost);
    }
    Ok(costs)
}

fn check(file: &std::path::Path) -> Result<(), String> {
    let ledger = Ledger::read(file)?;
    let risen = ledger.risen(&count()?);
    let way = "if that must be so, say why in the commit and record anew: cargo costs record";
    if risen.is_empty() { Ok(()) } else { Err(format!("costs have risen; {way}\n  {}", risen.join("\n  "))) }
}
