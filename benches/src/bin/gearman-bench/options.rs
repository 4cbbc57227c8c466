//! The command line.

use crate::chart::Chart;
use crate::duel::Duel;
use crate::scaling::Scaling;
use crate::table::Table;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;

/// Measures Gearman servers side by side: jobs a second, processor time of the server for a job, latency, memory.
///
/// The load generator is one thread; its own processor time is shown beside the server's, because it must not be the
/// bottleneck.
#[derive(Debug, Parser)]
#[command(name = "gearman-bench")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Duel),
    Table(Table),
    /// Show the rows of the table.
    List,
    Chart(Chart),
    Scaling(Scaling),
    /// Be our server, with a clock beside its engine.
    #[command(hide = true)]
    Timed {
        /// Where to listen.
        address: SocketAddr,
        /// Where to tell for how long the engine was held.
        told_at: SocketAddr,
    },
    /// Be the floor server: the least work that a server of this protocol can do on this machine.
    Floor {
        /// Where to listen; port 0 takes a free one.
        #[arg(default_value = "127.0.0.1:0")]
        address: SocketAddr,
        /// All submits are one job, whose result goes to all: a bare loop of sends.
        #[arg(long)]
        coalesce: bool,
    },
}
