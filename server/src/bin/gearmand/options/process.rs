//! How the program runs and ends.

use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Process")]
pub(crate) struct Process {
    /// How many threads serve connections [default: one per processor]
    #[arg(short, long, value_name = "COUNT")]
    threads: Option<usize>,

    /// After how many seconds a drain gives up on jobs that are left [default: never]
    #[arg(long, value_name = "SECONDS")]
    drain_timeout: Option<u64>,
}

impl Process {
    /// On how many threads to serve; `None` is one per processor.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.filter(|&count| count > 0)
    }

    /// How long a drain may last; `None` is as long as it takes.
    pub(super) fn drain_timeout(&self) -> Option<Duration> {
        self.drain_timeout.map(Duration::from_secs)
    }
}
