//! What happened on all connections, in the order in which the runner saw it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// The record of one playing.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    began: Instant,
    events: Arc<Mutex<Vec<Moment>>>,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Microseconds since the playing began.
    pub micros: u64,
    /// The connection.
    pub connection: String,
    /// Which way it went.
    pub way: Way,
    /// The message as transcripts write it, cut when it is long.
    pub what: String,
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// To the server.
    Out,
    /// From the server.
    In,
    /// Something the tool did to the connection.
    Own,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), events: Arc::default() }
    }

    pub(crate) fn note(&self, connection: &str, way: Way, what: impl fmt::Display) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let moment = Moment { micros, connection: connection.to_owned(), way, what: what.to_string() };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.way {
            Way::Out => ">",
            Way::In => "<",
            Way::Own => "-",
        };
        let millis = self.micros / 1000;
        write!(f, "{millis:>6}.{:03} ms  {:>4} {arrow} {}", self.micros % 1000, self.connection, self.what)
    }
}
