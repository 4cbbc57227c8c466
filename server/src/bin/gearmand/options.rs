//! What was typed, and what is meant by it. Each subject has its file.

mod jobs;
mod listening;
mod logging;
mod not_yet;
mod process;
mod values;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use gearman_engine::Config;
use std::ffi::OsString;
pub(crate) use values::Verbosity;

/// The Gearman job server.
///
/// Clients submit jobs, workers grab and do them; this server stands between, and speaks the protocol of
/// gearmand 2.x to both. Jobs are kept in memory.
#[derive(Clone, Debug, Parser)]
#[command(name = "gearmand", version, disable_version_flag = true, after_long_help = AFTER_HELP, term_width = 100)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) listening: listening::Listening,
    #[command(flatten)]
    jobs: jobs::Jobs,
    #[command(flatten)]
    pub(crate) logging: logging::Logging,
    #[command(flatten)]
    pub(crate) process: process::Process,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

const AFTER_HELP: &str = "\
Signals:
  TERM, INT  stop
  USR1       drain: finish the jobs that are there, take no new ones, then exit with code 0

Exit codes: 0 stopped or drained, 1 could not start, 3 gave up draining.

Try it:
  gearmand --port 4730 --verbose INFO
  gearman -w -f reverse rev            a worker that runs `rev`, from the package gearman-tools
  echo hello | gearman -f reverse      a client that prints `olleh`
  gearadmin --status                   waiting, running and workers, by function";

/// Why there is nothing to run.
pub(crate) enum Unusable {
    /// Help or version was asked for: the text.
    Told(String),
    /// What was typed makes no sense: one line that says why.
    Refused(String),
}

impl Options {
    /// Reads a command line, the program's own name first.
    pub(crate) fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<Self, Unusable> {
        let matches = not_yet::declare(Self::command()).try_get_matches_from(typed).map_err(unusable)?;
        if let Some(refusal) = not_yet::refusal(&matches) {
            return Err(Unusable::Refused(refusal));
        }
        Self::from_arg_matches(&matches).map_err(unusable)
    }

    /// How the engine shall behave.
    pub(crate) fn engine(&self) -> Config {
        self.jobs.configure(Config {
            drain_timeout: self.process.drain_timeout(),
            pid: std::process::id(),
            verbose: self.logging.verbose.to_string(),
            ..Config::default()
        })
    }

    /// What was typed and will not do what it did in gearmand.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        self.jobs.warnings().collect()
    }
}

/// clap's answer as a text to print, or in one line.
fn unusable(error: clap::Error) -> Unusable {
    use clap::error::{ContextKind, ContextValue};
    if !error.use_stderr() {
        return Unusable::Told(error.to_string());
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let advice = match (error.get(ContextKind::SuggestedArg), error.get(ContextKind::ValidValue)) {
        (Some(ContextValue::String(flag)), _) => format!("did you mean {flag}?"),
        (_, Some(ContextValue::Strings(values))) if !values.is_empty() => {
            format!("use one of {}", values.join(", "))
        }
        _ => "see gearmand --help".to_owned(),
    };
    Unusable::Refused(format!("{first}; {advice}"))
}
