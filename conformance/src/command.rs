//! The command line.

mod bless;
mod can_fail;
mod check;
mod clients;
mod list;
mod matrix;
mod mutate;
mod play;
mod playing;
mod record;
mod signals;

use clap::{Args, Parser, Subcommand};

use crate::report::Exit;
use playing::{Playing, ServerArguments};

/// Replays packet transcripts against any Gearman job server.
///
/// Exit codes: 0 all met; 1 unexpected failure or unexpected pass; 2 usage, parse error, or no case selected;
/// 3 target unreachable or not sane; 4 target crashed or hung; 5 the tool itself failed; 130 told to end by a signal.
#[derive(Debug, Parser)]
#[command(name = "gearman-conformance", version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<RunArguments>),
    Clients(Box<clients::ClientsArguments>),
    Record(record::RecordArguments),
    Mutate(mutate::MutateArguments),
    /// List the cases by chapter.
    List,
    /// Print a case.
    Show {
        /// The case's id.
        id: String,
    },
    /// List the statements of the protocol, and how many cases exercise each.
    Statements {
        /// Only those that no case exercises.
        #[arg(long)]
        unexercised: bool,
    },
    Matrix(MatrixArguments),
    Probe(ProbeArguments),
    Bless(BlessArguments),
    CanFail(CanFailArguments),
    /// Check transcripts against the language and the rules of the suite.
    Lint {
        /// Files, and folders whose `.gtx` files are taken.
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Rewrite transcripts in the one way.
    Fmt {
        /// Files, and folders whose `.gtx` files are taken.
        #[arg(required = true)]
        files: Vec<String>,
        /// Change nothing; fail if something would change.
        #[arg(long)]
        check: bool,
    },
}

/// Write a profile of a server: what it can do, and what it does otherwise, to be reviewed.
///
/// Every case is played; a feature is what some case found, and whatever came out otherwise becomes an entry.
/// Each entry's reason begins with `not reviewed:` until somebody has read it and said what the server does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance probe --launch 'my-gearmand -p {port}' --name mine --output mine.toml
  gearman-conformance --profile mine.toml --launch 'my-gearmand -p {port}'    what stands there holds
  gearman-conformance probe --fresh --launch ..    for a server that keeps something from one case for the next

docs/validate-your-gearmand.md goes on from here.")]
struct ProbeArguments {
    /// A server that runs already.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "launch", required_unless_present = "launch")]
    target: Option<String>,
    /// A shell command that starts it in the foreground, with {port} where the port belongs.
    #[arg(long, value_name = "COMMAND")]
    launch: Option<String>,
    /// Start a new server for each case, and say so in the profile.
    #[arg(long, conflicts_with = "target")]
    fresh: bool,
    /// What to call it.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The profile to write.
    #[arg(short, long, value_name = "FILE")]
    output: String,
}

/// Write into a profile what its server does now; reasons stay.
///
/// Read the change as you would read any other: what is new may be a bug.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance bless --profile mine.toml               every case
  gearman-conformance bless --profile mine.toml admin/version one of them")]
struct BlessArguments {
    /// Cases: ids, chapters or globs; all if none is named.
    #[arg(value_name = "GLOB")]
    globs: Vec<String>,
    /// The profile, a file; its server is launched as it says, unless another is named.
    #[arg(long, value_name = "FILE")]
    profile: String,
    /// A server that runs already.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "launch")]
    target: Option<String>,
    /// A shell command that starts a server instead.
    #[arg(long, value_name = "COMMAND")]
    launch: Option<String>,
}

/// Break the statements on purpose, one at a time, and tell which cases see it.
#[derive(Debug, Args)]
struct CanFailArguments {
    /// The breakages; all if none is named.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Profiles of sound servers; a case is played against the first that can play it.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "gearwright,gearmand-c")]
    peers: Vec<String>,
    /// Write the table of statements, breakages and cases.
    #[arg(long, value_name = "FILE")]
    markdown: Option<String>,
}

/// Write a page that shows several servers side by side.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance matrix --peers gearwright,gearmand-c --html site --json results.json
  gearman-conformance matrix results.json mine.json --html site --baseline before.json")]
