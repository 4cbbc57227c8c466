//! What the runs of a table found, as it is kept in a file.

use crate::failure::{Failure, Result};
use crate::figure::{Figure, median};
use crate::launch::Make;
use crate::machine::Machine;
use crate::row::Row;
use crate::sample::Sample;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The version of the file: a reader refuses any other.
const SCHEMA: u32 = 2;

/// What the runs of a table found.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Record {
    schema: u32,
    pub(crate) machine: Machine,
    pub(crate) seconds: u64,
    /// By name of the row.
    rows: BTreeMap<String, BTreeMap<String, Found>>,
}

/// What the runs of one row against one server found.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Found {
    /// One value for each round.
    figures: BTreeMap<Figure, Vec<f64>>,
    /// Why a round has none.
    pub(crate) failures: Vec<String>,
}

impl Record {
    pub(crate) const fn new(machine: Machine, seconds: u64) -> Self {
        Self { schema: SCHEMA, machine, seconds, rows: BTreeMap::new() }
    }

    /// # Errors
    /// If there is no such file, or it is no record of this version.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Failure::at(path.display().to_string()))?;
        let wrong = |what: String| Failure::says(format!("{}: {what}", path.display()));
        let record: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if record.schema != SCHEMA {
            return Err(wrong(format!("schema {}, and this program reads {SCHEMA}", record.schema)));
        }
        Ok(record)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("numbers and names");
        fs::write(path, text + "\n").map_err(Failure::at(path.display().to_string()))
    }

    /// Forgets what was found in these rows, which are about to be measured anew.
    ///
    /// # Errors
    /// If what stays was measured elsewhere, or of another commit, or counted for another time.
    pub(crate) fn anew(mut self, rows: &[&Row], machine: &Machine, seconds: u64) -> Result<Self> {
        if !self.machine.is_as(machine) || self.seconds != seconds {
            let Self { machine: before, seconds: for_s, .. } = &self;
            return Err(Failure::says(format!(
                "the record was made otherwise ({before}, counted for {for_s} s) than this would be ({machine}, for \
                 {seconds} s), and one table cannot have both"
            )));
        }
        rows.iter().for_each(|row| drop(self.rows.remove(row.name)));
        Ok(self)
    }

    /// Whether the row was measured.
    pub(crate) fn has(&self, row: &Row) -> bool {
        self.rows.contains_key(row.name)
    }

    /// One more round was run.
    pub(crate) fn add(&mut self, row: &str, server: &str, outcome: Result<Sample>) {
        let found = self.rows.entry(row.to_owned()).or_default().entry(server.to_owned()).or_default();
        match outcome {
            Ok(sample) => {
                for (figure, value) in sample.figures() {
                    found.figures.entry(figure).or_default().push(value);
                }
            }
            Err(error) => found.failures.push(error.to_string()),
        }
    }

    pub(crate) fn found(&self, row: &str, server: &str) -> Option<&Found> {
        self.rows.get(row)?.get(server)
    }

    /// The first server of a row that had a round without figures, and why.
    pub(crate) fn failure(&self, row: &str) -> Option<(&str, &str)> {
        let mut servers = self.rows.get(row)?.iter();
        servers.find_map(|(server, found)| Some((server.as_str(), found.failures.first()?.as_str())))
    }

    /// The least and the most of all rounds.
    pub(crate) fn range(&self, row: &str, make: Make, figure: Figure) -> Option<(f64, f64)> {
        let rounds = self.found(row, make.name())?.figures.get(&figure)?.iter().copied();
        Some((rounds.clone().reduce(f64::min)?, rounds.reduce(f64::max)?))
    }

    pub(crate) fn median(&self, row: &str, make: Make, figure: Figure) -> Option<f64> {
        self.found(row, make.name())?.median(figure)
    }

    /// What demands are held against: the median of the rounds, and the longest of all of what must never be longer.
    pub(crate) fn judged(&self, row: &str, make: Make, figure: Figure) -> Option<f64> {
        let found = self.found(row, make.name())?;
        if figure == Figure::Longest {
            return found.figures.get(&figure)?.iter().copied().reduce(f64::max);
        }
        found.median(figure)
    }
}

impl Found {
    pub(crate) fn median(&self, figure: Figure) -> Option<f64> {
        median(self.figures.get(&figure)?)
    }

    /// How many rounds found the figure.
    pub(crate) fn rounds(&self) -> usize {
        self.figures.get(&Figure::Rate).map_or(0, Vec::len)
    }
}

#[cfg(test)]
impl Record {
    /// With one round in which a server reached this.
    pub(crate) fn with(mut self, row: &str, make: Make, figure: Figure, value: f64) -> Self {
        let found = self.rows.entry(row.to_owned()).or_default().entry(make.name().to_owned()).or_default();
        found.figures.entry(figure).or_default().push(value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ROWS;

    #[test]
    fn rows_that_are_measured_anew_are_forgotten_and_others_stay() {
        let figures = |record: Record, row: &Row| record.with(row.name, Make::Ours, Figure::Rate, 1.0);
        let machine = Machine::default();
        let record = || ROWS[..2].iter().fold(Record::new(machine.clone(), 2), figures);
        let anew = record().anew(&[&ROWS[1]], &machine, 2).unwrap();
        assert_eq!((anew.has(&ROWS[0]), anew.has(&ROWS[1])), (true, false));
        assert!(record().anew(&[], &machine, 3).unwrap_err().to_string().contains("counted for 2 s"));
        let elsewhere = Machine::here(Path::new("/no/such/gearmand"));
        assert!(record().anew(&[], &elsewhere, 2).is_err());
    }

    #[test]
    fn a_range_is_of_all_rounds() {
        let record = [3.0, 1.0, 2.0].into_iter().fold(Record::new(Machine::default(), 2), |record, rate| {
            record.with("row", Make::Ours, Figure::Rate, rate)
        });
        assert_eq!(record.range("row", Make::Ours, Figure::Rate), Some((1.0, 3.0)));
        assert_eq!(record.range("row", Make::Floor, Figure::Rate), None);
    }
}
