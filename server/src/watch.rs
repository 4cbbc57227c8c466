//! How a running server stands, for whoever holds its handle.

use crate::hub::Hub;
use gearman_engine::{Doors, Figures, FunctionPage};
use gearman_net::Clock;
use gearman_net::sync::atomic::{AtomicU64, Ordering};

/// What the driver has counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that peers have sent.
    pub received: u64,
    /// Bytes that peers have taken.
    pub sent: u64,
    /// How often the system would not hand over a connection; mostly it has no descriptors left.
    pub accept_failures: u64,
}

/// The same, for many tasks to add to. Nothing else follows from these numbers, so no order among them is kept.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    received: AtomicU64,
    sent: AtomicU64,
    accept_failures: AtomicU64,
}

impl Tally {
    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Traffic {
        Traffic {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            accept_failures: self.accept_failures.load(Ordering::Relaxed),
        }
    }
}

/// A server, whatever its engine and its clock.
pub(crate) trait Watched: Send + Sync {
    fn figures(&self) -> Figures;
    fn functions(&self, page: usize, most: usize) -> FunctionPage;
    fn traffic(&self) -> Traffic;
}

impl<D: Doors + Send + 'static, C: Clock> Watched for Hub<D, C> {
    fn figures(&self) -> Figures {
        self.read(|doors| doors.figures())
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.read(|doors| doors.functions(page, most))
    }

    fn traffic(&self) -> Traffic {
        self.tally.read()
    }
}
