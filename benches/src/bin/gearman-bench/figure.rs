//! The figures that a run finds.

use serde::{Deserialize, Serialize};

/// A figure that a run finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    /// Jobs (or echoes, or submits) a second.
    Rate,
    /// Processor time of the server for a job, in microseconds.
    CpuPerJob,
    /// The middle latency, in microseconds.
    P50,
    /// The latency that one in a hundred passes, in microseconds.
    P99,
    /// The longest latency, in microseconds.
    Longest,
    /// Millions of bytes of workload a second.
    Megabytes,
    /// Memory of the server for a waiting job, in bytes.
    BytesPerJob,
    /// Memory of the server for a connection, in bytes.
    BytesPerConnection,
    /// The most memory of the server, in sizes of the workload.
    Copies,
    /// The last valley of the server's memory, in sizes of the first.
    Valley,
    /// Memory of the server after a fifth of a long run, in mebibytes.
    Settled,
    /// Memory of the server at the end of a long run, in mebibytes.
    Resident,
    /// From the start of the process to its first answer, in milliseconds.
    Start,
    /// Processor time of the load generator while it counted, in percent of one core.
    OwnCpu,
    /// Processor time of the server, in percent of one core.
    ServerCpu,
    /// The part of the server's processor time in which it held its engine, in percent.
    Held,
    /// How long the load generator could have run and had no core, in percent of the time.
    OwnWait,
    /// How long the server's threads could have run and had no core, in percent of the time: what else runs on the
    /// machine takes it from them.
    ServerWait,
}

impl Figure {
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Rate => "jobs/s",
            Self::CpuPerJob => "CPU us/job",
            Self::P50 => "p50 us",
            Self::P99 => "p99 us",
            Self::Longest => "longest us",
            Self::Megabytes => "MB/s",
            Self::BytesPerJob => "B/job",
            Self::BytesPerConnection => "B/connection",
            Self::Copies => "copies",
            Self::Valley => "last valley/first",
            Self::Settled => "MiB after a fifth",
            Self::Resident => "MiB at the end",
            Self::Start => "ms to start",
            Self::OwnCpu => "generator %",
            Self::ServerCpu => "server %",
            Self::Held => "% of it under the lock",
            Self::OwnWait => "generator waits %",
            Self::ServerWait => "server waits %",
        }
    }

    /// Whether more of it is better.
    pub(crate) const fn more_is_better(self) -> bool {
        matches!(self, Self::Rate | Self::Megabytes)
    }
}

/// The middle of some values; of an even number, the lower one of the two.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// A figure with about three digits.
pub(crate) fn short(value: f64) -> String {
    match value {
        value if value >= 9_999_500.0 => format!("{:.1} M", value / 1e6),
        value if value >= 999_500.0 => format!("{:.2} M", value / 1e6),
        value if value >= 9_995.0 => format!("{:.0} k", value / 1e3),
        value if value >= 99.5 => format!("{value:.0}"),
        value if value >= 9.95 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value_whatever_their_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 5.0, 7.0]), Some(5.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn figures_are_short() {
        let shown = [0.456, 12.34, 123.4, 12_345.0, 1_234_567.0, 99_999_999.0].map(short);
        assert_eq!(shown, ["0.46", "12.3", "123", "12 k", "1.23 M", "100.0 M"]);
    }
}
