//! Every number that an administrator may set, with its default.

use std::time::Duration;

/// How an engine behaves. Plain data; nothing here changes while the engine lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which gearmand's scheduling to follow.
    pub compat: Compat,
    /// What handles begin with; a colon and a number follow. At most 42 bytes, so that the number always fits.
    pub handle_prefix: String,
    /// At which loss of its worker a job is dropped; `None` is never, `Some(0)` is as `Some(1)` (with
    /// [`Compat::Version1_1`], as `None`).
    pub job_retries: Option<u8>,
    /// How many sleepers a runnable job wakes; `None` is all that are able.
    pub worker_wakeup: Option<u32>,
    /// For how long a woken worker may say nothing before the next is woken: 1 s.
    pub wakeup_timeout: Duration,
    /// Shorter job timeouts are raised to this: 1 s, because client libraries pass seconds where milliseconds
    /// are meant.
    pub min_job_timeout: Duration,
    /// Whether every connection gets WORK_EXCEPTION without asking for it.
    pub exceptions: bool,
    /// Whether background jobs wait for a store before they are acknowledged.
    pub store: bool,
    /// Whether the text command `shutdown` is obeyed.
    pub allow_shutdown: bool,
    /// For how long a message may be begun and not finished: 60 s.
    pub packet_timeout: Duration,
    /// How many bytes may wait for a slow reader beyond the packet in flight: 256 MiB.
    pub output_limit: usize,
    /// How many bytes workloads and buffers may take together.
    pub memory_limit: usize,
    /// For how long a drain may last; `None` is as long as it takes.
    pub drain_timeout: Option<Duration>,
    /// What `version` answers.
    pub version: String,
    /// What `getpid` answers.
    pub pid: u32,
    /// What `verbose` answers: the name of the log level.
    pub verbose: String,
}

/// Which gearmand's scheduling to follow, where its versions differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// Priority over all the worker's functions, then round robin over functions.
    #[default]
    Version2,
    /// Priority only within a function; functions newest-registered first, in rotation only if asked for.
    Version1_1 {
        /// Whether the function just served goes last.
        round_robin: bool,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            compat: Compat::default(),
            handle_prefix: "H:localhost".to_owned(),
            job_retries: None,
            worker_wakeup: None,
            wakeup_timeout: Duration::from_secs(1),
            min_job_timeout: Duration::from_secs(1),
            exceptions: false,
            store: false,
            allow_shutdown: false,
            packet_timeout: Duration::from_secs(60),
            output_limit: 256 << 20,
            memory_limit: usize::MAX,
            drain_timeout: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: 0,
            verbose: "ERROR".to_owned(),
        }
    }
}
