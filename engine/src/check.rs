//! What must always be true of the tables together.

mod connections;
mod functions;
mod jobs;
#[cfg(test)]
mod planted;
mod totals;

use crate::Engine;
use crate::tables::connections::{ConnectionKey, Presence};

/// A truth that does not hold: a bug of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(String);

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation(otherwise())) }
}

impl Engine {
    /// Whether the tables agree with themselves and with each other. Takes time for everything in them.
    ///
    /// # Errors
    /// The first truth that does not hold. There is none unless the engine is wrong.
    pub fn check(&self) -> Result<(), Violation> {
        self.check_totals()?;
        for (key, job) in self.jobs.in_order() {
            self.check_job(key, job).map_err(|wrong| wrong.of("job", job.number.0))?;
        }
        let tallies = self.tallies();
        for (key, function) in self.functions.in_order() {
            let tally = tallies.of(key);
            self.check_function(key, function, tally)
                .map_err(|wrong| wrong.of("function", &function.name))?;
        }
        for (key, connection) in self.connections.in_order() {
            let checked = self.check_connection(key, connection);
            checked.map_err(|wrong| wrong.of("connection", connection.id.get()))?;
        }
        self.check_remains()?;
        self.check_stores()?;
        self.check_reading()?;
        self.check_long_tables()?;
        self.check_deadlines()
    }

    /// Whether there is such a connection, and its peer is there or is not taken apart.
    fn is_there_or_remains(&self, key: ConnectionKey) -> bool {
        self.is_there(key, Presence::Here) || self.connections.remains().contains(&key)
    }

    /// Whether there is such a connection, and its peer is so far.
    fn is_there(&self, key: ConnectionKey, presence: Presence) -> bool {
        self.connections.slab.get(key).is_some_and(|peer| peer.presence == presence)
    }
}

impl Violation {
    /// The same, with the name of the record that it is about.
    fn of(self, kind: &str, name: impl std::fmt::Display) -> Self {
        Self(format!("{kind} {name} {}", self.0))
    }
}
