//! What is written down of a run while it happens: the history, how far each job has come, and what faults bit.

use crate::faults::FaultClass;
use crate::faults::tally::Tally;
use crate::history::{Actor, Closing, Connection, Entry, History, What};
use crate::lives::{Lives, Stretch};
use gearman_protocol::{Decoder, Limits, Request, Response, Time};
use std::collections::VecDeque;

/// Whoever follows a history while it is written.
pub(crate) type Watcher = Box<dyn FnMut(&Entry) + Send>;

pub(crate) struct Journal {
    history: History,
    watcher: Watcher,
    lives: Lives,
    tally: Tally,
    taps: Vec<Tap>,
    /// Jobs that have moved since the stage last asked, and by whose doing.
    moves: VecDeque<(Stretch, Connection)>,
}

/// What is between two messages on a connection, in both directions, and whether its end was told.
struct Tap {
    requests: Decoder,
    responses: Decoder,
    half_closed: bool,
    closed: bool,
    ended: bool,
}

impl Journal {
    pub(crate) fn new(history: History, watcher: Watcher) -> Self {
        Self {
            history,
            watcher,
            lives: Lives::default(),
            tally: Tally::default(),
            taps: Vec::new(),
            moves: VecDeque::new(),
        }
    }

    pub(crate) fn connected(&mut self, at: Time, actor: Actor) -> Connection {
        let number = u32::try_from(self.taps.len()).expect("a run has fewer than 2^32 connections");
        let connection = Connection::new(number);
        self.taps.push(Tap {
            requests: Decoder::new(Limits::default()),
            responses: Decoder::new(Limits::default()),
            half_closed: false,
            closed: false,
            ended: false,
        });
        self.record(at, What::Connected { connection, actor });
        connection
    }

    /// The peer's socket has taken these bytes.
    pub(crate) fn wrote(&mut self, at: Time, connection: Connection, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let what = match self.taps[connection.index()].requests.decode(&mut bytes) {
                Ok(None) => return,
                Ok(Some(frame)) => match Request::parse(frame) {
                    Ok(request) => What::Wrote { connection, request },
                    Err(error) => What::WroteMalformed { connection, error },
                },
                Err(error) => {
                    bytes = &[];
                    What::WroteMalformed { connection, error }
                }
            };
            self.record(at, what);
        }
    }

    /// The peer has taken these bytes from its socket.
    pub(crate) fn read(&mut self, at: Time, connection: Connection, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let what = match self.taps[connection.index()].responses.decode(&mut bytes) {
                Ok(None) => return,
                Ok(Some(frame)) => match Response::parse(frame) {
                    Ok(response) => What::Read { connection, response },
                    Err(error) => What::ReadMalformed { connection, error },
                },
                Err(error) => {
                    bytes = &[];
                    What::ReadMalformed { connection, error }
                }
            };
            self.record(at, what);
        }
    }

    /// The peer has seen or made the end of its connection; told twice, it counts once.
    pub(crate) fn closed(&mut self, at: Time, connection: Connection, how: Closing) {
        let tap = &mut self.taps[connection.index()];
        let told = if how == Closing::HalfClosed { &mut tap.half_closed } else { &mut tap.closed };
        if !std::mem::replace(told, true) {
            self.record(at, What::Closed { connection, how });
        }
    }

    /// The server's end of a connection is over; told twice, it counts once.
    pub(crate) fn ended(&mut self, at: Time, connection: Connection) {
        if !std::mem::replace(&mut self.taps[connection.index()].ended, true) {
            self.record(at, What::Ended { connection });
        }
    }

    pub(crate) fn server_up(&mut self, at: Time) {
        self.record(at, What::ServerUp);
    }

    /// The server's process is gone; that its connections have ended goes without saying.
    pub(crate) fn server_down(&mut self, at: Time) {
        for tap in &mut self.taps {
            tap.ended = true;
        }
        self.record(at, What::ServerDown);
    }

    pub(crate) fn storm_over(&mut self, at: Time) {
        self.record(at, What::StormOver);
    }

    /// A fault has touched a connection, and with it the jobs that the connection submits, watches or holds.
    pub(crate) fn bit(&mut self, class: FaultClass, connection: Connection) {
        self.tally.touched(class, &self.lives.concerning(connection));
    }

    /// A fault has touched every live job.
    pub(crate) fn bit_all(&mut self, class: FaultClass) {
        self.tally.touched(class, &self.lives.all());
    }

    /// What faults have touched so far.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The jobs that have moved since this was last asked, and on whose connection.
    pub(crate) fn take_moves(&mut self) -> VecDeque<(Stretch, Connection)> {
        std::mem::take(&mut self.moves)
    }

    fn record(&mut self, at: Time, what: What) {
        let entry = self.history.record(at, what);
        self.moves.extend(self.lives.observe(&entry));
        (self.watcher)(&entry);
    }
}
