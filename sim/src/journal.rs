//! What is written down of a run while it happens: the history, how far each job has come, and what faults bit.

use crate::census::Census;
use crate::faults::FaultClass;
use crate::faults::tally::Tally;
use crate::history::{Actor, Closing, Connection, History, ServerId, What};
use crate::lives::{Lives, Stretch};
use crate::stage::Watcher;
use crate::workload::Hostile;
use gearman_protocol::{Decoder, Limits, Request, Response, Time};
use std::collections::VecDeque;

pub(crate) struct Journal {
    history: History,
    watcher: Watcher,
    lives: Lives,
    tally: Tally,
    census: Census,
    taps: Vec<Tap>,
    storm_is_over: bool,
    /// Hosts that are taken down when all is over have nothing more to tell.
    is_over: bool,
    /// Jobs that have moved since the stage last asked, and by whose doing.
    moves: VecDeque<(Stretch, Connection)>,
}

/// All that a journal says in the end.
pub(crate) struct Told {
    pub(crate) history: History,
    pub(crate) tally: Tally,
    pub(crate) census: Census,
    pub(crate) lives: Lives,
}

/// What is between two messages on a connection, in both directions, and whether its end was told.
struct Tap {
    requests: Decoder,
    responses: Decoder,
    half_closed: bool,
    closed: bool,
    ended: bool,
    server: ServerId,
}

impl Journal {
    pub(crate) fn new(history: History, lives: Lives, watcher: Watcher) -> Self {
        Self {
            history,
            watcher,
            lives,
            tally: Tally::default(),
            census: Census::default(),
            taps: Vec::new(),
            storm_is_over: false,
            is_over: false,
            moves: VecDeque::new(),
        }
    }

    pub(crate) fn connected(&mut self, at: Time, actor: Actor, server: ServerId) -> Connection {
        let number = u32::try_from(self.taps.len()).expect("a run has fewer than 2^32 connections");
        let connection = Connection::new(number);
        self.taps.push(Tap {
            requests: Decoder::new(Limits::default()),
            responses: Decoder::new(Limits::default()),
            half_closed: false,
            closed: false,
            ended: false,
            server,
        });
        self.record(at, What::Connected { connection, actor, server });
        connection
    }

