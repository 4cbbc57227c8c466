//! Where peers come, and when a silent one is given up.

use super::values::{at_least_one, listening};
use clap::builder::NonEmptyStringValueParser;
use gearman_net::Liveness;
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
pub(crate) struct Listening {
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
}

impl Listening {
    /// Where to listen.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if self.listen.is_empty() {
            return vec![format!("*:{}", self.port)];
        }
        self.listen.iter().map(|host| listening(host, self.port)).collect()
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
}
