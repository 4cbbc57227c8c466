//! Real clients and real workers against a job server: PHP, Perl, and the C tools, each with each.
//!
//! Conformance cases show that the server speaks the protocol as we read it.
//! This step shows that it speaks it as the libraries people use read it.

mod language;
mod pair;
mod process;
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fmt, fs, io};

use self::language::LANGUAGES;
use self::pair::Pair;
use self::process::Running;
use self::server::Server;

/// Which server to run the clients and workers against.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Start this server instead of our own; `{port}` stands for the port to listen on.
    #[arg(long, value_name = "COMMAND")]
    server: Option<String>,
}

/// What failed: whose part, in which step, and how.
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

/// Runs all pairs and prints a line for each; the first failure ends the run.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match run_all(root, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(root: &Path, options: &Options) -> Result<(), Failure> {
    for language in &LANGUAGES {
        language.probe()?;
    }
    let scratch = Scratch::new()?;
    let server = Server::start(root, options.server.as_deref(), &scratch.path)?;
    let mut workers: Vec<Running> = LANGUAGES
        .iter()
        .map(|language| language.start_worker(root, &server, &scratch.path))
        .collect::<Result<_, _>>()?;
    server.wait_for_workers(&mut workers)?;
    server.check_with_gearadmin()?;

    let pairs = LANGUAGES.iter().flat_map(|client| LANGUAGES.iter().map(move |worker| (client, worker)));
    let pairs: Vec<Pair<'_>> = pairs
        .map(|(client, worker)| Pair { client, worker, root, server: &server, scratch: &scratch.path })
        .collect();
    for pair in &pairs {
        let done = pair.run();
        // A worker that has ended explains more than the client that waited for it.
        workers.iter_mut().try_for_each(|worker| worker.check_alive(pair))?;
        done?;
        println!("peers: {pair}: ok");
    }
    server.wait_until_empty()?;
    pairs.iter().try_for_each(Pair::check_ran_once)
}

/// A directory of this run's own, removed at its end.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("gearman-peers-{}", std::process::id()));
        fs::create_dir(&path)
            .map_err(|error| Failure::io("xtask", &format!("cannot create {}", path.display()), &error))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the temporary directory.
        drop(fs::remove_dir_all(&self.path));
    }
}
