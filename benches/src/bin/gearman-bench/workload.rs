//! Workloads by name and shape.

use crate::failure::{Failure, Result};
use crate::load::{
    Background, Coalesce, Drain, Echo, Foreground, Functions, Huge, Paced, Peak, Reported, Run, Status,
};
use crate::sample::{Sample, Target};
use crate::stopwatch::{SECOND, Stopwatch};
use std::fmt;

/// How long a load runs before it is counted.
const WARM_UP: u64 = SECOND / 5;
/// How many submits are counted at a depth, at most.
const SUBMITS: u64 = 100_000;
/// The workload of a job, in bytes.
const SMALL: usize = 64;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Clients that wait for results, workers, jobs outstanding for each client, and the size of a workload in bytes.
    Foreground { clients: usize, workers: usize, depth: usize, size: usize },
    /// Clients, and echoes outstanding for each.
    Echo { clients: usize, depth: usize },
    /// Submits that find so many jobs waiting.
    Background { waiting: u64 },
    /// Workers that empty a queue.
    Drain { waiting: u64, workers: usize },
    /// Workers that sleep, and jobs a second.
    Paced { workers: usize, rate: u64 },
    /// Workers, milliseconds that each job takes, and jobs a second.
    Reported { workers: usize, milliseconds: u64, rate: u64 },
    /// Functions, and workers that are each able to do ten of them.
    Functions { functions: usize, workers: usize },
    /// The same, and somebody who asks for `status`.
    Status { functions: usize, workers: usize },
    /// Clients that wait for one job, and how often.
    Coalesce { clients: usize, times: usize },
    /// One job with a workload of so many bytes.
    Huge { size: u32 },
    /// A queue that fills and empties, and how often.
    Peak { waiting: u64, times: usize },
}

impl Workload {
    /// How workloads are written, for the help and for errors.
    pub(crate) const FORMS: &'static str = "foreground CLIENTSxWORKERSxDEPTH[xBYTES], echo CLIENTSxDEPTH, background WAITING, \
         drain WAITINGxWORKERS, paced WORKERSxRATE, reported-load WORKERSxMILLISECONDSxRATE, functions FUNCTIONSxWORKERS, status FUNCTIONSxWORKERS, \
         coalesce CLIENTSxTIMES, huge BYTES, peak WAITINGxTIMES";

    /// The largest single job.
    pub(crate) const HUGE: Self = Self::Huge { size: Huge::LARGEST };

    /// From its name and its shape, numbers with an x between them.
    pub(crate) fn parse(name: &str, shape: &str) -> Result<Self> {
        let numbers: Option<Vec<u32>> = shape.split('x').map(|number| number.parse().ok()).collect();
        let at = |value: u32| value as usize;
        Ok(match (name, numbers.as_deref()) {
            ("foreground", Some(&[clients, workers, depth])) => {
                Self::Foreground { clients: at(clients), workers: at(workers), depth: at(depth), size: SMALL }
            }
            ("foreground", Some(&[clients, workers, depth, size])) if at(size) >= SMALL => Self::Foreground {
                clients: at(clients),
                workers: at(workers),
                depth: at(depth),
                size: at(size),
            },
            ("echo", Some(&[clients, depth])) => Self::Echo { clients: at(clients), depth: at(depth) },
            ("background", Some(&[waiting])) => Self::Background { waiting: waiting.into() },
            ("drain", Some(&[waiting, workers])) => {
                Self::Drain { waiting: waiting.into(), workers: at(workers) }
            }
            ("paced", Some(&[workers, rate])) => Self::Paced { workers: at(workers), rate: rate.into() },
            ("reported-load", Some(&[workers, milliseconds, rate])) => {
                Self::Reported { workers: at(workers), milliseconds: milliseconds.into(), rate: rate.into() }
            }
            ("functions", Some(&[functions, workers])) => {
                Self::Functions { functions: at(functions), workers: at(workers) }
            }
            ("status", Some(&[functions, workers])) => {
                Self::Status { functions: at(functions), workers: at(workers) }
            }
            ("coalesce", Some(&[clients, times])) => {
                Self::Coalesce { clients: at(clients), times: at(times) }
            }
            ("huge", Some(&[size])) if size <= Huge::LARGEST => Self::Huge { size },
            ("peak", Some(&[waiting, times])) => Self::Peak { waiting: waiting.into(), times: at(times) },
            _ => {
                return Err(Failure::says(format!(
                    "{name} {shape} is no workload; there are: {}",
                    Self::FORMS
                )));
            }
        })
    }

