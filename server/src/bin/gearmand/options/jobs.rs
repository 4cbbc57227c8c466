//! How jobs are kept, handed out and ended.

use super::values::{Retries, default_handle_prefix, handle_prefix, queue_type, retries};
use gearman_engine::{Compat, Config};
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct Jobs {
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

    /// Which gearmand to follow where they differ: 2 or 1.1
    ///
    /// 1.1 tries a worker's functions newest first, looks at priorities only within one, and takes --job-retries 0
    /// as never.
    #[arg(long, default_value = "2", value_name = "VERSION", value_parser = ["2", "1.1"], hide_possible_values = true)]
    compat: String,

    /// Send the exceptions of workers to every client, not only to those that ask for them
    #[arg(long)]
    exceptions: bool,

    /// What the names of jobs begin with; a colon and a number follow [default: H:HOSTNAME]
    #[arg(long, value_name = "TEXT", value_parser = handle_prefix)]
    job_handle_prefix: Option<String>,

    /// Where background jobs are kept: `builtin`, which is memory
    #[arg(short, long, default_value = "builtin", value_name = "NAME", value_parser = queue_type)]
    queue_type: String,

    /// Accepted and without effect: tables grow by themselves here
    #[arg(long, value_name = "COUNT")]
    hashtable_buckets: Option<u32>,
}

impl Jobs {
    /// Tells the engine.
    pub(super) fn configure(&self, engine: Config) -> Config {
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
            ..engine
        }
    }

    /// What was typed and will not do what it did in gearmand.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let retries = "--job-retries 0 drops a job at the first loss of its worker; \
                       gearmand 1.1 took 0 as no limit, which is -1 here";
        let buckets = "--hashtable-buckets has no effect: tables grow by themselves";
        let is_old = self.compat == "1.1";
        let warnings = [
            (self.job_retries.0 == Some(0) && !is_old).then_some(retries),
            self.hashtable_buckets.map(|_| buckets),
        ];
        warnings.into_iter().flatten()
    }
}