struct MatrixArguments {
    /// Results that `run --json` or `matrix --json` has written.
    #[arg(value_name = "RESULTS")]
    files: Vec<String>,
    /// Profiles whose servers are started and played for it.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    peers: Vec<String>,
    /// The folder for the page, `index.html`, and a badge for each server.
    #[arg(long, value_name = "FOLDER")]
    html: String,
    /// Write the results of all of them as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
    /// Earlier results; what changed since is shown.
    #[arg(long, value_name = "RESULTS")]
    baseline: Option<String>,
}

/// Play cases against a server (this is what happens without a subcommand).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gearman-conformance --target 127.0.0.1:4730                        every case against a server that runs
  gearman-conformance --launch 'my-gearmand -p {port}' echo grab     two chapters against servers of your own
  gearman-conformance --peer gearmand-c --variants all --repeat 20   a server that is known, at length
  gearman-conformance list                                           the cases")]
pub struct RunArguments {
    #[command(flatten)]
    playing: Playing,
    #[command(flatten)]
    server: ServerArguments,
    /// How binding a case must be to be played.
    #[arg(long, value_name = "must|should|all", default_value = "all", value_parser = ["must", "should", "all"])]
    level: String,
    /// Start a new server for each playing of a case, so that none meets what another has left behind.
    #[arg(long, conflicts_with = "target")]
    fresh: bool,
    /// Play cases that may harm others even on a server that the tool did not start.
    #[arg(long)]
    allow_destructive: bool,
    /// Write a page that shows every case and what the server did, and a badge.
    #[arg(long, value_name = "FOLDER")]
    html: Option<String>,
}

impl RunArguments {
    /// Cases against a server, and otherwise as when nothing is said; all of them if none is named.
    fn of(server: ServerArguments, globs: &[String]) -> Self {
        let playing = Playing { globs: globs.to_vec(), ..Playing::default() };
        Self { playing, server, level: "all".to_owned(), fresh: false, allow_destructive: false, html: None }
    }
}

/// Something that keeps a command from being carried out: one line (or a marked transcript), and the exit it asks for.
#[derive(Debug)]
struct Refusal {
    exit: Exit,
    message: String,
}

impl Refusal {
    fn usage(message: impl ToString) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }
}

/// Reads what was typed.
///
/// # Errors
///
/// How to end when there is nothing to do: help and version have been told, or one line has said what is wrong.
pub fn parse() -> Result<CommandLine, Exit> {
    CommandLine::try_parse().map_err(|error| {
        if !error.use_stderr() {
            // Who has read enough, as `head` has, does not change how the program ends.
            let _ = error.print();
            return Exit::Met;
        }
        anstream::eprintln!("gearman-conformance: {}", in_one_line(&error.to_string()));
        Exit::Usage
    })
}

/// The first paragraph of clap's answer, and what was probably meant.
fn in_one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let first: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let tip = lines.find_map(|line| line.strip_prefix("tip: ").filter(|tip| tip.contains("similar")));
    let advice = tip.unwrap_or("see gearman-conformance --help");
    format!("{}; {advice}", first.join(" ").trim_start_matches("error: "))
}

/// Does what the command line asks.
#[must_use]
pub fn execute(line: CommandLine) -> Exit {
    let done = match line.command {
        None => play::run(&line.run),
        Some(Command::Run(arguments)) => play::run(&arguments),
        Some(Command::Clients(arguments)) => clients::run(*arguments),
        Some(Command::Record(arguments)) => record::run(&arguments),
        Some(Command::Mutate(arguments)) => mutate::run(&arguments),
        Some(Command::List) => list::list(),
        Some(Command::Show { id }) => list::show(&id),
        Some(Command::Statements { unexercised }) => list::statements(unexercised),
        Some(Command::Matrix(arguments)) => matrix::matrix(&arguments),
        Some(Command::Probe(arguments)) => bless::probe(&arguments),
        Some(Command::Bless(arguments)) => bless::bless(&arguments),
        Some(Command::CanFail(arguments)) => can_fail::can_fail(&arguments),
        Some(Command::Lint { files }) => check::lint_files(&files),
        Some(Command::Fmt { files, check }) => check::format_files(&files, check),
    };
    done.unwrap_or_else(|refusal| {
        anstream::eprintln!("gearman-conformance: {}", refusal.message);
        refusal.exit
    })
}
