//! What was typed, and what is meant by it. Each subject has its file.

mod file;
mod jobs;
mod limits;
mod listening;
mod logging;
mod metrics;
mod not_yet;
mod process;
mod values;

use crate::manual::{self, Kind};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use file::ConfigFile;
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
    pub(crate) limits: limits::Limits,
    #[command(flatten)]
    pub(crate) metrics: metrics::Metrics,
    #[command(flatten)]
    pub(crate) logging: logging::Logging,
    #[command(flatten)]
    pub(crate) process: process::Process,

    /// Print the manual page (`man`), or completions for a shell (`bash`, `zsh`, `fish`), made from these flags
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    generate: Option<Kind>,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

const AFTER_HELP: &str = "\
Signals:
  TERM, INT  stop
  USR1       drain: finish the jobs that are there, take no new ones, then exit with code 0
  HUP        open the log file anew, and take --verbose from the config file anew

Exit codes: 0 stopped or drained, 1 could not start, 3 gave up draining.

Not spoken yet, and refused: --ssl and its files, --protocol http, every --queue-type but builtin.

Coming from gearmand:
  gearmand --check-args FLAGS..        says whether they make sense here; differences stand above
  /usr/share/doc/gearwright/operating.md is the guide: switch, watch, drain, switch back

Try it:
  gearmand --port 4730 --verbose INFO
  gearman -w -f reverse rev            a worker that runs `rev`, from the package gearman-tools
  echo hello | gearman -f reverse      a client that prints `olleh`
  gearadmin --status                   waiting, running and workers, by function";

/// Why there is nothing to run.
pub(crate) enum Unusable {
    /// Help, version or manual was asked for: the text.
    Told(String),
    /// What was typed makes no sense: one line that says why.
    Refused(String),
}

impl Options {
    /// Reads a command line, the program's own name first, and the file of flags.
    pub(crate) fn parse(typed: impl IntoIterator<Item = OsString>) -> Result<Self, Unusable> {
        let typed: Vec<OsString> = typed.into_iter().collect();
        let (name, flags) = typed.split_at(typed.len().min(1));
        let alone = matches(Self::command(), [name, flags])?;
        if let Some(&kind) = alone.get_one("generate") {
            return Err(made(kind));
        }
        let file = ConfigFile::read(&alone)?;
        let in_file = matches(Self::command(), [name, &file.words]).map_err(|error| file.blame(error))?;
        if in_file.value_source("config_file") == Some(ValueSource::CommandLine) {
            let line = "--config-file stands in it; name the other file on the command line".to_owned();
            return Err(file.blame(Unusable::Refused(line)));
        }
        let both = matches(the_last_one_counts(Self::command()), [name, &file.words, flags])?;
        let mut options = Self::from_arg_matches(&both).map_err(unusable)?;
        options
            .listening
            .replace_addresses(alone.get_many("listen").into_iter().flatten().cloned().collect());
        Ok(options)
    }

    /// How the engine shall behave.
    pub(crate) fn engine(&self) -> Config {
        let engine = self.jobs.configure(Config {
            allow_shutdown: self.process.allow_shutdown,
            drain_timeout: self.process.drain_timeout(),
            pid: std::process::id(),
            verbose: self.logging.verbose.to_string(),
            ..Config::default()
        });
        self.limits.configure(engine)
    }

    /// Whether more has changed since `before` than a running server can take over.
    pub(crate) fn needs_restart_after(&self, before: &Self) -> bool {
        let mut fresh = self.clone();
        fresh.logging.verbose = before.logging.verbose;
        // Every flag stands in the text, whichever file it lies in.
        format!("{fresh:?}") != format!("{before:?}")
    }

    /// What was typed and will not do what it did in gearmand.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        self.jobs.warnings().collect()
    }
}

/// The manual, as a text to print.
fn made(kind: Kind) -> Unusable {
    let text =
        manual::generate(kind, Options::command()).map(|text| String::from_utf8_lossy(&text).into_owned());
    text.map_or_else(|error| Unusable::Refused(format!("cannot make the manual: {error}")), Unusable::Told)
}

/// What flags are there, if all can be honoured.
fn matches<const N: usize>(command: Command, words: [&[OsString]; N]) -> Result<ArgMatches, Unusable> {
    let matches = not_yet::declare(command).try_get_matches_from(words.concat()).map_err(unusable)?;
    not_yet::refusal(&matches).map_or(Ok(matches), |refusal| Err(Unusable::Refused(refusal)))
}

/// Flags that can be given once are taken from the command line if they stand in the file too.
fn the_last_one_counts(command: Command) -> Command {
    command.mut_args(|flag| {
        let id = flag.get_id().clone();
        if matches!(flag.get_action(), ArgAction::Append) { flag } else { flag.overrides_with(id) }
    })
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
        _ if text.starts_with("error: unexpected argument '-v'") => {
            "levels have names: --verbose INFO".to_owned()
        }
        (_, Some(ContextValue::Strings(values))) if !values.is_empty() => {
            format!("use one of {}", values.join(", "))
        }
        _ => "see gearmand --help".to_owned(),
    };
    Unusable::Refused(format!("{first}; {advice}"))
}

#[cfg(test)]
mod tests;
