//! The command line: what was typed, and what is meant.

/// Lines on stdout. Who has read enough, as `head` has, does not change how a program ends.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

mod check;
mod exit;
mod faults;
mod interrupt;
mod lists;
mod misfits;
mod page;
mod replay;
mod report;
mod run;
mod sabotage;
mod soak;

pub use exit::Exit;

use crate::ambient;
use crate::campaign::{Seeds, Shard, ShardError};
use crate::compare::Habit;
use crate::faults::FaultClass;
use crate::judge::rules;
use crate::naive::Server;
use crate::plan::Mix;
use crate::plant::Plant;
use crate::saboteur::{Sabotage, sabotages};
use crate::trial::{Conditions, RuleChoice, Stage};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Where Kubernetes says which pod of an indexed Job this is, from 0.
const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Bad days for a Gearman job server, each from one number.
#[derive(Debug, Parser)]
#[command(
    name = "gearman-sim",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
#[command(after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run many seeds and judge them (this is what is done when no command is named)
    Run(RunArgs),
    /// Run one seed or one saved plan again
    Replay(ReplayArgs),
    /// Put the results of several machines together, and judge them as one campaign
    Report(ReportArgs),
    /// Show that the rules see: run servers that are wrong on purpose
    Sabotage(SabotageArgs),
    /// Work for hours on one engine, and see that nothing is left of it
    Soak(SoakArgs),
    /// List the rules that judge
    Rules,
    /// List the classes of faults, or compare them with the machine's own sockets
    Faults(FaultsArgs),
    /// Play a part of that comparison
    #[command(hide = true)]
    Play {
        /// Where the server is
        address: String,
        /// The peer, and what it does; the server if nothing is said
        #[arg(value_enum)]
        peer: Option<Habit>,
    },
    /// Print the digest of each seed, for another process to compare
    #[command(hide = true)]
    Digests(DigestArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// How many seeds, or from which to before which
    #[arg(long, value_name = "N|A..B", default_value = "1000", conflicts_with = "seed")]
    seeds: Seeds,
    /// This seed alone
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Run only the K-th of N equal parts, so that N machines share a campaign; `index/N` takes K from
    /// `JOB_COMPLETION_INDEX`, which Kubernetes sets and counts from 0
    #[arg(long, value_name = "K/N", conflicts_with = "seed", value_parser = parse_shard)]
    shard: Option<Shard>,
    /// How many seeds run at a time; as many as there are processors unless said
    #[arg(short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Run all again in another process, with other hash keys and another number of threads, and compare
    #[arg(long)]
    check: bool,
    /// Show how often peers did what, and where the jobs were then, as well
    #[arg(long)]
    operations: bool,
    /// Write the results to this file as JSON, for `report`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Save the plans of failing seeds in this directory, and on the loopback stage what peers saw
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// A seed, or the file of a plan
    #[arg(value_name = "SEED|PLAN")]
    what: String,
    /// Print everything that the peers saw, and every fault
    #[arg(long)]
    trace: bool,
    /// Save the plan in this directory, to be edited and run again
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// What `run --json` wrote; of a directory, all files that end in .json
    #[arg(value_name = "FILE|DIR", required = true)]
    results: Vec<PathBuf>,
    /// Show how often peers did what, and where the jobs were then, as well
    #[arg(long)]
    operations: bool,
    /// Write the results together to this file as JSON, as if one machine had run all
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables into this page, between the comments <!-- campaign --> and <!-- end of campaign -->
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SabotageArgs {
    /// Which; all unless said
    #[arg(value_name = "NAME", value_parser = parse_sabotage)]
    names: Vec<Sabotage>,
    /// Tell what each does and which rule must catch it, and run nothing
    #[arg(long, conflicts_with_all = ["seeds", "json", "into", "beside", "uniform", "threads", "stage"])]
    list: bool,
    /// How many seeds each gets, or from which to before which; who is caught in fewer than five of these gets three times as many more
    #[arg(long, value_name = "N|A..B", default_value = "100")]
    seeds: Seeds,
    /// Write the table to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the table into this page, between the comments <!-- sabotages --> and <!-- end of sabotages -->
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Compare with another table, whose --json this is: each plan with what another stage has said of it, or, where one of the two is --uniform, the seeds that all need, of which a choice must save three in ten
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// Give every seed all kinds of operations and faults, instead of a choice of its own, to see what choosing is worth
    #[arg(long)]
    uniform: bool,
    /// How many seeds run at a time; as many as there are processors unless said
    #[arg(short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    stage: Stage,
}

#[derive(Debug, Args)]
struct FaultsArgs {
    /// Make each class happen under turmoil and between two processes of this machine, and show what both ends see of it
    #[arg(long)]
    compare: bool,
    /// Write the comparison into this page, between the comments <!-- faults --> and <!-- end of faults -->
    #[arg(long, value_name = "FILE", requires = "compare")]
    into: Option<PathBuf>,
    /// Compare only these classes
    #[arg(value_name = "CLASS", value_parser = parse_fault, requires = "compare", conflicts_with = "into")]
    classes: Vec<FaultClass>,
}

#[derive(Debug, Args)]
struct SoakArgs {
    #[command(subcommand)]
    command: SoakCommand,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum SoakCommand {
    /// One heavy load, the same for hours
    Load {
        /// How many workers there are
        #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        workers: u32,
        /// How many milliseconds each takes for a job
        #[arg(long, value_name = "MS", default_value_t = 860, value_parser = clap::value_parser!(u32).range(1..))]
        job_ms: u32,
        /// How many jobs are submitted in a second
        #[arg(long, value_name = "N", default_value_t = 695, value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
        /// For how many minutes of simulated time they are
        #[arg(long, value_name = "N", default_value_t = 720)]
        minutes: u32,
    },
    /// Mixed work with odd and hostile peers, judged as it goes
    Day {
        /// The seed of the first shift
        #[arg(long, value_name = "S", default_value_t = 0)]
        first_seed: u64,
        /// How many minutes of simulated time it lasts
        #[arg(long, value_name = "N", default_value_t = 1440)]
        minutes: u32,
    },
}

#[derive(Debug, Args)]
struct DigestArgs {
    #[arg(long)]
    seeds: Seeds,
    #[arg(long)]
    shard: Option<Shard>,
    #[arg(short = 'j')]
    threads: u16,
    #[command(flatten)]
    choice: Choice,
}

/// What a seed is run with and judged by.
#[derive(Debug, Args)]
struct Choice {
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    stage: Stage,
    /// Only these classes of faults, by name, with commas between; `none` for none
    #[arg(long, value_name = "LIST", value_parser = parse_mix)]
    faults: Option<Mix>,
    /// Judge only by these rules, by name, with commas between
    #[arg(long, value_name = "LIST", value_parser = parse_rules)]
    rules: Option<RuleChoice>,
    /// Which server to judge: the engine, or the naive model with all that Gearman leaves open drawn at random, whom
    /// no rule may accuse
    #[arg(long, value_enum, default_value_t)]
    server: Server,
    /// Make the server wrong in this way; `sabotage` lists the ways
    #[arg(long, value_name = "NAME", value_parser = parse_sabotage)]
    sabotage: Option<Sabotage>,
    /// Give the server a fault that no rule can see
    #[arg(long, value_enum, hide = true)]
    plant: Option<Plant>,
    /// The program to judge on the loopback stage [default: the gearmand beside this program]
    #[arg(long, value_name = "PATH")]
    gearmand: Option<PathBuf>,
    /// What hash tables are seeded with
    #[arg(long, hide = true, default_value_t = 0)]
    hash_seed: u64,
}

impl Choice {
    fn mix(&self) -> Mix {
        self.faults.clone().unwrap_or_else(Mix::everything)
    }

    fn conditions(&self) -> Conditions {
        let rules = self.rules.clone().unwrap_or_else(RuleChoice::all);
        let &Self { stage, hash_seed, server, sabotage, plant, .. } = self;
        Conditions { stage, rules, hash_seed, server, sabotage, plant, gearmand: self.gearmand.clone() }
    }

    /// The same choice as flags, for a command that is to be typed or started with a seed.
    fn flags(&self) -> Vec<String> {
        let mut flags = self.flags_of_a_plan();
        if let Some(mix) = &self.faults {
            let names: Vec<&str> = mix.classes().map(FaultClass::name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
            flags.extend(["--faults".to_owned(), names]);
        }
        flags
    }

    /// The same for one with a saved plan, whose faults are in it.
    fn flags_of_a_plan(&self) -> Vec<String> {
        let mut flags = Vec::new();
        if self.stage != Stage::default() {
            flags.extend(["--stage".to_owned(), self.stage.name().to_owned()]);
        }
        if self.server != Server::default() {
            flags.extend(["--server".to_owned(), self.server.name().to_owned()]);
        }
        if let Some(rules) = &self.rules {
            flags.extend(["--rules".to_owned(), rules.names().collect::<Vec<&str>>().join(",")]);
        }
        if let Some(sabotage) = &self.sabotage {
            flags.extend(["--sabotage".to_owned(), sabotage.name.to_owned()]);
        }
        if let Some(plant) = self.plant {
            flags.extend(["--plant".to_owned(), plant.name().to_owned()]);
        }
        if let Some(gearmand) = &self.gearmand {
            flags.extend(["--gearmand".to_owned(), gearmand.display().to_string()]);
        }
        flags
    }
}

impl SabotageArgs {
    /// Those that were named, or all.
    fn chosen(&self) -> Vec<Sabotage> {
        if self.names.is_empty() { sabotages() } else { self.names.clone() }
    }
}

/// As [`Shard`] is read, and from the environment of an indexed Job.
fn parse_shard(text: &str) -> Result<Shard, String> {
    let Some(of) = text.strip_prefix("index/") else {
        return text.parse().map_err(|error: ShardError| error.to_string());
    };
    let index = std::env::var(JOB_INDEX).map_err(|_| {
        format!("{JOB_INDEX} is not set: only a pod of an indexed Job has it; write which part of how many, such as 1/4")
    })?;
    let wrong = |_| {
        format!("{JOB_INDEX} is {index:?} and there are {of:?} parts: both are numbers, and it counts from 0")
    };
    let (index, of) = (index.parse().map_err(wrong)?, of.parse().map_err(wrong)?);
    Shard::at(index, of).map_err(|_| {
        format!("{JOB_INDEX} is {index}, and of {of} parts the last has {}", of.saturating_sub(1))
    })
}

fn parse_sabotage(text: &str) -> Result<Sabotage, String> {
    let found = sabotages().into_iter().find(|sabotage| sabotage.name == text);
    found.ok_or_else(|| format!("there is no sabotage {text:?}; `cargo sim sabotage --list` tells them"))
}

fn parse_mix(text: &str) -> Result<Mix, String> {
    if text == "none" {
        return Ok(Mix::of([]));
    }
    text.split(',').map(parse_fault).collect::<Result<Vec<FaultClass>, String>>().map(Mix::of)
}

fn parse_fault(name: &str) -> Result<FaultClass, String> {
    FaultClass::from_name(name)
        .ok_or_else(|| format!("there is no fault {name:?}; `cargo sim faults` lists them"))
}

fn parse_rules(text: &str) -> Result<RuleChoice, String> {
    let named = text.split(',').map(|name| {
        let rule = rules().iter().find(|rule| rule.name == name);
        rule.map(|rule| rule.name)
            .ok_or_else(|| format!("there is no rule {name:?}; `cargo sim rules` lists them"))
    });
    named.collect::<Result<Vec<&'static str>, String>>().map(RuleChoice::of)
}

/// Does what the command line of this process asks for.
#[must_use]
pub fn main() -> Exit {
    ambient::keep_memory();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match cli.command.unwrap_or(Command::Run(cli.run)) {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Report(args) => report::report(&args),
        Command::Sabotage(args) if args.list => lists::sabotages(&args.chosen()),
        Command::Sabotage(args) => sabotage::sabotage(&args),
        Command::Soak(args) => soak::soak(&args),
        Command::Rules => lists::rules(),
        Command::Faults(args) => faults::faults(&args),
        Command::Play { address, peer } => faults::play(&address, peer),
        Command::Digests(args) => check::digests(&args),
    }
}

/// One line that says what is wrong; help and version are asked for and come whole.
fn refuse(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        say!("{error}");
        return Exit::Clean;
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<&str>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    // A value that we refuse ourselves is refused with advice of our own.
    let advice = if error.kind() == ErrorKind::ValueValidation { "" } else { "; see cargo sim --help" };
    complain(&format!("{line}{advice}"));
    Exit::Usage
}

/// One line on stderr.
fn complain(line: &str) {
    eprintln!("gearman-sim: {line}");
}

#[cfg(test)]
mod tests;
