//! How connections end: by whom, and whether that was asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Connection, Ending};
use super::player::Player;

/// How long a server may take to close its side after the transcript has closed its own.
const CLOSING_WAIT: Duration = Duration::from_millis(500);

/// The ends of one playing's connections.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The connections whose end the transcript asked for.
    expected: BTreeSet<String>,
    /// How each connection ended, in the order of their ends.
    pub(super) seen: Vec<(String, Ending)>,
    /// Whether the server ended a connection before the transcript did.
    pub(super) by_server: bool,
}

impl Ends {
    /// The transcript asked for the end of this connection.
    pub(super) fn expect(&mut self, name: &str) {
        self.expected.insert(name.to_owned());
    }

    /// A close by the server that the transcript asked for is no fault.
    fn note(&mut self, name: String, ending: Ending) {
        let is_excused = ending == Ending::WrongSide && self.expected.contains(&name);
        self.seen.push((name, if is_excused { Ending::Clean } else { ending }));
    }
}

impl Player<'_> {
    /// Lets go of a connection, stops listening, or ends a program.
    pub(super) async fn close(&mut self, name: &str) {
        if !self.served.close(name) {
            self.let_go(name, Connection::close);
            let crashed = self.served.end(name).await;
            self.crashed = self.crashed.take().or(crashed);
        }
    }

    pub(super) fn let_go(&mut self, name: &str, end: impl FnOnce(Connection) -> Ending) {
        if let Some(mut connection) = self.connections.remove(name) {
            self.ends.by_server |= connection.is_ended();
            let ending = end(connection);
            self.ends.note(name.to_owned(), ending);
        }
    }

    /// Lets go of every connection that is still there.
    pub(super) async fn finish(&mut self) {
        let wait = self.stage.stretch(CLOSING_WAIT);
        let (crashed, log) = self.served.finish().await;
        self.crashed = self.crashed.take().or(crashed);
        self.log = log;
        if self.stage.program.is_some() {
            // Whoever was at the other end has been killed, so how these end says nothing.
            self.connections.clear();
        }
        for (name, mut connection) in std::mem::take(&mut self.connections) {
            self.ends.by_server |= connection.is_ended();
            let ending = connection.finish(Instant::now() + wait).await;
            self.ends.note(name, ending);
        }
    }
}
