//! The two doors of an engine: what happened comes in, what shall be done goes out.

use crate::{Figures, FunctionPage};
use bytes::Bytes;
use gearman_protocol::{
    DecodeError, FunctionName, FunctionStatus, Priority, Reducer, Request, Response, Time, Unique, UnixMillis,
};

/// One connection, by a number that is never given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The connection with this number; the driver counts from 1.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One record in a store, by a number that the engine never gives to another.
// At any address, so that what keeps a job alive takes nine bytes and not sixteen: there are millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed)]
pub struct RecordId(u64);

impl RecordId {
    /// The record with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A background job as a store keeps it: all that is needed to run it after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// The record's number, by which it is confirmed and forgotten.
    pub record: RecordId,
    /// What shall be done.
    pub function: FunctionName,
    /// The client's key.
    pub unique: Unique,
    /// How urgent it is.
    pub priority: Priority,
    /// The reducer, empty if there is none.
    pub reducer: Reducer,
    /// Not before this moment of the wall clock, if it is an epoch job.
    pub not_before: Option<UnixMillis>,
    /// What the worker gets.
    pub workload: Bytes,
}

/// A store could not keep a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError;

/// How full a connection's buffers are.
///
/// Told once per turn of the driver when either number has crossed a step of 64 KiB since it was last told, has
/// become zero or ceased to be, and when a message begins to be partial or ceases to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffered {
    /// Bytes held of a message that is not whole yet.
    pub inbound: usize,
    /// Encoded bytes that the peer has not taken.
    pub outward: usize,
    /// Since when a message is partial.
    pub partial_since: Option<Time>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer has connected.
    Opened {
        /// The new connection.
        from: ConnectionId,
        /// The peer's address as `workers` shows it.
        peer: String,
    },
    /// A whole request has arrived.
    Received {
        /// From whom.
        from: ConnectionId,
        /// What is asked.
        request: Request,
    },
    /// Bytes have arrived that are no request.
    Malformed {
        /// From whom.
        from: ConnectionId,
        /// What is wrong with them.
        error: DecodeError,
    },
    /// The peer will send no more; what it sent before has been told. It may still read.
    HalfClosed {
        /// Which connection.
        from: ConnectionId,
    },
    /// The connection is gone, for whatever reason, a [`Effect::Close`] included. The last event of its number.
    Closed {
        /// Which connection.
        from: ConnectionId,
    },
    /// A connection's buffers have grown or shrunk.
    Buffered {
        /// Which connection.
        from: ConnectionId,
        /// How full they are now.
        fill: Buffered,
    },
    /// What the wall clock says: at the start, and when the driver sees it step. In between it is taken to run
    /// with `now`; telling it more often is harmless. Until it is told for the first time, it is 1970.
    Wall {
        /// The moment.
        now: UnixMillis,
    },
    /// Time has passed: the deadline was reached, or the driver felt like saying so.
    Elapsed,
    /// The store has kept a record, or failed to. Records may be answered in any order; a job still takes the
    /// place in its queue that it had when it was submitted.
    Stored {
        /// Which record.
        record: RecordId,
        /// What became of it.
        outcome: Result<(), StoreError>,
    },
    /// At the start, before any connection: a record that the store had kept from an earlier life.
    ///
    /// Of two records with the same function and unique the one with the higher number is the job: the other
    /// had ended, or the later submit would have joined it, and is forgotten.
    Replayed {
        /// The job.
        job: StoredJob,
    },
    /// More or less is logged from now on, which `verbose` tells.
    Verbosity {
        /// The level's name, as in [`Config::verbose`](crate::Config::verbose).
        level: String,
    },
    /// Finish what runs, take nothing new, then exit.
    Drain,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything was finished: code 0.
    Finished,
    /// A drain ran out of time and something was left: code 3.
    Unfinished,
}

