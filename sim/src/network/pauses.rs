//! Hosts whose programs stand still, as after SIGSTOP: their system goes on taking bytes and shaking hands.

use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// Until when each host that stands still does.
    until: BTreeMap<usize, Time>,
    /// Tasks that wait for any of them to go on.
    waiting: Vec<Waker>,
}

impl Pauses {
    /// The programs of a host stand still until then, or later if they did already.
    pub(super) fn begin(&mut self, host: usize, until: Time) {
        let now = self.until.entry(host).or_insert(until);
        *now = until.max(*now);
    }

    /// They go on, unless they are to stand still for longer than this.
    pub(super) fn end(&mut self, host: usize, until: Time) {
        if self.until(host).is_some_and(|latest| latest <= until) {
            self.forget(host);
        }
    }

    /// Whoever is started on the host now does not stand still.
    pub(super) fn forget(&mut self, host: usize) {
        self.until.remove(&host);
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// Until when a host stands still, if it does.
    pub(super) fn until(&self, host: usize) -> Option<Time> {
        self.until.get(&host).copied()
    }

    /// Ready when the host's programs do not stand still.
    pub(super) fn poll(&mut self, host: usize, cx: &Context<'_>) -> Poll<()> {
        if self.until.contains_key(&host) {
            self.waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}
