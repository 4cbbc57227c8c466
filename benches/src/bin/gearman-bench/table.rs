//! The whole table, or some rows of it: runs in turn against each server.

use crate::chart;
use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::launch::{Make, Programs};
use crate::record::Record;
use crate::report::{Report, has_place};
use crate::row::{ROWS, Row, Tier};
use crate::say::say;
use crate::stopwatch::{SECOND, Stopwatch};
use clap::Args;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

/// Start all servers in turn, run every workload against each, and print the table for docs/measurements.md.
#[derive(Args, Debug)]
pub(crate) struct Table {
    /// Only these rows; `list` shows them.
    #[arg(value_name = "ROW")]
    only: Vec<String>,
    /// How often each run is made; the table has medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long to count, in seconds, for workloads that have no end of their own.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Rows that are only for the charts, too.
    #[arg(long)]
    charts: bool,
    /// Rows that take many minutes, too.
    #[arg(long)]
    long: bool,
    /// Show the table of a record made before, and run nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rounds", "seconds", "json"])]
    from: Option<PathBuf>,
    /// Measure only the rows that are named anew, and take all others from this record, which must be of the same commit
    /// and machine.
    #[arg(long, value_name = "FILE", requires = "only", conflicts_with = "from")]
    keep: Option<PathBuf>,
    /// Write the table into this page, between the comments <!-- table --> and <!-- end of table -->, instead of
    /// printing it; with --charts, the charts are drawn beside the page.
    #[arg(long, value_name = "PAGE")]
    into: Option<PathBuf>,
    /// Where to keep the record; it grows with each round, so that an interrupted table is not lost.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

impl Table {
    pub(crate) fn run(&self) -> Result<()> {
        let mut rows = self.rows()?;
        self.into.as_ref().map_or(Ok(()), |page| has_place(page, "table"))?;
        let record = match &self.from {
            Some(path) => Record::read(path)?,
            None => self.measure(&rows)?,
        };
        if self.keep.is_some() {
            rows = ROWS.iter().filter(|row| record.has(row)).collect();
        }
        self.show(&record, &rows)?;
        let failures = rows.iter().filter_map(|row| Some((row.name, record.failure(row.name)?)));
        match failures.collect::<Vec<_>>()[..] {
            [] => Ok(()),
            [(row, (server, why)), ref others @ ..] => Err(Failure::says(format!(
                "{} of {} rows failed; the first is {row}, {server}: {why}",
                others.len() + 1,
                rows.len(),
            ))),
        }
    }

    fn show(&self, record: &Record, rows: &[&'static Row]) -> Result<()> {
        let report = Report::new(record, rows);
        let Some(page) = &self.into else {
            return say(report.markdown().trim_end());
        };
        let folder = page.parent().unwrap_or(page);
        // The table is worth having if a row of the charts has failed.
        let drawn = if self.charts { chart::draw_all(record, folder) } else { Ok(()) };
        report.write_into(page)?;
        drawn
    }

    fn rows(&self) -> Result<Vec<&'static Row>> {
        if let Some(name) = self.only.iter().find(|name| ROWS.iter().all(|row| row.name != **name)) {
            return Err(Failure::says(format!("{name} is no row; `gearman-bench list` shows them")));
        }
        let wanted = |row: &&Row| {
            let tier = match row.tier {
                Tier::Table => true,
                Tier::Chart => self.charts,
                Tier::Long => self.long,
            };
            if self.only.is_empty() { tier } else { self.only.iter().any(|name| name == row.name) }
        };
        Ok(ROWS.iter().filter(wanted).collect())
    }

    fn measure(&self, rows: &[&Row]) -> Result<Record> {
        let machine = self.programs.machine();
        let mut record = match &self.keep {
            Some(path) => Record::read(path)?.anew(rows, &machine, self.seconds)?,
            None => Record::new(machine, self.seconds),
        };
        let watch = Stopwatch::new();
        for (number, row) in (1..).zip(rows) {
            let rounds = self.rounds.min(row.rounds);
            for round in 1..=rounds {
                let (all, seconds) = (rows.len(), watch.now() / SECOND);
                eprintln!(
                    "row {number} of {all}, round {round} of {rounds}, after {seconds} s: {}",
                    row.name
                );
                for &make in row.makes {
                    self.round(row, make, watch, &mut record);
                }
                self.json.as_ref().map_or(Ok(()), |path| record.write(path))?;
            }
        }
        Ok(record)
    }

    /// One run, against a server that has done nothing yet. Whatever goes wrong in it, the table goes on.
    fn round(&self, row: &Row, make: Make, watch: Stopwatch, record: &mut Record) {
        let once = || {
            let server = self.programs.start(make, row.flags, row.floor_flags)?;
            let sample = row.workload.run(&server.target(), watch, self.seconds)?;
            Ok(sample.with(Figure::Start, Some(server.start as f64 / 1e6)))
        };
        let outcome = panic::catch_unwind(AssertUnwindSafe(once))
            .unwrap_or_else(|_| Err(Failure::says("the load generator panicked: see above")));
        match &outcome {
            Ok(sample) => eprintln!("{:>11}: {sample}", make.name()),
            Err(error) => eprintln!("{:>11}: FAILED: {error}", make.name()),
        }
        record.add(row.name, make.name(), outcome);
    }
}
