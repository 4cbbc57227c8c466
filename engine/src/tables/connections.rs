//! Connections: what each peer is called, what it can do, holds and waits for.

use super::abilities::{Ability, OfWorker};
use super::index::Index;
use super::jobs::{Job, JobNumber, Standing, Watcher};
use super::list::{Links, List, Member};
use super::outbox::Outbox;
use super::slab::{Key, Slab};
use crate::config::CONNECTION_OVERHEAD;
use crate::{Buffered, ConnectionId};
use bytes::Bytes;
use gearman_protocol::Time;
use std::collections::{BTreeMap, VecDeque};

pub(crate) type ConnectionKey = Key<Connection>;

/// A peer. It may be client, worker and administrator at once.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// The peer's address.
    pub(crate) address: String,
    /// What SET_CLIENT_ID said.
    pub(crate) client_id: Bytes,
    /// Whether it wants WORK_EXCEPTION.
    pub(crate) exceptions: bool,
    pub(crate) presence: Presence,
    pub(crate) rest: Rest,
    /// What it can do, in the order in which functions are tried.
    pub(crate) abilities: List<Ability, OfWorker>,
    /// The jobs it works on, in the order in which they were assigned.
    pub(crate) hand: List<Job, Standing>,
    /// The jobs it waits for.
    pub(crate) watches: List<Watcher, OfConnection>,
    pub(crate) outbox: Outbox,
    /// Jobs that it has ended by WORK_EXCEPTION and may end once more.
    pub(crate) excepted: VecDeque<JobNumber>,
    pub(crate) fill: Buffered,
    /// The longest of the packets that it has not taken yet, in bytes.
    pub(crate) largest: usize,
    /// Until when it may take its time to finish a message, or to take its last ones.
    pub(crate) patience: Option<Time>,
    by_opening: Links<Self>,
}

/// Whether a peer is still there.
///
/// ```text
///      half-closed, or nonsense      nothing is owed to it
/// Here ------------------------> Leaving ----------------> Closing
///   \------ too slow, or refused -------------------------/
///
///             Closed, and something remains        nothing remains
/// any of them -----------------------------> Gone ----------------> removed
///      \------ Closed, and nothing remains -------------------------/
/// ```
///
/// What remains of a peer is what it watches and holds, as far as that is more than is taken apart at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It may ask and be told.
    Here,
    /// It asks nothing more, but replies that wait for the store, or a long table, are owed to it.
    Leaving,
    /// The driver has been told to close it.
    Closing,
    /// It counts nowhere and has no name any more, but some of what it has watched and held is not taken apart.
    Gone,
}

/// Whether a worker sleeps.
///
/// ```text
///          PRE_SLEEP            a job needs it          long silence
/// Awake -------------> Asleep ------------------> Woken -----------> Hung
///   ^------- grab --------|                         |                  |
///   ^------------------- any request ---------------+------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It will grab or sleep by itself.
    Awake,
    /// It waits for a NOOP.
    Asleep,
    /// It got a NOOP and has said nothing since.
    Woken {
        /// When it counts as hung.
        until: Time,
    },
    /// It was woken and nothing was heard of it: others are woken in its place.
    Hung,
}

/// The list of what a connection watches.
#[derive(Debug)]
pub(crate) struct OfConnection;

#[derive(Debug)]
struct ByOpening;

/// The table.
pub(crate) struct Connections {
    pub(crate) slab: Slab<Connection>,
    by_id: Index<Connection>,
    opened: List<Connection, ByOpening>,
    /// How many there are from each address.
    by_address: BTreeMap<String, u32>,
    /// Of whom something remains, in the order in which they left.
    remains: VecDeque<ConnectionKey>,
}

