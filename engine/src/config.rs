//! Every number that an administrator may set, with its default.

use gearman_protocol::MAX_HANDLE;
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
    /// For how long a message may be begun and not finished: 60 s, and one more for each 64 KiB of it that have
    /// arrived. So long a peer may also take for its last replies before it is cut off.
    pub packet_timeout: Duration,
    /// How many bytes may wait for a slow reader beyond the packet in flight: 256 MiB.
    pub output_limit: usize,
    /// How many bytes workloads, buffers and tables may take together.
    pub memory_limit: usize,
    /// How many functions a connection may register: 10,000. A grab takes time for each.
    pub functions_per_connection: u32,
    /// How many connections there may be; more are told so and closed.
    pub max_connections: usize,
    /// How many of them may come from one address; `None` is as many as there may be.
    pub connections_per_address: Option<u32>,
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

/// How many bytes a job counts against the memory limit besides its workload: its places in the tables.
pub const JOB_OVERHEAD: usize = 256;

/// How many bytes an attached foreground submit counts against the memory limit.
pub const WATCHER_OVERHEAD: usize = 32;

/// How many bytes a function counts against the memory limit besides its name, until it is dropped.
pub const FUNCTION_OVERHEAD: usize = 320;

/// How many bytes it counts against the memory limit that one worker can do one function.
pub const ABILITY_OVERHEAD: usize = 80;

/// How many bytes a connection counts against the memory limit besides its buffers, what it calls itself and the
/// exceptions that it may repeat included.
pub const CONNECTION_OVERHEAD: usize = 1024;

/// The longest [`Config::handle_prefix`], in bytes: a colon and 20 digits follow.
pub const MAX_HANDLE_PREFIX: usize = MAX_HANDLE - 21;

/// What is wrong with a configuration, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The prefix would make handles that the protocol cannot carry.
    #[error(
        "handle prefix {prefix:?}: give it 1 to {MAX_HANDLE_PREFIX} bytes without spaces and control characters"
    )]
    HandlePrefix {
        /// The prefix.
        prefix: String,
    },
    /// No sleeper would ever be woken.
    #[error("worker wakeup 0 wakes nobody: leave it out to wake all")]
    WorkerWakeup,
    /// No worker could do anything.
    #[error("functions per connection 0 leaves nothing to do: give it at least 1")]
    FunctionsPerConnection,
    /// Nobody could ever connect.
    #[error("{what} 0 lets nobody in: give it at least 1, or leave it out")]
    NoConnections {
        /// Which limit.
        what: &'static str,
    },
    /// A time limit of zero would strike at once.
    #[error("{what} is zero: give it at least 1 ms")]
    Zero {
        /// Which limit.
        what: &'static str,
    },
    /// Something that is written into a line of text has a line of its own.
    #[error("{what} {text:?} has control characters: leave them out")]
    ControlCharacters {
        /// Which text.
        what: &'static str,
        /// The text.
        text: String,
    },
}

impl Config {
    /// Whether an engine can be made of it.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let prefix = &self.handle_prefix;
        let fits = (1..=MAX_HANDLE_PREFIX).contains(&prefix.len());
        if !fits || prefix.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(ConfigError::HandlePrefix { prefix: prefix.clone() });
        }
        if self.worker_wakeup == Some(0) {
            return Err(ConfigError::WorkerWakeup);
        }
        if self.functions_per_connection == 0 {
            return Err(ConfigError::FunctionsPerConnection);
        }
        if self.max_connections == 0 {
            return Err(ConfigError::NoConnections { what: "max connections" });
        }
        if self.connections_per_address == Some(0) {
            return Err(ConfigError::NoConnections { what: "connections per address" });
        }
        let limits = [
            ("wakeup timeout", self.wakeup_timeout),
            ("minimum job timeout", self.min_job_timeout),
            ("packet timeout", self.packet_timeout),
        ];
        if let Some(&(what, _)) = limits.iter().find(|(_, limit)| limit.as_millis() == 0) {
            return Err(ConfigError::Zero { what });
        }
        let texts = [("version", &self.version), ("log level", &self.verbose)];
        match texts.iter().find(|(_, text)| text.chars().any(char::is_control)) {
            Some(&(what, text)) => Err(ConfigError::ControlCharacters { what, text: text.clone() }),
            None => Ok(()),
        }
    }

    /// At which loss of its worker a job is dropped.
    pub(crate) fn retry_limit(&self) -> Option<u32> {
        match (self.job_retries, self.compat) {
            (Some(0), Compat::Version1_1 { .. }) | (None, _) => None,
            (Some(limit), _) => Some(u32::from(limit.max(1))),
        }
    }
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
            functions_per_connection: 10_000,
            max_connections: usize::MAX,
            connections_per_address: None,
            drain_timeout: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: 0,
            verbose: "ERROR".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().map_or_else(|error| error.to_string(), |()| "fine".into())
    }

    #[test]
    fn the_default_is_fine() {
        assert_eq!(refusal(|_| {}), "fine");
    }

    #[test]
    fn a_handle_prefix_fits_every_handle() {
        assert_eq!(refusal(|config| config.handle_prefix = "p".repeat(42)), "fine");
        for prefix in [String::new(), "p".repeat(43), "two words".into(), "tab\t".into(), "\u{2003}".into()] {
            let refusal = refusal(|config| config.handle_prefix.clone_from(&prefix));
            assert_eq!(
                refusal,
                format!(
                    "handle prefix {prefix:?}: give it 1 to 42 bytes without spaces and control characters"
                )
            );
        }
    }

    #[test]
    fn nothing_is_limited_to_nothing() {
        assert_eq!(
            refusal(|config| config.worker_wakeup = Some(0)),
            "worker wakeup 0 wakes nobody: leave it out to wake all"
        );
        assert_eq!(
            refusal(|config| config.functions_per_connection = 0),
            "functions per connection 0 leaves nothing to do: give it at least 1"
        );
        assert_eq!(
            refusal(|config| config.max_connections = 0),
            "max connections 0 lets nobody in: give it at least 1, or leave it out"
        );
        assert_eq!(
            refusal(|config| config.connections_per_address = Some(0)),
            "connections per address 0 lets nobody in: give it at least 1, or leave it out"
        );
        let zero = Duration::from_micros(999);
        let refusals = [
            refusal(|config| config.wakeup_timeout = zero),
            refusal(|config| config.min_job_timeout = zero),
            refusal(|config| config.packet_timeout = zero),
        ];
        let wanted = ["wakeup timeout", "minimum job timeout", "packet timeout"];
        assert_eq!(refusals, wanted.map(|what| format!("{what} is zero: give it at least 1 ms")));
    }

    #[test]
    fn texts_stay_on_their_line() {
        assert_eq!(
            refusal(|config| config.version = "1\n2".into()),
            r#"version "1\n2" has control characters: leave them out"#
        );
        assert_eq!(
            refusal(|config| config.verbose = "\r".into()),
            r#"log level "\r" has control characters: leave them out"#
        );
    }
}
