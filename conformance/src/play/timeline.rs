//! What happened on all connections, in the order in which the runner saw it.

use std::fmt::{self, Write as _};
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
    /// Its first bytes, if it is one that was sent or has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// How many bytes of a message are kept.
const KEPT: usize = 32;

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
        self.push(connection, way, what.to_string(), None);
    }

    /// A message with what it was on the wire.
    pub(crate) fn note_bytes(&self, connection: &str, way: Way, what: impl fmt::Display, bytes: &[u8]) {
        self.push(connection, way, what.to_string(), Some(hex(bytes)).filter(|hex| !hex.is_empty()));
    }

    fn push(&self, connection: &str, way: Way, what: String, hex: Option<String>) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let moment = Moment { micros, connection: connection.to_owned(), way, what, hex };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn moments(&self) -> Vec<Moment> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The first bytes in groups of four, as a header has them.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().take(KEPT).enumerate() {
        let gap = if at > 0 && at % 4 == 0 { "  " } else { " " };
        let _ = write!(text, "{}{byte:02x}", if at == 0 { "" } else { gap });
    }
    if bytes.len() > KEPT {
        text.push_str(" ..");
    }
    text
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
