//! What a run found.

use crate::failure::Result;
use crate::figure::{Figure, short};
use crate::process::{Process, Scheduled};
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use hdrhistogram::Histogram;
use std::fmt;
use std::net::SocketAddr;

/// The server under measurement, or several that share the load.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Peers connect to one after the other; there is at least one.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Where metrics are served, if that is part of the load.
    pub(crate) metrics: Option<SocketAddr>,
    /// The processes, if they may be looked at; otherwise none.
    pub(crate) processes: Vec<Process>,
}

impl Target {
    /// Where the peer of this number connects.
    pub(crate) fn address(&self, number: usize) -> SocketAddr {
        self.addresses[number % self.addresses.len()]
    }

    /// Sums what each process has; `None` if none may be looked at.
    fn sum(&self, look: impl Fn(&Process) -> Result<u64>) -> Result<Option<u64>> {
        if self.processes.is_empty() {
            return Ok(None);
        }
        self.processes.iter().map(look).sum::<Result<u64>>().map(Some)
    }
}

/// What a run found.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) jobs: u64,
    pub(crate) seconds: f64,
    /// What the server was given of the processors.
    pub(crate) server: Option<Scheduled>,
    /// What the load generator was given of them.
    pub(crate) own: Scheduled,
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
    target: Target,
    /// How many jobs are done.
    pub(crate) jobs: u64,
    latency: Histogram<u64>,
    from: Nanos,
    server_from: Option<Scheduled>,
    own_from: Scheduled,
}

impl Meter {
    pub(crate) fn new(target: &Target, watch: Stopwatch) -> Result<Self> {
        let latency = Histogram::new(3).expect("three digits are allowed");
        let (target, own_from) = (target.clone(), Scheduled::default());
        let mut meter = Self { watch, target, jobs: 0, latency, from: 0, server_from: None, own_from };
        meter.restart()?;
        Ok(meter)
    }

    /// Forgets what was before: from now on it counts.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.jobs = 0;
        self.latency.reset();
        self.server_from = self.server()?;
        self.own_from = Process::own().scheduled()?;
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
        let server = self.server()?.zip(self.server_from).map(|(to, from)| to.since(from));
        Ok(Sample {
            jobs: self.jobs,
            seconds,
            server,
            own: Process::own().scheduled()?.since(self.own_from),
            resident: self.resident()?,
            latency: self.latency.clone(),
            extra: Vec::new(),
        })
    }

    /// The server's memory now, in bytes, if its process may be looked at.
    pub(crate) fn resident(&self) -> Result<Option<u64>> {
        self.target.sum(Process::resident)
    }

    /// The most memory that the server ever had, in bytes.
    pub(crate) fn peak(&self) -> Result<Option<u64>> {
        self.target.sum(Process::peak)
    }

    fn server(&self) -> Result<Option<Scheduled>> {
        let ran = self.target.sum(|process| Ok(process.scheduled()?.ran))?;
        let waited = self.target.sum(|process| Ok(process.scheduled()?.waited))?;
        Ok(ran.zip(waited).map(|(ran, waited)| Scheduled { ran, waited }))
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
            (Figure::OwnCpu, self.percent(self.own.ran)),
            (Figure::OwnWait, self.percent(self.own.waited)),
        ];
        if let (Some(server), Some(per_job)) = (self.server, self.cpu_per_job()) {
            figures.extend([(Figure::CpuPerJob, per_job), (Figure::ServerCpu, self.percent(server.ran))]);
            figures.push((Figure::ServerWait, self.percent(server.waited)));
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
        Some(self.server?.ran as f64 / 1e3 / self.jobs as f64)
    }

    /// A part of the run, in percent.
    fn percent(&self, nanos: Nanos) -> f64 {
        100.0 * seconds(nanos) / self.seconds
    }

    /// A quantile of the latency, in microseconds.
    pub(crate) fn latency_at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.0} jobs/s", self.rate())?;
        if let (Some(server), Some(per_job)) = (self.server, self.cpu_per_job()) {
            let [ran, waited] = [server.ran, server.waited].map(|nanos| self.percent(nanos));
            write!(f, "  server {per_job:6.2} us/job {ran:3.0} % (waits {waited:3.0} %)")?;
        }
        let [ran, waited] = [self.own.ran, self.own.waited].map(|nanos| self.percent(nanos));
        write!(f, "  own {ran:3.0} % (waits {waited:3.0} %)")?;
        let [p50, p99] = [0.5, 0.99].map(|quantile| self.latency_at(quantile));
        write!(f, "  p50 {p50:.0} us  p99 {p99:.0} us")?;
        if let Some(bytes) = self.resident {
            write!(f, "  {} MiB", bytes >> 20)?;
        }
        self.extra.iter().try_for_each(|(figure, value)| write!(f, "  {} {}", short(*value), figure.unit()))
    }
}
