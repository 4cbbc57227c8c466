//! Who may look on.

use clap::builder::NonEmptyStringValueParser;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Monitoring")]
pub(crate) struct Metrics {
    /// Serve /metrics for Prometheus, /healthz and /readyz at PORT of the loopback, or at ADDRESS:PORT [default: nowhere]
    #[arg(long, value_name = "PORT|ADDRESS:PORT", value_parser = NonEmptyStringValueParser::new())]
    metrics: Option<String>,

    /// How many functions have metrics of their own; the rest is summed up as `other`
    #[arg(long, default_value_t = 1000, value_name = "COUNT")]
    pub(crate) metrics_functions: usize,
}

impl Metrics {
    /// Where to serve them, if anywhere.
    pub(crate) fn address(&self) -> Option<String> {
        let typed = self.metrics.as_deref()?;
        let is_port = typed.bytes().all(|byte| byte.is_ascii_digit());
        Some(if is_port { format!("127.0.0.1:{typed}") } else { typed.to_owned() })
    }
}
