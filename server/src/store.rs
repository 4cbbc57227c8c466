//! The door to whatever keeps background jobs beyond the process.

use crate::keeper::Order;
use gearman_engine::{RecordId, StoreError, StoredJob};
use tokio::sync::mpsc::UnboundedSender;

/// Keeps background jobs so that they outlive the process.
///
/// Both calls come while the engine is held and must return at once: whatever takes time is done elsewhere,
/// and told through the [`Outcome`].
pub trait Store: Send + 'static {
    /// Begins to keep a job; its submitter waits until `outcome` is told.
    fn keep(&mut self, job: StoredJob, outcome: Outcome);

    /// Begins to drop a record: its job has ended. A record that is not there is nothing to complain about.
    fn forget(&mut self, record: RecordId);
}

/// By which a store tells what became of one record. Dropping it untold tells that the record was not kept.
#[derive(Debug)]
pub struct Outcome {
    record: RecordId,
    told: Result<(), StoreError>,
    orders: UnboundedSender<Order>,
}

impl Outcome {
    pub(crate) const fn new(record: RecordId, orders: UnboundedSender<Order>) -> Self {
        Self { record, told: Err(StoreError), orders }
    }

    /// Tells whether the record is kept; `Ok` means that it is there after a crash.
    pub fn tell(mut self, outcome: Result<(), StoreError>) {
        self.told = outcome;
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        // It fails when the server has ended, and then nobody waits for the answer.
        let _ = self.orders.send(Order::Stored { record: self.record, outcome: self.told });
    }
}

/// The store of a server that has none: an engine configured so never asks.
pub(crate) struct NoStore;

impl Store for NoStore {
    fn keep(&mut self, _job: StoredJob, _outcome: Outcome) {}

    fn forget(&mut self, _record: RecordId) {}
}
