//! What is logged, and where.

use super::values::Verbosity;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct Logging {
    /// How much is logged to stderr: FATAL, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG
    #[arg(long, default_value_t = Verbosity::Error, value_name = "LEVEL", hide_possible_values = true)]
    pub(super) verbose: Verbosity,

    /// Where to log: `stderr`, or `none`
    #[arg(short, long, default_value = "stderr", value_name = "FILE", value_parser = ["stderr", "none"], hide_possible_values = true)]
    log_file: String,
}

impl Logging {
    /// How much to log; `None` is nothing.
    pub(crate) fn verbosity(&self) -> Option<Verbosity> {
        Some(self.verbose).filter(|_| self.log_file != "none")
    }
}
