//! What a run found.

use crate::failure::Result;
use crate::figure::{Figure, short};
use crate::process::Process;
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use hdrhistogram::Histogram;
use std::fmt;
use std::net::SocketAddr;

/// The server under measurement.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Its process, if that may be looked at.
    pub(crate) process: Option<Process>,
}

/// What a run found.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) jobs: u64,
    pub(crate) seconds: f64,
    /// Processor time of the server, in seconds.
    pub(crate) server_cpu: Option<f64>,
    /// Processor time of the load generator, in seconds.
    pub(crate) own_cpu: f64,
    /// Memory of the server at the end, in bytes.
    pub(crate) resident: Option<u64>,
    /// In nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// What only some workloads tell.
    extra: Vec<(Figure, f64)>,
}

/// Counts jobs and their latencies while a run goes on.
#[derive(Debug)]
pub(crate) struct Meter {
    watch: Stopwatch,
    process: Option<Process>,
    /// How many jobs are done.
    pub(crate) jobs: u64,
    latency: Histogram<u64>,
    from: Nanos,
    server_from: Option<u64>,
    own_from: u64,
}

impl Meter {
    pub(crate) fn new(target: &Target, watch: Stopwatch) -> Result<Self> {
        let latency = Histogram::new(3).expect("three digits are allowed");
        let process = target.process.clone();
        let mut meter = Self { watch, process, jobs: 0, latency, from: 0, server_from: None, own_from: 0 };
        meter.restart()?;
        Ok(meter)
    }

    /// Forgets what was before: from now on it counts.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.jobs = 0;
        self.latency.reset();
        self.server_from = self.server_cpu()?;
        self.own_from = Process::own().cpu()?;
        self.from = self.now();
        Ok(())
    }

    pub(crate) fn now(&self) -> Nanos {
        self.watch.now()
    }

    /// How long it has counted.
    pub(crate) fn elapsed(&self) -> Nanos {
        self.now() - self.from
    }

    /// A job that began then is done now.
    pub(crate) fn done(&mut self, began: Nanos) {
        self.jobs += 1;
        self.latency.record(self.now().saturating_sub(began)).expect("the histogram grows by itself");
    }

    /// What it has counted until now.
    pub(crate) fn sample(&self) -> Result<Sample> {
        let seconds = seconds(self.elapsed());
        let server = self.server_cpu()?.zip(self.server_from).map(|(to, from)| self::seconds(to - from));
        Ok(Sample {
            jobs: self.jobs,
            seconds,
            server_cpu: server,
            own_cpu: self::seconds(Process::own().cpu()? - self.own_from),
            resident: self.resident()?,
            latency: self.latency.clone(),
            extra: Vec::new(),
        })
    }

    /// The server's memory now, in bytes, if its process may be looked at.
    pub(crate) fn resident(&self) -> Result<Option<u64>> {
        self.process.as_ref().map(Process::resident).transpose()
    }

    /// The most memory that the server ever had, in bytes.
    pub(crate) fn peak(&self) -> Result<Option<u64>> {
        self.process.as_ref().map(Process::peak).transpose()
    }

    fn server_cpu(&self) -> Result<Option<u64>> {
        self.process.as_ref().map(Process::cpu).transpose()
    }
}

fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

impl Sample {
    /// With a figure that only some workloads tell, if it is known.
    pub(crate) fn with(mut self, figure: Figure, value: Option<f64>) -> Self {
        self.extra.extend(value.map(|value| (figure, value)));
        self
    }

    /// All that was found.
    pub(crate) fn figures(&self) -> Vec<(Figure, f64)> {
        let mut figures = vec![
            (Figure::Rate, self.rate()),
            (Figure::P50, self.latency_at(0.5)),
            (Figure::P99, self.latency_at(0.99)),
            (Figure::OwnCpu, 100.0 * self.own_cpu / self.seconds),
        ];
        if let (Some(cpu), Some(per_job)) = (self.server_cpu, self.cpu_per_job()) {
            figures.extend([(Figure::CpuPerJob, per_job), (Figure::ServerCpu, 100.0 * cpu / self.seconds)]);
        }
        figures.extend(&self.extra);
        figures
    }

    /// Jobs a second.
    pub(crate) fn rate(&self) -> f64 {
        self.jobs as f64 / self.seconds
    }

    /// Processor time of the server for one job, in microseconds.
    pub(crate) fn cpu_per_job(&self) -> Option<f64> {
        Some(self.server_cpu? * 1e6 / self.jobs as f64)
    }

    /// A quantile of the latency, in microseconds.
    pub(crate) fn latency_at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.0} jobs/s", self.rate())?;
        if let (Some(cpu), Some(per_job)) = (self.server_cpu, self.cpu_per_job()) {
            write!(f, "  server {per_job:6.2} us/job {:3.0} %", 100.0 * cpu / self.seconds)?;
        }
        write!(f, "  own {:3.0} %", 100.0 * self.own_cpu / self.seconds)?;
        let [p50, p99] = [0.5, 0.99].map(|quantile| self.latency_at(quantile));
        write!(f, "  p50 {p50:.0} us  p99 {p99:.0} us")?;
        if let Some(bytes) = self.resident {
            write!(f, "  {} MiB", bytes >> 20)?;
        }
        self.extra.iter().try_for_each(|(figure, value)| write!(f, "  {} {}", short(*value), figure.unit()))
    }
}
