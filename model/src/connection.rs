//! A connection: what it can do, whether it sleeps, and what it waits for.

use bytes::Bytes;
use gearman_engine::{Buffered, ConnectionId, RecordId};
use gearman_protocol::{FunctionName, Handle, Outward, Response, Time};
use std::collections::VecDeque;
use std::time::Duration;

/// How much of a client id is kept, in bytes.
pub(crate) const MAX_CLIENT_ID: usize = 127;
/// How many exceptions of a worker are remembered.
pub(crate) const MAX_EXCEPTED: usize = 64;
/// From how many bytes on a packet is a large one.
pub(crate) const LARGE: usize = 64 << 10;

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) peer: String,
    pub(crate) client_id: Bytes,
    /// The one to be served next first: the newest, until it is served and goes last.
    pub(crate) abilities: Vec<Ability>,
    pub(crate) sleep: Sleep,
    pub(crate) exceptions: bool,
    /// The jobs that this worker has ended by an exception and said no more of.
    pub(crate) excepted: VecDeque<Handle>,
    /// What cannot be sent yet, because the store has not answered for the first of them.
    pub(crate) held: VecDeque<Held>,
    pub(crate) presence: Presence,
    pub(crate) fill: Buffered,
    /// The largest packet that may be on its way, if it is a large one.
    pub(crate) largest: usize,
    /// Until when the peer must finish a message, or take its last ones.
    pub(crate) patience: Option<Time>,
    /// Whether it is not read from because memory is short.
    pub(crate) paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    /// The peer has left, or was sent away, and still waits for the store.
    Leaving,
    /// The driver was told to close.
    Closing,
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

#[derive(Clone, Debug)]
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
            excepted: VecDeque::new(),
            held: VecDeque::new(),
            presence: Presence::Here,
            fill: Buffered::default(),
            largest: 0,
            patience: None,
            paused: false,
        }
    }

    pub(crate) fn is_able(&self, function: &FunctionName) -> bool {
        self.abilities.iter().any(|ability| ability.function == *function)
    }

    /// Keeps a response behind what is held already; gives it back if nothing is. A large one is noted, because
    /// a reader may be slow by the packet that is on its way.
    pub(crate) fn hold(&mut self, response: Response) -> Option<Response> {
        let length = length(&response);
        self.largest = self.largest.max(if length >= LARGE { length } else { 0 });
        if self.held.is_empty() {
            return Some(response);
        }
        self.held.push_back(Held::Behind(response));
        None
    }

    /// Bytes that wait for the peer, here and at the driver.
    pub(crate) fn outward(&self) -> usize {
        let held = self.held.iter().map(|held| match held {
            Held::Answer(_) => 0,
            Held::Behind(response) => length(response),
        });
        self.fill.outward + held.sum::<usize>()
    }
}

fn length(response: &Response) -> usize {
    let mut bytes = Outward::new();
    response.encode(&mut bytes);
    bytes.len()
}