impl Connections {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            by_id: Index::new(seed),
            opened: List::new(),
            by_address: BTreeMap::new(),
            remains: VecDeque::new(),
        }
    }

    pub(crate) fn insert(&mut self, id: ConnectionId, address: String, exceptions: bool) -> ConnectionKey {
        *self.by_address.entry(address.clone()).or_default() += 1;
        let key = self.slab.insert(Connection {
            id,
            address,
            client_id: Bytes::new(),
            exceptions,
            presence: Presence::Here,
            rest: Rest::Awake,
            abilities: List::new(),
            hand: List::new(),
            watches: List::new(),
            outbox: Outbox::default(),
            excepted: VecDeque::new(),
            fill: Buffered::default(),
            largest: 0,
            patience: None,
            by_opening: Links::default(),
        });
        self.opened.push_back(&mut self.slab, key);
        self.by_id.insert(id.get(), key);
        key
    }

    /// Takes a connection out; its record stays while something remains of it.
    pub(crate) fn remove(&mut self, key: ConnectionKey) {
        self.opened.remove(&mut self.slab, key);
        let Connection { id, address, presence, .. } = &mut self.slab[key];
        *presence = Presence::Gone;
        self.by_id.remove(id.get(), key);
        let left = self.by_address.get_mut(address).expect("every connection is counted by its address");
        *left -= 1;
        if *left == 0 {
            self.by_address.remove(address);
        }
        if !self.remains.contains(&key) {
            self.slab.remove(key);
        }
    }

    /// How many there are that are not gone.
    pub(crate) const fn len(&self) -> usize {
        self.opened.len() as usize
    }

    /// Something remains of a peer who has left; says whether that is so of nobody else.
    pub(crate) fn add_remains(&mut self, key: ConnectionKey) -> bool {
        self.remains.push_back(key);
        self.remains.len() == 1
    }

    /// Of whom something remains, the first of them.
    pub(crate) fn first_remains(&self) -> Option<ConnectionKey> {
        self.remains.front().copied()
    }

    /// Nothing remains of the first any more.
    pub(crate) fn end_remains(&mut self) {
        if let Some(key) = self.remains.pop_front()
            && self.slab[key].presence == Presence::Gone
        {
            self.slab.remove(key);
        }
    }

    /// Of whom something remains, in the order in which they left.
    pub(crate) const fn remains(&self) -> &VecDeque<ConnectionKey> {
        &self.remains
    }

    /// Those who are gone and have a record yet.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &Connection> {
        self.remains.iter().map(|&key| &self.slab[key]).filter(|peer| peer.presence == Presence::Gone)
    }

    /// How many connections there are from this address.
    pub(crate) fn count_at(&self, address: &str) -> u32 {
        self.by_address.get(address).copied().unwrap_or(0)
    }

    pub(crate) fn find(&self, id: ConnectionId) -> Option<ConnectionKey> {
        self.by_id.find(id.get(), |key| self.slab[key].id == id)
    }

    /// All connections in the order in which they were opened.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (ConnectionKey, &Connection)> {
        self.opened.keys(&self.slab).map(|key| (key, &self.slab[key]))
    }

    /// Whether the index and the list have as many entries as there are records.
    pub(crate) fn check_sizes(&self) -> Result<(), String> {
        let by_address = self.by_address.values().sum::<u32>() as usize;
        let sizes = [self.by_id.len(), self.in_order().count(), self.opened.len() as usize, by_address];
        let there = self.slab.len() - self.gone().count();
        if sizes.iter().all(|&size| size == there) {
            return Ok(());
        }
        Err(format!("{there} connections, by name and list {sizes:?}"))
    }
}

impl Connection {
    /// Whether it watches or holds something.
    pub(crate) const fn is_bound(&self) -> bool {
        !self.watches.is_empty() || !self.hand.is_empty()
    }

    /// How many bytes it counts against the memory limit.
    pub(crate) const fn memory(&self) -> usize {
        let buffers = self.fill.inbound.saturating_add(self.fill.outward).saturating_add(self.outbox.bytes());
        buffers.saturating_add(CONNECTION_OVERHEAD + self.address.len())
    }
}

impl Member<ByOpening> for Connection {
    fn links(&self) -> &Links<Self> {
        &self.by_opening
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.by_opening
    }
}

impl Member<OfConnection> for Watcher {
    fn links(&self) -> &Links<Self> {
        &self.of_connection
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.of_connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_not_counted_is_seen() {
        let mut connections = Connections::new(1);
        connections.insert(ConnectionId::new(1), "::1".to_owned(), false);
        assert_eq!(connections.check_sizes(), Ok(()));
        connections.by_address.clear();
        let seen = "1 connections, by name and list [1, 1, 1, 0]";
        assert_eq!(connections.check_sizes(), Err(seen.to_owned()));
    }
}
