//! The command line.

mod bless;
mod can_fail;
mod check;
mod clients;
mod list;
mod matrix;
mod mutate;
mod play;
mod record;

use clap::{Args, Parser, Subcommand};

use crate::report::Exit;

/// Replays packet transcripts against any Gearman job server.
///
/// Exit codes: 0 all met; 1 unexpected failure or unexpected pass; 2 usage, parse error, or no case selected;
/// 3 target unreachable or not sane; 4 target crashed or hung; 5 the tool itself failed.
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
    /// Play cases against a server (this is what happens without a subcommand).
    Run(Box<RunArguments>),
    /// Play the server for a client or a worker that is under test.
    Clients(Box<clients::ClientsArguments>),
    /// Write a transcript of what passes by, or of what was captured.
    Record(record::RecordArguments),
    /// Let a server suffer malformed variants of transcripts, and see that it stays sane.
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
    /// Write a page that shows several servers side by side.
    Matrix(MatrixArguments),
    /// Write a profile of a server: what it can do, and what it does otherwise, to be reviewed.
    Probe(ProbeArguments),
    /// Write into a profile what its server does now; reasons stay.
    Bless(BlessArguments),
    /// Break the statements on purpose, one at a time, and tell which cases see it.
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

/// Which server to look at.
#[derive(Debug, Args)]
struct ProbeArguments {
    /// A server that runs already.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "launch", required_unless_present = "launch")]
    target: Option<String>,
    /// A shell command that starts it in the foreground, with {port} where the port belongs.
    #[arg(long, value_name = "COMMAND")]
    launch: Option<String>,
    /// What to call it.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The profile to write.
    #[arg(short, long, value_name = "FILE")]
    output: String,
}

/// What to write into which profile.
#[derive(Debug, Args)]
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

/// What to break, and where.
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

/// What to show side by side.
#[derive(Debug, Args)]
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

/// What to play, against what, and how.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Cases to play: ids, chapters, globs in which `*` stands for any characters, or `.gtx` files.
    #[arg(value_name = "GLOB|FILE")]
    globs: Vec<String>,
    /// A server that runs already and may be shared with others.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["launch", "peer"])]
    target: Option<String>,
    /// A shell command that starts a server in the foreground, with {port} where the port belongs.
    #[arg(long, value_name = "COMMAND", conflicts_with = "peer")]
    launch: Option<String>,
    /// A profile that says itself how its server is launched.
    #[arg(long, value_name = "NAME", conflicts_with = "profile")]
    peer: Option<String>,
    /// What is known about the server: a file, or the name of an embedded profile.
    #[arg(long, value_name = "FILE|NAME", default_value = "strict")]
    profile: String,
    /// Cases not to play, by glob or by a file of globs.
    #[arg(long, value_name = "GLOB|@FILE")]
    skip: Vec<String>,
    /// How binding a case must be to be played.
    #[arg(long, value_name = "must|should|all", default_value = "all", value_parser = ["must", "should", "all"])]
    level: String,
    /// How to cut what is sent into writes: none (as written), split, all, or a list of
    /// as-written,bytes,split,merged.
    #[arg(long, value_name = "none|split|all", default_value = "none")]
    variants: String,
    /// How often to play each case; verdicts that differ are FLAKY.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// How many cases to play at a time [default: 8, each with a server of its own; 1 with --target].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Stretch every wait by this factor.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = factor)]
    time_scale: f64,
    /// Play cases that may harm others even on a server that the tool did not start.
    #[arg(long)]
    allow_destructive: bool,
    /// Begin no further case after the first that is not met.
    #[arg(long)]
    fail_fast: bool,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
    /// Write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<String>,
    /// Write a page that shows every case and what the server did, and a badge.
    #[arg(long, value_name = "FOLDER")]
    html: Option<String>,
    /// Tell more: skipped cases, reasons and endings; twice, every message.
    #[arg(short, action = clap::ArgAction::Count)]
    verbose: u8,
}

impl RunArguments {
    /// Every case against the server that a profile starts, and otherwise as when nothing is said.
    fn of_peer(name: &str) -> Self {
        Self {
            globs: Vec::new(),
            target: None,
            launch: None,
            peer: Some(name.to_owned()),
            profile: name.to_owned(),
            skip: Vec::new(),
            level: "all".to_owned(),
            variants: "none".to_owned(),
            repeat: 1,
            jobs: None,
            time_scale: 1.0,
            allow_destructive: false,
            fail_fast: false,
            json: None,
            junit: None,
            html: None,
            verbose: 0,
        }
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if factor > 0.0 && factor <= 1000.0 {
        Ok(factor)
    } else {
        Err("must be above 0 and at most 1000".to_owned())
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
