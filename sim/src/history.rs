//! What the peers of a run saw on the wire, as plain data with one order.
//!
//! A history is all that the judge knows.
//! It is written at the peers' end of the network: a request stands where its peer handed its last byte over, which
//! says nothing about when it arrives; a response stands where its peer took its last byte, which proves that the
//! server had sent it by then.
//! One kind of entry is the network's own: [`What::Ended`], because the end of a connection has no reply that would
//! tell when the server learnt of it.
//!
//! ```
//! use gearman_protocol::{Request, Response, Time};
//! use gearman_sim::history::{Actor, Connection, History, ServerId, What};
//!
//! let mut history = History::keeping();
//! let connection = Connection::new(0);
//! let (actor, server) = (Actor::new(2), ServerId::new(0));
//! history.record(Time::ZERO, What::Connected { connection, actor, server });
//! history.record(Time::ZERO, What::Wrote { connection, request: Request::Grab(gearman_protocol::Grab::Plain) });
//! history.record(Time::from_millis(3), What::Read { connection, response: Response::NoJob });
//! assert_eq!(history.entries()[2].to_string(), "     3 ms  #2  c0 < NO_JOB");
//! ```

mod digest;
mod trace;

pub use digest::Digest;
pub(crate) use trace::Shown;

use crate::workload::Hostile;
use gearman_protocol::{DecodeError, Request, Response, Time};
use std::fmt;

/// One connection of a run, numbered from 0 in the order in which peers connect; never given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(u32);

impl Connection {
    /// The connection with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number, as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

/// One peer: its index among the actors of the plan's workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(u32);

impl Actor {
    /// The actor with this index.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

/// One server of a run, numbered from 0; its process may end and start again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u8);

impl ServerId {
    /// The server with this number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Its number, as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The first one is just the server.
impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("server"),
            number => write!(f, "server-{}", u16::from(number) + 1),
        }
    }
}

/// The place of an entry in the one order of its history, from 0.
///
/// What was read was processed before anything that stands later was written.
pub type Place = u64;

/// How a connection came to its end, as its peer saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The peer closed it.
    ByPeer,
    /// The peer closed its sending side and reads on.
    HalfClosed,
    /// The peer read the end: the server closed.
    ByServer,
    /// The peer read the end, and it was something on the way that had closed.
    OnTheWay,
    /// The peer got an error.
    Reset,
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A server's process has started. Nothing of its earlier one is left.
    ServerUp(ServerId),
    /// A server is told to finish what it can, take nothing new, and end.
    ServerDrains(ServerId),
    /// A server that was told to end has done what it would, and ends.
    ServerEnds(ServerId),
    /// A server's process is gone, and every connection to it with it.
    ServerDown(ServerId),
    /// A peer has connected.
    Connected {
        /// The new connection.
        connection: Connection,
        /// Whose it is.
        actor: Actor,
        /// To whom.
        server: ServerId,
    },
    /// A peer has handed over the last byte of a request.
    Wrote {
        /// On which connection.
        connection: Connection,
        /// What it asks.
        request: Request,
    },
    /// A peer has handed over bytes that are no request.
    WroteMalformed {
        /// On which connection.
        connection: Connection,
        /// What a decoder says of them.
        error: DecodeError,
        /// Which kind of hostile bytes they are, if one of those that plans speak of.
        kind: Option<Hostile>,
    },
    /// A peer has taken the last byte of a response.
    Read {
        /// On which connection.
        connection: Connection,
        /// What it says. Replies of the text protocol come line by line.
        response: Response,
    },
    /// A peer has taken bytes that are no response.
    ReadMalformed {
        /// On which connection.
        connection: Connection,
        /// What a decoder says of them.
        error: DecodeError,
    },
    /// A peer has seen, or made, the end of a connection.
    Closed {
        /// Which one.
        connection: Connection,
        /// How.
        how: Closing,
    },
    /// The server's end of a connection is over: it was told of the end (half-closes count) or has closed it.
    /// Told once, before the server can act on it.
    Ended {
        /// Which one.
        connection: Connection,
    },
    /// From here on no fault is injected.
    StormOver,
    /// All who are left have done all that there was for them, and nothing is on its way.
    AtRest,
}

impl What {
    /// Whether it is a message, good or bad, that a peer has written or read.
    #[must_use]
    pub const fn is_message(&self) -> bool {
        matches!(
            self,
            Self::Wrote { .. } | Self::WroteMalformed { .. } | Self::Read { .. } | Self::ReadMalformed { .. }
        )
    }
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order.
    pub place: Place,
    /// Simulated time where it was seen, in whole milliseconds; two hosts may disagree by a tick.
    pub at: Time,
    /// What was seen.
    pub what: What,
}

/// What was seen so far.
#[derive(Debug)]
pub struct History {
    entries: Vec<Entry>,
    keeps: bool,
    next: Place,
    digest: Digest,
}

impl History {
    /// An empty history that keeps its entries.
    #[must_use]
    pub fn keeping() -> Self {
        Self { entries: Vec::new(), keeps: true, next: 0, digest: Digest::new() }
    }

    /// An empty history that only counts and digests, for campaigns that judge as they go.
    #[must_use]
    pub fn passing() -> Self {
        Self { keeps: false, ..Self::keeping() }
    }

    /// Adds what was seen, and returns it as an entry for whoever watches.
    pub fn record(&mut self, at: Time, what: What) -> Entry {
        let entry = Entry { place: self.next, at, what };
        self.next += 1;
        self.digest.fold(&entry);
        if self.keeps {
            self.entries.push(entry.clone());
        }
        entry
    }

    /// All entries, if they are kept.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries there were, kept or not.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.next
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// A number that is the same for the same entries, on every platform and in every process.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest.value()
    }
}
