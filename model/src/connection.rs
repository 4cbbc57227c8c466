//! A connection: what it can do, whether it sleeps, and what it waits for.

use bytes::Bytes;
use gearman_engine::{Buffered, ConnectionId, RecordId};
use gearman_protocol::{FunctionName, Handle, Response, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// How much of a client id is kept, in bytes.
pub(crate) const MAX_CLIENT_ID: usize = 127;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) peer: String,
    pub(crate) client_id: Bytes,
    /// The one to be served next first: the newest, until it is served and goes last.
    pub(crate) abilities: Vec<Ability>,
    pub(crate) sleep: Sleep,
    pub(crate) exceptions: bool,
    /// The job that this worker has just ended by an exception.
    pub(crate) excepted: Option<Handle>,
    /// What cannot be sent yet, because the store has not answered for the first of them.
    pub(crate) held: VecDeque<Held>,
    pub(crate) fill: Buffered,
    /// The peer has left, or was sent away; it gets what is held, and then its connection is closed.
    pub(crate) leaving: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Ability {
    pub(crate) function: FunctionName,
    pub(crate) timeout: Option<Duration>,
    /// Its place in the order of registering.
    pub(crate) registered: u64,
}

/// ```text
/// Awake -- PRE_SLEEP --> Asleep -- NOOP --> Woken -- any packet --> Awake
///   ^------- grab ---------/
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sleep {
    Awake,
    /// With its place in the order of falling asleep.
    Asleep {
        place: u64,
    },
    Woken {
        at: Time,
    },
}

#[derive(Debug)]
pub(crate) enum Held {
    /// The answer to a submit, which depends on this record.
    Answer(RecordId),
    /// Something that must not overtake it.
    Behind(Response),
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, peer: String, exceptions: bool) -> Self {
        Self {
            id,
            peer,
            client_id: Bytes::from_static(b"-"),
            abilities: Vec::new(),
            sleep: Sleep::Awake,
            exceptions,
            excepted: None,
            held: VecDeque::new(),
            fill: Buffered::default(),
            leaving: false,
        }
    }

    pub(crate) fn is_able(&self, function: &FunctionName) -> bool {
        self.abilities.iter().any(|ability| ability.function == *function)
    }

    /// Keeps a response behind what is held already; gives it back if nothing is.
    pub(crate) fn hold(&mut self, response: Response) -> Option<Response> {
        if self.held.is_empty() {
            return Some(response);
        }
        self.held.push_back(Held::Behind(response));
        None
    }
}
