//! Where peers come, and when a silent one is given up.

use super::values::{AtLeastOne, at_least_one, listening, port};
use clap::builder::NonEmptyStringValueParser;
use gearman_net::Liveness;
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
pub(crate) struct Listening {
    /// Port for clients, workers and administrators, a number; 0 takes a free one and tells it
    #[arg(short, long, env = "GEARMAND_PORT", default_value = "4730", value_name = "PORT", value_parser = port)]
    port: u16,

    /// Address to listen at: HOST, HOST:PORT or unix:PATH; may be given several times [default: all, IPv4 and IPv6]
    ///
    /// gearmand takes one HOST. Of a name all addresses are taken. Sockets that systemd hands over are taken too; then there is no default.
    #[arg(short = 'L', long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    pub(super) listen: Vec<String>,

    /// How many new connections may wait to be accepted (gearmand: 32)
    ///
    /// The system may allow fewer. When more come at once, they try again after a second.
    #[arg(short, long, default_value_t = 1024, value_name = "COUNT")]
    pub(crate) backlog: u32,

    /// Ask silent peers whether they live (always so; gearmand does it only when told)
    #[arg(long)]
    keepalive: bool,

    /// After how many seconds of silence a peer is asked [default: 60, as is -1]
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one, allow_negative_numbers = true)]
    keepalive_idle: Option<AtLeastOne>,

    /// How many seconds a peer has to answer before it is asked again [default: 10, as is -1]
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one, allow_negative_numbers = true)]
    keepalive_interval: Option<AtLeastOne>,

    /// How many questions may stay without an answer [default: 3, as is -1]
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, allow_negative_numbers = true)]
    keepalive_count: Option<AtLeastOne>,
}

impl Listening {
    /// Where to listen, besides at so many sockets that were handed over.
    pub(crate) fn addresses(&self, inherited: usize) -> Vec<String> {
        let handed_over = (0..inherited).map(|number| format!("inherited:{number}"));
        let asked_for = self.listen.iter().map(|host| listening(host, self.port));
        let addresses: Vec<String> = handed_over.chain(asked_for).collect();
        if addresses.is_empty() { vec![format!("*:{}", self.port)] } else { addresses }
    }

    /// The addresses on the command line replace those of the file.
    pub(super) fn replace_addresses(&mut self, typed: Vec<String>) {
        if !typed.is_empty() {
            self.listen = typed;
        }
    }

    /// When silent peers are asked whether they live.
    pub(crate) fn liveness(&self) -> Liveness {
        let typed = |flag: Option<AtLeastOne>| flag.and_then(|AtLeastOne(number)| number);
        let seconds = |flag| typed(flag).map(|number| Duration::from_secs(number.into()));
        let default = Liveness::default();
        Liveness {
            idle: seconds(self.keepalive_idle).unwrap_or(default.idle),
            interval: seconds(self.keepalive_interval).unwrap_or(default.interval),
            count: typed(self.keepalive_count).map_or(default.count, u32::from),
        }
    }
}
