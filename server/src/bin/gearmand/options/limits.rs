//! How much peers may take.

use super::values::{Memory, memory, size};
use crate::capacity;
use gearman_engine::Config;
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// How many bytes a packet may have besides its header
    ///
    /// Sizes may end in K, M or G for 1024 bytes and its powers.
    #[arg(long, default_value = "4294967295", value_name = "SIZE", value_parser = packet_size)]
    max_packet_size: u32,

    /// How many bytes jobs, buffers and tables may take, or which part of the memory of this machine or control group
    ///
    /// Submits and new functions above it are refused, and large packets are read one after the other.
    #[arg(long, default_value = "80%", value_name = "SIZE|PERCENT%", value_parser = memory)]
    memory_limit: Memory,

    /// How many bytes may wait for a slow reader, beyond the packet that it reads, before it is closed
    #[arg(long, default_value = "256M", value_name = "SIZE", value_parser = size)]
    output_limit: usize,

    /// How many connections there may be [default: 64 fewer than there may be descriptors]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    max_connections: Option<u64>,

    /// How many of them may come from one address; 0 is as many as there may be
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    connections_per_address: u32,

    /// How many functions a connection may register
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    functions_per_connection: u32,

    /// For how many seconds a packet may be begun and not finished, and one more for each 64 KiB of it
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    packet_timeout: u64,
}

fn packet_size(typed: &str) -> Result<u32, String> {
    u32::try_from(size(typed)?).map_err(|_| "the protocol has no packets above 4294967295 bytes".to_owned())
}

impl Limits {
    /// Tells the engine.
    pub(super) fn configure(&self, engine: Config) -> Config {
        let connections = self.max_connections.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        Config {
            memory_limit: self.memory_limit.of(capacity::memory),
            output_limit: self.output_limit,
            max_connections: connections.unwrap_or_else(|| capacity::connections(capacity::descriptors())),
            connections_per_address: Some(self.connections_per_address).filter(|&count| count > 0),
            functions_per_connection: self.functions_per_connection,
            packet_timeout: Duration::from_secs(self.packet_timeout),
            ..engine
        }
    }

    /// Tells the decoders.
    pub(crate) fn of_messages(&self) -> gearman_protocol::Limits {
        gearman_protocol::Limits { packet: self.max_packet_size, ..gearman_protocol::Limits::default() }
    }
}
