//! Real clients and real workers against a job server, in every language that `peers/` has a driver for.
//!
//! Conformance cases show that the server speaks the protocol as we read it.
//! This step shows that it speaks it as the libraries people use read it.

mod actor;
mod cast;
mod language;
mod process;
mod report;
mod run;
mod script;
mod server;
mod stage;
mod tool;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fmt, io, thread};

use clap::ValueEnum;

use self::language::Language;
use self::report::{Entry, Outcome};
use self::run::Run;
use self::script::Scenario;
use self::server::Server;
use crate::patience::comes_true;

/// For how long a condition is looked at before it counts as never coming true.
/// Nothing is decided by time except that; a slow machine only makes the step slower.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which server to run the clients and workers against, and what to ask of them.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Meet at this server, which runs already, instead of starting our own.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "launch")]
    server: Option<String>,
    /// Start this server instead of our own; `{port}` stands for the port to listen on.
    #[arg(long, value_name = "COMMAND")]
    launch: Option<String>,
    /// The name of that server: what `peers/scenarios.toml` says that it does otherwise is not asked of it.
    #[arg(long, value_name = "NAME")]
    known_as: Option<String>,
    /// Only these languages.
    #[arg(long = "language", value_name = "NAME")]
    languages: Vec<String>,
    /// Only these scenarios.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// In which scenarios each actor is killed at each step.
    #[arg(long, value_enum, default_value_t = Kills::Some)]
    kills: Kills,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kills {
    /// In none.
    None,
    /// In those that are marked for it, which is what each push has time for.
    Some,
    /// In all.
    All,
}

/// What failed: whose part, and how.
#[derive(Debug)]
struct Failure {
    who: String,
    what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peers: {}: {}", self.who, self.what)
    }
}

impl Failure {
    fn new(who: impl Into<String>, what: impl Into<String>) -> Self {
        Self { who: who.into(), what: what.into() }
    }

    /// An error of the operating system, met while doing `what`.
    fn io(who: impl Into<String>, what: &str, error: &io::Error) -> Self {
        Self::new(who, format!("{what}: {error}"))
    }
}

/// Runs the scenarios and prints what came out; fails if any did.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match run_all(root, options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn run_all(root: &Path, options: &Options) -> Result<bool, Failure> {
    let languages = language::read(root)?;
    languages.iter().try_for_each(Language::probe)?;
    let scenarios = script::read(root)?;
    let servers: BTreeSet<String> = scenarios.iter().flat_map(|one| one.differs.keys().cloned()).collect();
    chosen(servers.into_iter().collect(), options.known_as.as_slice(), "server", |name| name)?;
    let scenarios = chosen(scenarios, &options.scenarios, "scenario", |scenario| &scenario.name)?;
    let names: Vec<String> = languages.iter().map(|language| language.name.clone()).collect();
    let names = chosen(names, &options.languages, "language", |name| name)?;
    let command = match (&options.server, &options.launch) {
        (Some(address), _) => address.clone(),
        (None, Some(command)) => command.clone(),
        (None, None) => server::build(root)?,
    };
    let at_work: Vec<&Language> =
        languages.iter().filter(|language| names.contains(&language.name)).collect();
    let entries = play(&at_work, &languages, &scenarios, &command, options)?;
    if options.json {
        println!("{}", report::json(&command, &entries));
    } else {
        println!("{}", report::table(&names, &entries));
    }
    Ok(!entries.iter().any(|entry| matches!(entry.outcome, Outcome::Failed(_))))
}

/// Those of `all` that are asked for by name, or all.
fn chosen<T>(
    all: Vec<T>,
    asked: &[String],
    what: &str,
    name: impl Fn(&T) -> &String,
) -> Result<Vec<T>, Failure> {
    if let Some(unknown) = asked.iter().find(|asked| !all.iter().any(|one| name(one) == *asked)) {
        let known: Vec<&str> = all.iter().map(|one| name(one).as_str()).collect();
        return Err(Failure::new(
            "xtask",
            format!("no {what} is called {unknown}; there are {}", known.join(", ")),
        ));
    }
    Ok(all.into_iter().filter(|one| asked.is_empty() || asked.contains(name(one))).collect())
}

/// A few languages at the same time, each at a server of its own; one after another where there is only one server.
fn play(
    at_work: &[&Language],
    languages: &[Language],
    scenarios: &[Scenario],
    command: &str,
    options: &Options,
) -> Result<Vec<Entry>, Failure> {
    let at_once =
        if options.server.is_some() { 1 } else { thread::available_parallelism().map_or(2, usize::from) + 1 };
    let next = AtomicUsize::new(0);
    let one = || {
        let mut entries = Vec::new();
        while let Some(language) = at_work.get(next.fetch_add(1, Ordering::Relaxed)) {
            entries.extend(play_language(language, languages, scenarios, command, options)?);
        }
        Ok(entries)
    };
    let entries: Vec<Vec<Entry>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<_, Failure>>()
    })?;
    let mut entries: Vec<Entry> = entries.into_iter().flatten().collect();
    // Scenario by scenario, and what kills behind what does not, in the order of the file.
    let place = |entry: &Entry| {
        let name = entry.scenario.strip_prefix(run::KILL);
        let at = scenarios.iter().position(|one| one.name == name.unwrap_or(&entry.scenario));
        (name.is_some(), at)
    };
    entries.sort_by_key(place);
    Ok(entries)
}

fn play_language(
    language: &Language,
    languages: &[Language],
    scenarios: &[Scenario],
    command: &str,
    options: &Options,
) -> Result<Vec<Entry>, Failure> {
    let server = if options.server.is_some() { Server::elsewhere(command)? } else { Server::start(command)? };
    let mut run = Run::new(language, languages, server, options.known_as.as_deref());
    let mut entries = Vec::new();
    // What is about one language is no question to the others.
    let about = |scenario: &&Scenario| scenario.only.as_ref().is_none_or(|only| *only == language.name);
    for scenario in scenarios.iter().filter(about) {
        entries.push(told(run.scenario(scenario)));
    }
    let swept = |scenario: &&Scenario| match options.kills {
        Kills::None => false,
        Kills::Some => scenario.swept_always,
        Kills::All => scenario.only.is_none(),
    };
    for scenario in scenarios.iter().filter(swept) {
        entries.push(told(run.sweep(scenario)));
    }
    Ok(entries)
}

/// Says at once what failed.
fn told(entry: Entry) -> Entry {
    if let Outcome::Failed(wrong) = &entry.outcome {
        eprintln!("peers: {wrong}");
    }
    entry
}

/// Returns when `condition` holds, or an error that says how long it did not.
fn wait_until(condition: impl FnMut() -> bool) -> Result<(), &'static str> {
    if comes_true(PATIENCE, condition) { Ok(()) } else { Err("within two minutes") }
}
