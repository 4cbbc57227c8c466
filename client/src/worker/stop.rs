//! Asking a worker to stop.

use gearman_net::sync::Notify;
use gearman_net::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Asks a worker to stop: it finishes the job at hand, tells its result, and then ends. Clones ask the same
/// worker.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Request>);

#[derive(Debug, Default)]
struct Request {
    was_made: AtomicBool,
    made: Notify,
}

impl Stop {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Asks; once is enough.
    pub fn stop(&self) {
        self.0.was_made.store(true, Ordering::Release);
        self.0.made.notify_waiters();
    }

    pub(super) fn is_requested(&self) -> bool {
        self.0.was_made.load(Ordering::Acquire)
    }

    pub(super) async fn requested(&self) {
        let made = self.0.made.notified();
        if !self.is_requested() {
            made.await;
        }
    }
}
