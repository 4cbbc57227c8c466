//! The rows of the table: what is measured, against whom, and what is demanded.

use crate::figure::Figure::{self, *};
use crate::launch::METRICS;
use crate::launch::Make::{self, *};
use crate::workload::Workload;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) workload: Workload,
    pub(crate) makes: &'static [Make],
    /// Flags for all servers but the floor.
    pub(crate) flags: &'static [&'static str],
    pub(crate) floor_flags: &'static [&'static str],
    /// What the table shows.
    pub(crate) shows: &'static [Figure],
    pub(crate) demands: &'static [Demand],
    pub(crate) tier: Tier,
    /// What takes long is run no more often than this.
    pub(crate) rounds: usize,
}

/// When a row is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Table,
    /// Only for the charts.
    Chart,
    /// Only if it is named, or all is wanted.
    Long,
}

/// What is demanded of our server. Of several bounds the mildest holds, and none beyond the floor.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) figure: Figure,
    pub(crate) bounds: &'static [(f64, Against)],
}

/// What a bound is a multiple of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// gearmand-c at the better of its defaults and its best flags.
    Best,
    Default,
    Floor,
    /// Our own figure in another row.
    Ours(&'static str),
    /// A number.
    Fixed,
}

use Against::{Best, Default as Plain, Fixed, Floor as Least, Ours as Own};

const fn demand(figure: Figure, bounds: &'static [(f64, Against)]) -> Demand {
    Demand { figure, bounds }
}

const fn foreground(clients: usize, depth: usize, size: usize) -> Workload {
    Workload::Foreground { clients, workers: clients, depth, size }
}

const fn row(
    name: &'static str,
    workload: Workload,
    makes: &'static [Make],
    shows: &'static [Figure],
    demands: &'static [Demand],
) -> Row {
    let (flags, floor_flags): (&[&str], &[&str]) = (&[], &[]);
    Row { name, workload, makes, flags, floor_flags, shows, demands, tier: Tier::Table, rounds: usize::MAX }
}

const fn chart(name: &'static str, workload: Workload, makes: &'static [Make]) -> Row {
    Row { tier: Tier::Chart, ..row(name, workload, makes, &[Rate, CpuPerJob, P50, P99], &[]) }
}

const ALL: &[Make] = &Make::ALL;
const WITHOUT_DEFAULT: &[Make] = &[Ours, CBest, Floor];
const WITHOUT_FLOOR: &[Make] = &[Ours, CBest, CDefault];
const WAKE_ONE: &[&str] = &["--worker-wakeup=1"];

