//! What is logged, and where.

use super::values::Verbosity;
use crate::logging::{Destination, Format};
use std::path::{Path, PathBuf};

/// Where gearmand logs unless it is told otherwise, and where we do when nobody reads our stderr.
const GEARMANDS_FILE: &str = "/var/log/gearmand.log";

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct Logging {
    /// How much is logged: FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG
    ///
    /// NOTICE and INFO are the same here. What starts and what cannot start is always told on stderr.
    #[arg(long, default_value_t = Verbosity::Error, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) verbose: Verbosity,

    /// Where to log: a file, `stderr`, or `none` [default: stderr, where gearmand takes a file]
    ///
    /// With --daemon the default is gearmand's file, /var/log/gearmand.log; with --syslog or --journald it is
    /// none. The signal HUP opens the file anew.
    #[arg(short, long, value_name = "FILE")]
    log_file: Option<PathBuf>,

    /// How lines on stderr and in the file look: `text`, or `json` with one object per line
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    log_format: Format,

    /// Log to the syslog daemon, and to no file unless one is named (gearmand: to its file as well)
    #[arg(long)]
    syslog: bool,

    /// Log to the journal of systemd
    #[arg(long)]
    journald: bool,
}

impl Logging {
    /// Where lines go, for a program that has a stderr to show or none.
    pub(crate) fn destinations(&self, is_daemon: bool) -> Vec<Destination> {
        let file = match &self.log_file {
            Some(path) => self.named(path),
            None if self.syslog || self.journald => None,
            None if is_daemon => Some(Destination::File(GEARMANDS_FILE.into(), self.log_format)),
            None => Some(Destination::Stderr(self.log_format)),
        };
        let syslog = self.syslog.then_some(Destination::Syslog);
        let journal = self.journald.then_some(Destination::Journal);
        [file, syslog, journal].into_iter().flatten().collect()
    }

    fn named(&self, path: &Path) -> Option<Destination> {
        match path.to_str() {
            Some("none") => None,
            Some("stderr") => Some(Destination::Stderr(self.log_format)),
            _ => Some(Destination::File(path.to_path_buf(), self.log_format)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Destination::{File, Journal, Stderr, Syslog};
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        logging: Logging,
    }

    fn destinations(flags: &str, is_daemon: bool) -> Vec<Destination> {
        let typed = Typed::parse_from(std::iter::once("gearmand").chain(flags.split_whitespace()));
        typed.logging.destinations(is_daemon)
    }

    #[test]
    fn lines_go_where_they_shall() {
        let file = |path: &str, format| File(path.into(), format);
        let expected = [
            ("", false, vec![Stderr(Format::Text)]),
            ("", true, vec![file(GEARMANDS_FILE, Format::Text)]),
            ("--log-file none", true, vec![]),
            ("-l stderr --log-format json", false, vec![Stderr(Format::Json)]),
            ("-l /tmp/x", false, vec![file("/tmp/x", Format::Text)]),
            ("--syslog", true, vec![Syslog]),
            ("--journald", false, vec![Journal]),
            ("--syslog -l /tmp/x --log-format json", false, vec![file("/tmp/x", Format::Json), Syslog]),
        ];
        for (flags, is_daemon, expected) in expected {
            assert_eq!(destinations(flags, is_daemon), expected, "{flags}");
        }
    }
}
