//! The whole table, or some rows of it: runs in turn against each server.

use crate::failure::{Failure, Result};
use crate::figure::{Figure, short};
use crate::launch::{Make, Programs};
use crate::record::Record;
use crate::row::{ROWS, Row, Tier};
use crate::stopwatch::Stopwatch;
use crate::verdict::Verdict;
use clap::Args;
use std::fmt::Write;
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
    /// Print the table of a record made before, and run nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rounds", "seconds"])]
    from: Option<PathBuf>,
    /// Where to keep the record; it grows with each round, so that an interrupted table is not lost.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

impl Table {
    pub(crate) fn run(&self) -> Result<()> {
        let rows = self.rows()?;
        let record = match &self.from {
            Some(path) => Record::read(path)?,
            None => self.measure(&rows)?,
        };
        print!("{}", markdown(&record, &rows));
        let failed: Vec<_> = rows.iter().filter(|row| record.has_failed(row.name, Make::Ours)).collect();
        match failed[..] {
            [] => Ok(()),
            [first, ..] => Err(Failure::says(format!(
                "{} of {} rows failed, as {}",
                failed.len(),
                rows.len(),
                first.name
            ))),
        }
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
        let mut record = Record::new(self.seconds);
        let watch = Stopwatch::new();
        for row in rows {
            for round in 1..=self.rounds.min(row.rounds) {
                for &make in row.makes {
                    self.round(row, make, watch, &mut record, round);
                }
                self.json.as_ref().map_or(Ok(()), |path| record.write(path))?;
            }
        }
        Ok(record)
    }

    /// One run, against a server that has done nothing yet.
    fn round(&self, row: &Row, make: Make, watch: Stopwatch, record: &mut Record, round: usize) {
        let outcome = self.programs.start(make, row.flags, row.floor_flags).and_then(|server| {
            let sample = row.workload.run(&server.target(), watch, self.seconds)?;
            Ok(sample.with(Figure::Start, Some(server.start as f64 / 1e6)))
        });
        match &outcome {
            Ok(sample) => eprintln!("{} {round} {}: {sample}", row.name, make.name()),
            Err(error) => eprintln!("{} {round} {}: {error}", row.name, make.name()),
        }
        record.add(row.name, make.name(), outcome);
    }
}

/// The figures of each server, and then the verdicts.
fn markdown(record: &Record, rows: &[&Row]) -> String {
    let mut text = format!(
        "Linux {}, {} cores; closed loops counted for {} s.\n\n| work | server | found (medians) | n |\n|---|---|---|---|\n",
        record.kernel, record.cores, record.seconds
    );
    for row in rows {
        for make in row.makes {
            figures(record, row, *make, &mut text);
        }
    }
    text += "\n| work | demanded | verdict |\n|---|---|---|\n";
    for (row, demand) in rows.iter().flat_map(|row| row.demands.iter().map(move |demand| (row, demand))) {
        let verdict = Verdict::of(record, row, demand);
        writeln!(text, "| {} | {} | {} |", row.name, verdict.demand, verdict.shown()).expect("text has room");
    }
    text
}

fn figures(record: &Record, row: &Row, make: Make, text: &mut String) {
    let Some(found) = record.found(row.name, make.name()) else { return };
    let always = [Figure::ServerCpu, Figure::OwnCpu];
    let mut cells: Vec<_> = row
        .shows
        .iter()
        .chain(&always)
        .filter_map(|&figure| Some(format!("{} {}", short(found.median(figure)?), figure.unit())))
        .collect();
    cells
        .extend(found.failures.first().map(|failure| format!("failed {}x: {failure}", found.failures.len())));
    let (cells, rounds) = (cells.join(" · "), found.rounds());
    writeln!(text, "| {} | {} | {cells} | {rounds} |", row.name, make.title()).expect("text has room");
}
