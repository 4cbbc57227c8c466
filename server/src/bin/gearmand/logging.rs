//! Where log lines go.

use crate::options::Verbosity;
use std::io;
use tracing::level_filters::LevelFilter;

/// Logs to stderr from now on, one line per entry; `None` logs nothing.
pub(crate) fn start(verbosity: Option<Verbosity>) {
    let level = match verbosity {
        None => LevelFilter::OFF,
        Some(Verbosity::Fatal | Verbosity::Alert | Verbosity::Critical | Verbosity::Error) => {
            LevelFilter::ERROR
        }
        Some(Verbosity::Warning) => LevelFilter::WARN,
        Some(Verbosity::Notice | Verbosity::Info) => LevelFilter::INFO,
        Some(Verbosity::Debug) => LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
}
