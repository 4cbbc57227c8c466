//! The command line.

use crate::failure::Result;
use crate::load::Run;
use crate::process::Process;
use crate::sample::Target;
use crate::stopwatch::Stopwatch;
use crate::workload::Workload;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;

/// Measures Gearman servers: jobs a second, processor time of the server for a job, latency, memory.
#[derive(Debug, Parser)]
#[command(name = "gearman-bench")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one workload against a server that is there already.
    Run(One),
    /// Be the floor server: the least work that a server of this protocol can do on this machine.
    Floor {
        /// Where to listen; port 0 takes a free one.
        #[arg(default_value = "127.0.0.1:0")]
        address: SocketAddr,
    },
}

/// Run one workload against a server that is there already.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// What to do: foreground CxWxD (clients, workers, jobs outstanding for each client), echo CxD,
    /// background DEPTH (submit while so many jobs wait), drain DEPTHxW (W workers empty a queue).
    #[arg(num_args = 2, value_names = ["WORKLOAD", "SHAPE"], required = true)]
    workload: Vec<String>,
    /// The server's address, as in 127.0.0.1:4730.
    #[arg(long, value_name = "ADDRESS")]
    server: SocketAddr,
    /// The server's process, to tell its processor time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// How long to count, in seconds, for workloads that have no end of their own.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
}

impl One {
    pub(crate) fn run(&self) -> Result<()> {
        let workload = Workload::parse(&self.workload[0], &self.workload[1])?;
        let target = Target { address: self.server, process: self.pid.map(Process::of) };
        let watch = Stopwatch::new();
        for _ in 0..self.rounds {
            println!("{workload}: {}", workload.run(Run::new(&target, watch)?, self.seconds)?);
        }
        Ok(())
    }
}
