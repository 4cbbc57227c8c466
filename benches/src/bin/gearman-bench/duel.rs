//! One workload against one server or several, in turn.

use crate::failure::{Failure, Result};
use crate::figure::{Figure, short};
use crate::launch::{Make, Programs};
use crate::process::Process;
use crate::record::Record;
use crate::sample::{Sample, Target};
use crate::say::say;
use crate::stopwatch::Stopwatch;
use crate::workload::Workload;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run one workload against servers in turn, and compare the medians.
#[derive(Args, Debug)]
#[command(after_help = "background and huge leave their jobs with a server that was there already.")]
pub(crate) struct Duel {
    /// What to do, and its shape in numbers.
    #[arg(num_args = 2, value_names = ["WORKLOAD", "SHAPE"], required = true, help = forms())]
    workload: Vec<String>,
    /// The address of a server that is there already, as in 127.0.0.1:4730.
    #[arg(long, value_name = "ADDRESS")]
    server: Option<SocketAddr>,
    /// Its process, to tell processor time and memory.
    #[arg(long, requires = "server")]
    pid: Option<u32>,
    /// The address of a server to compare with.
    #[arg(long, value_name = "ADDRESS")]
    vs: Option<SocketAddr>,
    /// Its process.
    #[arg(long, requires = "vs")]
    vs_pid: Option<u32>,
    /// Start this server anew for each run; may be given several times.
    #[arg(long, value_enum, value_name = "SERVER")]
    launch: Vec<Make>,
    /// A flag for the servers that are started, but not for the floor, as in --flag=--worker-wakeup=1.
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    flag: Vec<String>,
    /// How long to count, in seconds, for workloads that have no end of their own.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where to keep all values.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

fn forms() -> String {
    format!("What to do, and its shape in numbers: {}", Workload::FORMS)
}

/// A server that takes part.
enum Side {
    There(Target),
    Started(Make),
}

impl Duel {
    pub(crate) fn run(&self) -> Result<()> {
        let workload = Workload::parse(&self.workload[0], &self.workload[1])?;
        let (sides, watch) = (self.sides(), Stopwatch::new());
        if sides.is_empty() {
            return Err(Failure::says("no server: give --server ADDRESS or --launch SERVER"));
        }
        let mut record = Record::new(self.programs.machine(), self.seconds);
        for _ in 0..self.rounds {
            for side in &sides {
                let sample = self.once(workload, side, watch)?;
                say(format_args!("{workload} {}: {sample}", side.name()))?;
                record.add(&workload.to_string(), &side.name(), Ok(sample));
            }
        }
        summary(&record, &workload.to_string(), &sides)?;
        self.json.as_ref().map_or(Ok(()), |path| record.write(path))
    }

    fn sides(&self) -> Vec<Side> {
        let there =
            [(self.server, self.pid), (self.vs, self.vs_pid)].into_iter().filter_map(|(address, pid)| {
                let processes = pid.map(Process::of).into_iter().collect();
                Some(Side::There(Target { addresses: vec![address?], metrics: None, processes }))
            });
        there.chain(self.launch.iter().map(|&make| Side::Started(make))).collect()
    }

    fn once(&self, workload: Workload, side: &Side, watch: Stopwatch) -> Result<Sample> {
        match side {
            Side::There(target) => workload.run(target, watch, self.seconds),
            Side::Started(make) => {
                let flags: Vec<_> = self.flag.iter().map(String::as_str).collect();
                let server = self.programs.start(*make, &flags, &[])?;
                workload.run(&server.target(), watch, self.seconds)
            }
        }
    }
}

impl Side {
    fn name(&self) -> String {
        match self {
            Self::There(target) => target.address(0).to_string(),
            Self::Started(make) => make.name().to_owned(),
        }
    }
}

/// The medians, and how the first side stands to each.
fn summary(record: &Record, workload: &str, sides: &[Side]) -> Result<()> {
    let median = |side: &Side, figure| record.found(workload, &side.name())?.median(figure);
    say("\nmedians, and the first server's ratio to each:")?;
    for side in sides {
        let compared = COMPARED.into_iter().filter_map(|figure| {
            let (value, first) = (median(side, figure)?, median(&sides[0], figure)?);
            // What a workload does not measure is 0.
            (value > 0.0).then(|| format!("{:>8} {} (x{:.2})", short(value), figure.unit(), first / value))
        });
        let beside = [Figure::ServerCpu, Figure::OwnCpu].into_iter();
        let beside = beside
            .filter_map(|figure| Some(format!("{:>8} {}", short(median(side, figure)?), figure.unit())));
        say(format_args!("{:>21}: {}", side.name(), compared.chain(beside).collect::<Vec<_>>().join("  ")))?;
    }
    Ok(())
}

/// What one server may have more of than another.
const COMPARED: [Figure; 12] = [
    Figure::Rate,
    Figure::CpuPerJob,
    Figure::P50,
    Figure::P99,
    Figure::Longest,
    Figure::Megabytes,
    Figure::BytesPerJob,
    Figure::BytesPerConnection,
    Figure::Copies,
    Figure::Valley,
    Figure::Settled,
    Figure::Resident,
];
