//! Workloads by name.

use crate::failure::{Failure, Result};
use crate::load::{Background, Drain, Echo, Foreground, Run};
use crate::sample::Sample;
use crate::stopwatch::SECOND;
use std::fmt;

/// How long a closed loop runs before it is counted.
const WARM_UP: u64 = SECOND / 5;
/// How many submits are counted at a depth.
const SUBMITS: u64 = 100_000;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    Foreground { clients: usize, workers: usize, depth: usize },
    Echo { clients: usize, depth: usize },
    Background { waiting: u64 },
    Drain { waiting: u64, workers: usize },
}

impl Workload {
    /// From its name and its shape, numbers with an x between them.
    pub(crate) fn parse(name: &str, shape: &str) -> Result<Self> {
        let numbers: Option<Vec<usize>> = shape.split('x').map(|number| number.parse().ok()).collect();
        match (name, numbers.as_deref()) {
            ("foreground", Some(&[clients, workers, depth])) => {
                Ok(Self::Foreground { clients, workers, depth })
            }
            ("echo", Some(&[clients, depth])) => Ok(Self::Echo { clients, depth }),
            ("background", Some(&[waiting])) => Ok(Self::Background { waiting: waiting as u64 }),
            ("drain", Some(&[waiting, workers])) => Ok(Self::Drain { waiting: waiting as u64, workers }),
            _ => Err(Failure::says(format!("{name} {shape} is no workload; try foreground 8x8x64"))),
        }
    }

    /// Runs it; what has no end of its own is counted for so many seconds.
    pub(crate) fn run(self, run: Run, seconds: u64) -> Result<Sample> {
        let times = [WARM_UP, seconds * SECOND];
        match self {
            Self::Foreground { clients, workers, depth } => {
                Foreground::run(run, (clients, workers, depth), 64, times)
            }
            Self::Echo { clients, depth } => Echo::run(run, (clients, depth), times),
            Self::Background { waiting } => Background::run(run, waiting, SUBMITS),
            Self::Drain { waiting, workers } => Drain::run(run, waiting, workers),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreground { clients, workers, depth } => {
                write!(f, "foreground {clients}x{workers}x{depth}")
            }
            Self::Echo { clients, depth } => write!(f, "echo {clients}x{depth}"),
            Self::Background { waiting } => write!(f, "background {waiting}"),
            Self::Drain { waiting, workers } => write!(f, "drain {waiting}x{workers}"),
        }
    }
}
