//! Tables of the text protocol that are told part by part, because they are long.

use super::functions::FunctionKey;
use super::jobs::{JobKey, JobNumber};
use super::outbox::Ticket;
use crate::ConnectionId;
use gearman_protocol::Time;
use std::collections::{BTreeMap, VecDeque};

/// What is left of a table, by the command that asks for it: which row is next. `None` if no more are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    Status(Option<FunctionKey>),
    PriorityStatus(Option<FunctionKey>),
    ShowJobs(JobsLeft),
    ShowUniqueJobs(JobsLeft),
}

/// The jobs that are left, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobsLeft {
    pub(crate) next: Option<JobKey>,
    /// Newer ones are not told of: jobs may come faster than a slow reader takes lines.
    pub(crate) last: JobNumber,
}

/// A table that is not told to its end.
#[derive(Debug)]
pub(crate) struct LongTable {
    /// Where its end goes; what is said after it is held back until then.
    pub(crate) ticket: Ticket,
    pub(crate) untold: Untold,
}

/// What one peer is told, one after the other.
#[derive(Debug, Default)]
struct Queue {
    tables: VecDeque<LongTable>,
    /// When the next part is told; `None` while the peer has enough to read.
    due: Option<Time>,
}

/// The table of them all.
#[derive(Debug, Default)]
pub(crate) struct LongTables(BTreeMap<ConnectionId, Queue>);

impl LongTables {
    pub(crate) fn add(&mut self, peer: ConnectionId, table: LongTable) {
        self.0.entry(peer).or_default().tables.push_back(table);
    }

    /// The table that the peer is told now.
    pub(crate) fn first(&mut self, peer: ConnectionId) -> Option<&mut LongTable> {
        self.0.get_mut(&peer)?.tables.front_mut()
    }

    /// The first one has been told to its end.
    pub(crate) fn pop(&mut self, peer: ConnectionId) {
        let Some(queue) = self.0.get_mut(&peer) else { return };
        queue.tables.pop_front();
        if queue.tables.is_empty() {
            self.0.remove(&peer);
        }
    }

    /// The next part is due then, if there is one and it is not due already. Says whether that is news.
    pub(crate) fn arm(&mut self, peer: ConnectionId, due: Time) -> bool {
        let Some(queue) = self.0.get_mut(&peer).filter(|queue| queue.due.is_none()) else { return false };
        queue.due = Some(due);
        true
    }

    /// The next part is not due any more; gives when it was.
    pub(crate) fn disarm(&mut self, peer: ConnectionId) -> Option<Time> {
        self.0.get_mut(&peer)?.due.take()
    }

    /// The peer is told nothing more.
    pub(crate) fn forget(&mut self, peer: ConnectionId) {
        self.0.remove(&peer);
    }

    /// A function goes: whoever would be told of it next is told of the one after it.
    pub(crate) fn skip_function(&mut self, gone: FunctionKey, after: Option<FunctionKey>) {
        for table in self.tables_mut() {
            if let Untold::Status(next) | Untold::PriorityStatus(next) = &mut table.untold
                && *next == Some(gone)
            {
                *next = after;
            }
        }
    }

    /// A job goes: likewise.
    pub(crate) fn skip_job(&mut self, gone: JobKey, after: Option<JobKey>) {
        for table in self.tables_mut() {
            if let Untold::ShowJobs(left) | Untold::ShowUniqueJobs(left) = &mut table.untold
                && left.next == Some(gone)
            {
                left.next = after;
            }
        }
    }

    fn tables_mut(&mut self) -> impl Iterator<Item = &mut LongTable> {
        self.0.values_mut().flat_map(|queue| &mut queue.tables)
    }

    /// Whether nobody is told any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many tables a peer waits for.
    pub(crate) fn of(&self, peer: ConnectionId) -> usize {
        self.0.get(&peer).map_or(0, |queue| queue.tables.len())
    }

    /// When a part is due, for each peer for whom one is.
    pub(crate) fn due(&self) -> impl Iterator<Item = (ConnectionId, Time)> {
        self.0.iter().filter_map(|(&peer, queue)| Some((peer, queue.due?)))
    }

    /// Who is told any.
    pub(crate) fn peers(&self) -> impl Iterator<Item = ConnectionId> {
        self.0.keys().copied()
    }

    /// What is left of each.
    pub(crate) fn untold(&self) -> impl Iterator<Item = Untold> {
        self.0.values().flat_map(|queue| &queue.tables).map(|table| table.untold)
    }
}
