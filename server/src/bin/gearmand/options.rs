//! What was typed, and what is meant by it.

mod not_yet;
mod values;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use gearman_engine::{Compat, Config};
use gearman_net::Liveness;
use std::ffi::OsString;
use std::time::Duration;
pub(crate) use values::Verbosity;
use values::{Retries, at_least_one, default_handle_prefix, handle_prefix, listening, retries};

/// The Gearman job server.
///
/// Clients submit jobs, workers grab and do them; this server stands between, and speaks the protocol of
/// gearmand 2.x to both. Jobs are kept in memory.
#[derive(Clone, Debug, Parser)]
#[command(name = "gearmand", version, disable_version_flag = true, after_long_help = AFTER_HELP, term_width = 100)]
pub(crate) struct Options {
    /// Port for clients, workers and administrators; 0 takes a free one and tells it
    #[arg(short, long, env = "GEARMAND_PORT", default_value_t = 4730, value_name = "PORT")]
    port: u16,

    /// Address to listen at, or ADDRESS:PORT; may be given several times [default: all, IPv4 and IPv6]
    #[arg(short = 'L', long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    listen: Vec<String>,

    /// How many new connections may wait to be accepted (gearmand: 32)
    ///
    /// The system may allow fewer. When more come at once, they try again after a second.
    #[arg(short, long, default_value_t = 1024, value_name = "COUNT")]
    pub(crate) backlog: u32,

    /// How many threads serve connections [default: one per processor]
    #[arg(short, long, value_name = "COUNT")]
    threads: Option<usize>,

    /// How much is logged to stderr: FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG
    #[arg(long, default_value_t = Verbosity::Error, value_name = "LEVEL", hide_possible_values = true)]
    verbose: Verbosity,

    /// At which loss of its worker a job is dropped and fails: 1 to 255, or -1 for never
    ///
    /// A job's worker is lost when its connection ends, when it gives up the job's function, or when the job
    /// takes longer than the worker said it may. 0 is taken as 1; gearmand 1.1 took it as never.
    #[arg(
        short, long, default_value = "-1", value_name = "COUNT", value_parser = retries,
        allow_negative_numbers = true
    )]
    job_retries: Retries,

    /// How many sleeping workers a new job wakes; 0 is all that can do it
    #[arg(short, long, default_value_t = 0, value_name = "COUNT")]
    worker_wakeup: u32,

    /// After how many milliseconds a woken worker that says nothing is given up and the next one woken
    #[arg(long, default_value_t = 1000, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    wakeup_timeout: u64,

    /// To how many milliseconds shorter job timeouts of workers are raised
    ///
    /// Many client libraries pass seconds where the protocol means milliseconds.
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    min_job_timeout: u64,

    /// Take one function in turn after the other for each worker (always so, except with --compat 1.1)
    #[arg(short = 'R', long)]
    round_robin: bool,

    /// Which gearmand's order of jobs and functions to follow: 2 or 1.1
    #[arg(long, default_value = "2", value_name = "VERSION", value_parser = ["2", "1.1"], hide_possible_values = true)]
    compat: String,

    /// Send the exceptions of workers to every client, not only to those that ask for them
    #[arg(long)]
    exceptions: bool,

    /// What the names of jobs begin with; a colon and a number follow [default: H:HOSTNAME]
    #[arg(long, value_name = "TEXT", value_parser = handle_prefix)]
    job_handle_prefix: Option<String>,

    /// After how many seconds a drain gives up on jobs that are left [default: never]
    #[arg(long, value_name = "SECONDS")]
    drain_timeout: Option<u64>,

    /// Ask silent peers whether they live (always so; gearmand does it only when told)
    #[arg(long)]
    keepalive: bool,

    /// After how many seconds of silence a peer is asked
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = at_least_one())]
    keepalive_idle: i64,

    /// How many seconds a peer has to answer before it is asked again
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = at_least_one())]
    keepalive_interval: i64,

    /// How many questions may stay without an answer
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = at_least_one())]
    keepalive_count: i64,

    /// Where to log: `stderr`, or `none`
    #[arg(short, long, default_value = "stderr", value_name = "FILE", value_parser = ["stderr", "none"], hide_possible_values = true)]
    log_file: String,

    /// Where background jobs are kept: `builtin`, which is memory
    #[arg(short, long, default_value = "builtin", value_name = "NAME", value_parser = ["builtin"], hide_possible_values = true, ignore_case = true)]
    queue_type: String,

    /// Accepted and without effect: tables grow by themselves here
    #[arg(long, value_name = "COUNT")]
    hashtable_buckets: Option<u32>,

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

    /// Where to listen.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if self.listen.is_empty() {
            return vec![format!("*:{}", self.port)];
        }
        self.listen.iter().map(|host| listening(host, self.port)).collect()
    }

    /// On how many threads to serve; `None` is one per processor.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.filter(|&count| count > 0)
    }

    /// How much to log; `None` is nothing.
    pub(crate) fn verbosity(&self) -> Option<Verbosity> {
        Some(self.verbose).filter(|_| self.log_file != "none")
    }

    /// How the engine shall behave.
    pub(crate) fn engine(&self) -> Config {
        Config {
            compat: match self.compat.as_str() {
                "1.1" => Compat::Version1_1 { round_robin: self.round_robin },
                _ => Compat::Version2,
            },
            handle_prefix: self.job_handle_prefix.clone().unwrap_or_else(default_handle_prefix),
            job_retries: self.job_retries.0,
            worker_wakeup: Some(self.worker_wakeup).filter(|&count| count > 0),
            wakeup_timeout: Duration::from_millis(self.wakeup_timeout),
            min_job_timeout: Duration::from_millis(self.min_job_timeout),
            exceptions: self.exceptions,
            drain_timeout: self.drain_timeout.map(Duration::from_secs),
            pid: std::process::id(),
            verbose: self.verbose.to_string(),
            ..Config::default()
        }
    }

    /// When silent peers are asked whether they live.
    pub(crate) fn liveness(&self) -> Liveness {
        let seconds = |count: i64| Duration::from_secs(count.unsigned_abs());
        Liveness {
            idle: seconds(self.keepalive_idle),
            interval: seconds(self.keepalive_interval),
            count: u32::try_from(self.keepalive_count).unwrap_or(u32::MAX),
        }
    }

    /// What was typed and will not do what it did in gearmand.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        let retries = "--job-retries 0 drops a job at the first loss of its worker; \
                       gearmand 1.1 took 0 as no limit, which is -1 here";
        let buckets = "--hashtable-buckets has no effect: tables grow by themselves";
        let is_old = self.compat == "1.1";
        let warnings = [
            (self.job_retries.0 == Some(0) && !is_old).then_some(retries),
            self.hashtable_buckets.map(|_| buckets),
        ];
        warnings.into_iter().flatten().collect()
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
