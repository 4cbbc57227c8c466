//! Records that the store has been asked to keep and has not answered yet.

use super::jobs::{JobKey, JobNumber};
use super::outbox::Ticket;
use crate::{ConnectionId, RecordId};
use std::collections::BTreeMap;

/// A question to the store, and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The job, unless it has ended while the store was busy.
    pub(crate) job: Option<JobKey>,
    pub(crate) number: JobNumber,
    /// The submits that wait, in order.
    pub(crate) waiters: Vec<Waiter>,
}

/// A submit that waits for the store's answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    /// Whose it is; the connection may be gone when the answer comes.
    pub(crate) connection: ConnectionId,
    /// Where the reply goes.
    pub(crate) ticket: Ticket,
    /// Whether it will watch the job.
    pub(crate) foreground: bool,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    pending: BTreeMap<RecordId, Pending>,
    last_record: u64,
}

impl Stores {
    /// The number of the next record.
    pub(crate) const fn next_record(&mut self) -> RecordId {
        self.last_record += 1;
        RecordId::new(self.last_record)
    }

    /// Never gives this number away: a record from an earlier life has it.
    pub(crate) fn reserve(&mut self, record: RecordId) {
        self.last_record = self.last_record.max(record.get());
    }

    pub(crate) fn ask(&mut self, record: RecordId, job: JobKey, number: JobNumber) {
        self.pending.insert(record, Pending { job: Some(job), number, waiters: Vec::new() });
    }

    /// What the store has been asked about a record; `None` if it has answered.
    pub(crate) fn get_mut(&mut self, record: RecordId) -> Option<&mut Pending> {
        self.pending.get_mut(&record)
    }

    /// The question that is answered now.
    pub(crate) fn take(&mut self, record: RecordId) -> Option<Pending> {
        self.pending.remove(&record)
    }

    /// All questions, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordId, &Pending)> {
        self.pending.iter().map(|(&record, pending)| (record, pending))
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
