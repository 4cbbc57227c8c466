//! What the runs of a table found, as it is kept in a file.

use crate::failure::{Failure, Result};
use crate::figure::{Figure, median};
use crate::launch::Make;
use crate::machine::Machine;
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