/// Something that shall be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a response. Order per peer is the order of effects.
    Send {
        /// To whom.
        to: ConnectionId,
        /// What.
        response: Response,
    },
    /// Close a connection; the driver answers with [`Event::Closed`].
    Close {
        /// Which connection.
        who: ConnectionId,
        /// Whether everything sent before shall be written first.
        after_flush: bool,
    },
    /// Stop reading from a connection.
    PauseReading {
        /// Which connection.
        who: ConnectionId,
    },
    /// Read from a connection again.
    ResumeReading {
        /// Which connection.
        who: ConnectionId,
    },
    /// Keep a job so that it outlives the process, then tell with [`Event::Stored`].
    Store {
        /// The job.
        job: StoredJob,
    },
    /// Drop a record: its job has ended. Goes out after the record's [`Event::Stored`], never before.
    Forget {
        /// Which record.
        record: RecordId,
    },
    /// Take no new connections.
    StopAccepting,
    /// What a drain waits for: every 10 s while it lasts, and once more before it gives up.
    Draining {
        /// The functions with jobs that are waited for, in order of creation.
        left: Vec<FunctionStatus>,
    },
    /// End the process, after what was sent has been written as far as peers take it.
    Exit {
        /// How.
        code: ExitCode,
    },
}

/// Where an engine puts what shall be done, in order.
#[derive(Debug, Default)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// An empty sink.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an effect.
    pub fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    /// Adds a response.
    pub fn send(&mut self, to: ConnectionId, response: Response) {
        self.push(Effect::Send { to, response });
    }

    /// Takes all effects out, in order; the sink keeps its memory.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.0.drain(..)
    }

    /// What is in it, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Effect] {
        &self.0
    }
}

/// A job server without its network: implemented by the engine, by the naive model it is held against, and by
/// wrappers that misbehave on purpose.
pub trait Doors {
    /// Tells what happened at `now`, and collects what shall be done.
    ///
    /// `now` never goes back. Deadlines that have passed are acted upon before the event; of very many that pass at one
    /// moment only some, so that no call takes long, and the others when [`Self::deadline`] says.
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects);

    /// When to come back with [`Event::Elapsed`], which is later than the last call; coming earlier is harmless.
    fn deadline(&self) -> Option<Time>;

    /// How it stands, in numbers. What counts nothing says 0 of everything.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// How some functions stand: page by page from 0 on, so that whoever reads all of them holds up nobody for
    /// long. Takes time for each place on the page, of which there are `most`; functions keep their places, and
    /// one that comes or goes between two pages is there or is not.
    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        let _ = (page, most);
        FunctionPage::default()
    }
}

/// So that what stands behind the doors can be chosen while the program runs.
impl<D: Doors + ?Sized> Doors for Box<D> {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        (**self).handle(now, event, effects);
    }

    fn deadline(&self) -> Option<Time> {
        (**self).deadline()
    }

    fn figures(&self) -> Figures {
        (**self).figures()
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        (**self).functions(page, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_box_stands_what_was_put_there() {
        let mut boxed: Box<dyn Doors> = Box::new(crate::Engine::new(crate::Config::default(), 1));
        let from = ConnectionId::new(1);
        boxed.handle(Time::ZERO, Event::Opened { from, peer: "::1".to_owned() }, &mut Effects::new());
        let request = Request::Admin(gearman_protocol::AdminRequest::CreateFunction("f".into()));
        boxed.handle(Time::ZERO, Event::Received { from, request }, &mut Effects::new());
        assert_eq!(boxed.functions(0, 9).rows.len(), 1);
        assert_eq!(boxed.figures().vitals.functions, 1);
        let fill = Buffered { partial_since: Some(Time::ZERO), ..Buffered::default() };
        boxed.handle(Time::ZERO, Event::Buffered { from, fill }, &mut Effects::new());
        assert_eq!(boxed.deadline(), Some(Time::ZERO + crate::Config::default().packet_timeout));
    }

    #[test]
    fn effects_are_looked_at_and_taken_in_order() {
        let mut effects = Effects::new();
        effects.push(Effect::StopAccepting);
        effects.push(Effect::Forget { record: RecordId::new(7) });
        let both = [Effect::StopAccepting, Effect::Forget { record: RecordId::new(7) }];
        assert_eq!(effects.as_slice(), both);
        assert_eq!(effects.drain().collect::<Vec<_>>(), both);
        assert!(effects.as_slice().is_empty());
    }
}