/// All rows.
pub(crate) const ROWS: &[Row] = &[
    row(
        "foreground-8x8x64",
        foreground(8, 64, 64),
        ALL,
        &[Rate, CpuPerJob, P50, P99],
        &[
            demand(Rate, &[(1.2, Best)]),
            demand(Rate, &[(0.9, Least)]),
            demand(CpuPerJob, &[(0.8, Best), (1.3, Least)]),
        ],
    ),
    row(
        "foreground-16x16x1",
        foreground(16, 1, 64),
        ALL,
        &[Rate, CpuPerJob, P50, P99],
        &[
            demand(Rate, &[(1.0, Best)]),
            demand(Rate, &[(0.95, Least)]),
            demand(CpuPerJob, &[(0.85, Best), (1.15, Least)]),
        ],
    ),
    row(
        "foreground-1x1x1",
        foreground(1, 1, 64),
        ALL,
        &[Rate, CpuPerJob, P50, P99],
        &[demand(P50, &[(1.0, Best)]), demand(P99, &[(1.0, Best)]), demand(P50, &[(1.2, Least)])],
    ),
    row("echo-8x64", Workload::Echo { clients: 8, depth: 64 }, ALL, &[Rate, CpuPerJob, P50, P99], &[]),
    row(
        "background-300k",
        Workload::Background { waiting: 300_000 },
        ALL,
        &[Rate, CpuPerJob, BytesPerJob],
        &[
            demand(Rate, &[(2.5, Best)]),
            demand(Rate, &[(25.0, Plain)]),
            demand(Rate, &[(0.4, Least)]),
            demand(BytesPerJob, &[(0.3, Best)]),
        ],
    ),
    row(
        "background-100k",
        Workload::Background { waiting: 100_000 },
        &[Ours],
        &[Rate, CpuPerJob, BytesPerJob],
        &[],
    ),
    row(
        "background-1m",
        Workload::Background { waiting: 1_000_000 },
        WITHOUT_DEFAULT,
        &[Rate, CpuPerJob, BytesPerJob],
        &[demand(BytesPerJob, &[(0.3, Best)])],
    ),
    row(
        "background-4m",
        Workload::Background { waiting: 4_000_000 },
        &[Ours],
        &[Rate, CpuPerJob, BytesPerJob],
        &[demand(Rate, &[(0.9, Own("background-100k"))]), demand(BytesPerJob, &[(0.3 * 878.0, Fixed)])],
    ),
    row(
        "drain-300kx8",
        Workload::Drain { waiting: 300_000, workers: 8 },
        ALL,
        &[Rate, CpuPerJob],
        &[demand(Rate, &[(1.4, Best)]), demand(Rate, &[(4.0, Plain)]), demand(Rate, &[(0.85, Least)])],
    ),
    Row {
        flags: WAKE_ONE,
        ..row(
            "sleepers-10k-wake-1",
            SLEEPERS,
            ALL,
            &[Rate, CpuPerJob, P50, P99, BytesPerConnection],
            &[demand(P99, &[(1.0, Best)]), demand(BytesPerConnection, &[(4096.0, Fixed)])],
        )
    },
    row(
        "sleepers-10k",
        SLEEPERS,
        WITHOUT_FLOOR,
        &[Rate, CpuPerJob, P50, P99, BytesPerConnection],
        &[demand(P99, &[(0.5, Best)])],
    ),
    row(
        "large-1mib",
        foreground(1, 1, 1 << 20),
        ALL,
        &[Megabytes, CpuPerJob, P50, P99],
        &[demand(Megabytes, &[(1.3, Best)]), demand(Megabytes, &[(0.7, Least)])],
    ),
    row(
        "huge-4gib",
        Workload::HUGE,
        ALL,
        &[Megabytes, Copies],
        &[
            demand(Megabytes, &[(1.3, Best)]),
            demand(Megabytes, &[(0.7, Least)]),
            demand(Copies, &[(3.0, Fixed)]),
        ],
    ),
    Row {
        flags: WAKE_ONE,
        ..row(
            "functions-1",
            Workload::Functions { functions: 1, workers: 10_000 },
            &[Ours, CBest],
            &[Rate, CpuPerJob, P50, P99],
            &[],
        )
    },
    Row {
        flags: WAKE_ONE,
        ..row(
            "functions-100k",
            Workload::Functions { functions: 100_000, workers: 10_000 },
            &[Ours, CBest],
            &[Rate, CpuPerJob, P50, P99],
            &[demand(Rate, &[(1.0 / 1.5, Own("functions-1"))])],
        )
    },
    row(
        "status-100k",
        Workload::Status { functions: 100_000, workers: 10_000 },
        &[Ours, CBest],
        &[P50, P99, Longest],
        &[demand(Longest, &[(5_000.0, Fixed)])],
    ),
    Row {
        flags: &[METRICS],
        ..row(
            "metrics-100k",
            Workload::Status { functions: 100_000, workers: 10_000 },
            &[Ours],
            &[P50, P99, Longest],
            &[demand(Longest, &[(5_000.0, Fixed)])],
        )
    },
    Row {
        floor_flags: &["--coalesce"],
        ..row(
            "coalesce-1000",
            Workload::Coalesce { clients: 1000, times: 200 },
            ALL,
            &[P50, P99],
            &[demand(P99, &[(1.0, Best)]), demand(P99, &[(1.5, Least)])],
        )
    },
    row(
        "start",
        Workload::Coalesce { clients: 1, times: 1 },
        ALL,
        &[Start],
        &[demand(Start, &[(1.0, Best)]), demand(Start, &[(20.0, Fixed)])],
    ),
    Row {
        tier: Tier::Long,
        rounds: 1,
        ..row(
            "peak-4m",
            Workload::Peak { waiting: 4_000_000, times: 10 },
            &[Ours],
            &[Valley],
            &[demand(Valley, &[(1.1, Fixed)])],
        )
    },
    chart("chart-depth-1k", Workload::Background { waiting: 1_000 }, ALL),
    chart("chart-depth-10k", Workload::Background { waiting: 10_000 }, ALL),
    chart("chart-depth-100k", Workload::Background { waiting: 100_000 }, ALL),
    chart("chart-depth-1m", Workload::Background { waiting: 1_000_000 }, WITHOUT_DEFAULT),
    chart("chart-connections-2", foreground(1, 1, 64), ALL),
    chart("chart-connections-8", foreground(4, 1, 64), ALL),
    chart("chart-connections-32", foreground(16, 1, 64), ALL),
    chart("chart-connections-128", foreground(64, 1, 64), ALL),
    chart("chart-connections-512", foreground(256, 1, 64), ALL),
    chart("chart-connections-2048", foreground(1024, 1, 64), ALL),
];

const SLEEPERS: Workload = Workload::Paced { workers: 10_000, rate: 1_000 };

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_is_one_row_and_each_demand_can_be_judged() {
        let names: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            for (_, against) in row.demands.iter().flat_map(|demand| demand.bounds) {
                let there = match against {
                    Best => row.makes.contains(&CBest),
                    Plain => row.makes.contains(&CDefault),
                    Least => row.makes.contains(&Floor),
                    Own(name) => names.contains(name),
                    Fixed => true,
                };
                assert!(there && row.makes.contains(&Ours), "{}", row.name);
            }
        }
    }
}
