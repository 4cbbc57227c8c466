//! How the program runs and ends.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Process")]
pub(crate) struct Process {
    /// How many threads serve connections; 0 is taken as 1 (gearmand: 4)
    ///
    /// The work of one job is so little that handing it from thread to thread costs more than it saves. Use more
    /// than one where large workloads or very many connections keep one processor busy.
    #[arg(short, long, default_value_t = 1, value_name = "COUNT")]
    threads: usize,

    /// Run in the background; the command returns when the server listens, or fails as it does (gearmand: at once)
    #[arg(short, long)]
    pub(crate) daemon: bool,

    /// Become this user once started as root
    #[arg(short, long, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// Write the process id to this file, and remove it at the end [default: none; gearmand always writes one]
    #[arg(short = 'P', long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,

    /// How many descriptors the process may have, one per connection and some more [default: as it inherits]
    #[arg(short, long, value_name = "COUNT")]
    pub(crate) file_descriptors: Option<u64>,

    /// Let a crash leave a core dump, as large as the system allows (gearmand: leave crashes to the system)
    #[arg(long)]
    pub(crate) coredump: bool,

    /// Obey the text command `shutdown`, which anybody who can connect may send
    #[arg(long)]
    pub(super) allow_shutdown: bool,

    /// After how many seconds a drain gives up on jobs that are left [default: never]
    #[arg(long, value_name = "SECONDS")]
    drain_timeout: Option<u64>,

    /// Take more flags from this file, as on the command line, which wins; `#` begins a line to leave out
    ///
    /// What is no flag is refused, where gearmand leaves it out.
    #[arg(long, default_value = "/etc/gearmand.conf", value_name = "FILE")]
    config_file: PathBuf,

    /// See whether the flags make sense, and end: code 0 if they do
    #[arg(long)]
    pub(crate) check_args: bool,
}

impl Process {
    /// On how many threads to serve.
    pub(crate) fn threads(&self) -> usize {
        self.threads.max(1)
    }

    /// How long a drain may last; `None` is as long as it takes.
    pub(super) fn drain_timeout(&self) -> Option<Duration> {
        self.drain_timeout.map(Duration::from_secs)
    }
}