    /// The peer's socket has taken these bytes.
    pub(crate) fn wrote(&mut self, at: Time, connection: Connection, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let what = match self.taps[connection.index()].requests.decode(&mut bytes) {
                Ok(None) => return,
                Ok(Some(frame)) => match Request::parse(frame.clone()) {
                    Ok(request) => What::Wrote { connection, request },
                    Err(error) => {
                        What::WroteMalformed { connection, error, kind: Hostile::found(error, Some(&frame)) }
                    }
                },
                Err(error) => {
                    bytes = &[];
                    What::WroteMalformed { connection, error, kind: Hostile::found(error, None) }
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
            if how == Closing::ByPeer && tap.requests.partial().is_some() {
                self.cut_off(connection);
            }
            self.record(at, What::Closed { connection, how });
        }
    }

    /// A peer closes and has begun a message that it will not finish.
    pub(crate) fn cut_off(&mut self, connection: Connection) {
        self.census.cut_off(&self.lives, connection);
    }

    /// The server's end of a connection is over; told twice, it counts once.
    pub(crate) fn ended(&mut self, at: Time, connection: Connection) {
        if !std::mem::replace(&mut self.taps[connection.index()].ended, true) {
            self.record(at, What::Ended { connection });
        }
    }

    pub(crate) fn server_up(&mut self, at: Time, server: ServerId) {
        self.record(at, What::ServerUp(server));
    }

    /// A server is told to end.
    pub(crate) fn server_drains(&mut self, at: Time, server: ServerId) {
        self.record(at, What::ServerDrains(server));
    }

    /// A server that was told to end does; its process is about to be gone.
    pub(crate) fn server_ends(&mut self, at: Time, server: ServerId) {
        self.record(at, What::ServerEnds(server));
    }

    /// The server's process is gone; that its connections have ended goes without saying.
    pub(crate) fn server_down(&mut self, at: Time, server: ServerId) {
        for tap in self.taps.iter_mut().filter(|tap| tap.server == server) {
            tap.ended = true;
        }
        self.record(at, What::ServerDown(server));
    }

    pub(crate) fn storm_over(&mut self, at: Time) {
        self.record(at, What::StormOver);
    }

    pub(crate) fn at_rest(&mut self, at: Time) {
        self.record(at, What::AtRest);
    }

    /// A fault has happened.
    pub(crate) fn happened(&mut self, class: FaultClass) {
        self.tally.happened(class);
    }

    /// A fault has touched these connections, and with them the jobs that they submit, watch or hold; says whether
    /// there are any.
    pub(crate) fn touched(&mut self, class: FaultClass, connections: &[Connection]) -> bool {
        let jobs: Vec<Stretch> = connections.iter().flat_map(|&one| self.lives.concerning(one)).collect();
        self.tally.touched(class, &jobs)
    }

    /// A fault has happened to one job, which was there.
    pub(crate) fn bit_a_job(&mut self, class: FaultClass, at: Stretch) {
        self.tally.happened(class);
        self.tally.touched(class, &[at]);
    }

    /// Whether nothing more goes wrong.
    pub(crate) const fn is_storm_over(&self) -> bool {
        self.storm_is_over
    }

    /// A fault has touched every live job of a server; says whether there are any.
    pub(crate) fn touched_all(&mut self, class: FaultClass, server: ServerId) -> bool {
        self.tally.touched(class, &self.lives.all(server))
    }

    /// The servers' wall clocks were set, which touches the jobs that wait for their time.
    pub(crate) fn clock_was_set(&mut self) {
        self.tally.happened(FaultClass::ClockStep);
        self.tally.touched(FaultClass::ClockStep, &self.lives.for_later());
    }

    /// The jobs that have moved since this was last asked, and on whose connection.
    pub(crate) fn take_moves(&mut self) -> VecDeque<(Stretch, Connection)> {
        std::mem::take(&mut self.moves)
    }

    /// Writes down what was seen.
    pub(crate) fn record(&mut self, at: Time, what: What) {
        if self.is_over {
            return;
        }
        self.count_habits(&what);
        let entry = self.history.record(at, what);
        self.census.see(&self.lives, &entry);
        self.moves.extend(self.lives.observe(&entry));
        for stretch in self.lives.take_overdue() {
            self.tally.happened(FaultClass::JobTimeout);
            self.tally.touched(FaultClass::JobTimeout, &[stretch]);
        }
        (self.watcher)(&entry);
    }

    /// Some faults are habits of actors: they are counted where they show.
    fn count_habits(&mut self, what: &What) {
        match what {
            What::WroteMalformed { connection, .. } => {
                self.tally.happened(FaultClass::HostileBytes);
                self.touched(FaultClass::HostileBytes, &[*connection]);
            }
            What::Closed { connection, how: Closing::ByPeer | Closing::HalfClosed }
                if !self.storm_is_over =>
            {
                let waited_for = self.lives.wanted_by(*connection);
                if !waited_for.is_empty() {
                    self.tally.happened(FaultClass::ClientLeave);
                    self.tally.touched(FaultClass::ClientLeave, &waited_for);
                }
            }
            What::StormOver => self.storm_is_over = true,
            What::AtRest
            | What::Closed { .. }
            | What::ServerUp(_)
            | What::ServerDrains(_)
            | What::ServerEnds(_)
            | What::ServerDown(_)
            | What::Connected { .. }
            | What::Wrote { .. }
            | What::Read { .. }
            | What::ReadMalformed { .. }
            | What::Ended { .. } => {}
        }
    }

    /// Ends the journal of a run that has come to rest or was given up.
    pub(crate) fn take(&mut self) -> Told {
        self.is_over = true;
        Told {
            history: std::mem::replace(&mut self.history, History::passing()),
            tally: std::mem::take(&mut self.tally),
            census: std::mem::take(&mut self.census),
            lives: std::mem::take(&mut self.lives),
        }
    }

    /// How many entries there are.
    pub(crate) const fn len(&self) -> u64 {
        self.history.len()
    }

    /// How far each job has come.
    pub(crate) const fn lives(&self) -> &Lives {
        &self.lives
    }
}
