//! A server's engine whose process may stand still: then no timer of it runs out.

use crate::network::Cables;
use gearman_engine::{Doors, Effects, Event, Figures, FunctionPage};
use gearman_protocol::Time;

pub(super) struct Pausable {
    inner: Box<dyn Doors + Send>,
    cables: Cables,
    /// Where it runs.
    host: usize,
}

impl Pausable {
    pub(super) fn new(inner: Box<dyn Doors + Send>, cables: Cables, host: usize) -> Self {
        Self { inner, cables, host }
    }

    fn paused_until(&self) -> Option<Time> {
        self.cables.lock().paused_until(self.host)
    }
}

impl Doors for Pausable {
    /// Sockets and store tell nothing meanwhile; a timer that was set before does, and is set anew.
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        if !matches!(event, Event::Elapsed) || self.paused_until().is_none() {
            self.inner.handle(now, event, effects);
        }
    }

    fn deadline(&self) -> Option<Time> {
        let deadline = self.inner.deadline()?;
        Some(self.paused_until().map_or(deadline, |until| deadline.max(until)))
    }

    fn figures(&self) -> Figures {
        self.inner.figures()
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.inner.functions(page, most)
    }
}