    /// Runs it; what has no end of its own is counted for so many seconds.
    pub(crate) fn run(self, target: &Target, watch: Stopwatch, seconds: u64) -> Result<Sample> {
        let times = [WARM_UP, seconds * SECOND];
        let run = Run::new(target, watch)?;
        match self {
            Self::Foreground { clients, workers, depth, size } => {
                Foreground::run(run, (clients, workers, depth), size, times)
            }
            Self::Echo { clients, depth } => Echo::run(run, (clients, depth), times),
            Self::Background { waiting } => Background::run(run, waiting, SUBMITS.min(waiting)),
            Self::Drain { waiting, workers } => Drain::run(run, waiting, workers),
            Self::Paced { workers, rate } => Paced::run(run, workers, rate, times),
            Self::Reported { workers, milliseconds, rate } => {
                Reported::run(run, workers, milliseconds, rate, seconds * SECOND)
            }
            Self::Functions { functions, workers } => Functions::run(run, functions, workers, times),
            Self::Status { functions, workers } => Status::run(run, functions, workers, seconds * SECOND),
            Self::Coalesce { clients, times } => Coalesce::run(run, clients, times),
            Self::Huge { size } => Huge::run(target, watch, size),
            Self::Peak { waiting, times } => Peak::run(run, waiting, times),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreground { clients, workers, depth, size: SMALL } => {
                write!(f, "foreground {clients}x{workers}x{depth}")
            }
            Self::Foreground { clients, workers, depth, size } => {
                write!(f, "foreground {clients}x{workers}x{depth}x{size}")
            }
            Self::Echo { clients, depth } => write!(f, "echo {clients}x{depth}"),
            Self::Background { waiting } => write!(f, "background {waiting}"),
            Self::Drain { waiting, workers } => write!(f, "drain {waiting}x{workers}"),
            Self::Paced { workers, rate } => write!(f, "paced {workers}x{rate}"),
            Self::Reported { workers, milliseconds, rate } => {
                write!(f, "reported-load {workers}x{milliseconds}x{rate}")
            }
            Self::Functions { functions, workers } => write!(f, "functions {functions}x{workers}"),
            Self::Status { functions, workers } => write!(f, "status {functions}x{workers}"),
            Self::Coalesce { clients, times } => write!(f, "coalesce {clients}x{times}"),
            Self::Huge { size } => write!(f, "huge {size}"),
            Self::Peak { waiting, times } => write!(f, "peak {waiting}x{times}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_reads_as_it_is_written() {
        let forms = [
            "foreground 8x8x64",
            "foreground 1x1x1x1048576",
            "echo 8x64",
            "background 300000",
            "drain 300000x8",
            "paced 10000x1000",
            "reported-load 765x1100x695",
            "functions 100000x10000",
            "status 100000x10000",
            "coalesce 1000x100",
            "huge 1000",
            "peak 4000000x10",
        ];
        for form in forms {
            let (name, shape) = form.split_once(' ').unwrap();
            assert_eq!(Workload::parse(name, shape).unwrap().to_string(), form);
            assert!(Workload::FORMS.contains(name), "{name} is not told");
        }
    }

    #[test]
    fn what_is_no_workload_is_refused_with_the_forms() {
        for (name, shape) in [("foreground", "8x8"), ("echo", "8xmany"), ("huge", "4294967295"), ("tea", "1")]
        {
            let error = Workload::parse(name, shape).unwrap_err().to_string();
            assert!(error.contains("foreground CLIENTSxWORKERSxDEPTH"), "{error}");
        }
    }
}
