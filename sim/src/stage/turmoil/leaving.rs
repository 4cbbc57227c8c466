//! A server that is told to end: when it is, what is seen of it, and when it has ended.

use crate::history::ServerId;
use crate::network::{Cables, now};
use gearman_engine::{Doors, Effect, Effects, Event, Figures, FunctionPage, Vitals};
use gearman_protocol::Time;
use gearman_server::Control;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use tokio::sync::Notify;

/// Where a server is told to end, and asked what it holds, from outside of its host.
#[derive(Default)]
pub(super) struct Gate {
    told: Notify,
    is_told: Cell<bool>,
    is_empty: Cell<bool>,
    server: RefCell<Option<Control>>,
}

impl Gate {
    /// The server shall end.
    pub(super) fn tell(&self) {
        self.is_told.set(true);
        self.told.notify_one();
    }

    /// Whether it has ended.
    pub(super) const fn is_empty(&self) -> bool {
        self.is_empty.get()
    }

    /// It is up.
    pub(super) fn opened(&self, server: Control) {
        self.server.replace(Some(server));
    }

    /// How much its engine holds, if it is up.
    pub(super) fn vitals(&self) -> Option<Vitals> {
        self.server.borrow().as_ref().map(|server| server.figures().vitals)
    }

    /// Its process is gone, and a new one will know nothing of it.
    pub(super) fn forget(&self) {
        self.server.replace(None);
        self.is_told.set(false);
        self.is_empty.set(false);
    }

    /// Passes on that the server shall end, once its process does not stand still.
    pub(super) async fn pass_on(&self, server: &Control, (cables, host): (&Cables, usize)) -> Infallible {
        loop {
            self.told.notified().await;
            cables.running(host).await;
            if self.is_told.get() {
                server.drain();
            }
        }
    }

    /// The server has ended; its host is taken down by the storm. Never ready, as a host must not end.
    ///
    /// # Panics
    /// If nobody has told it to.
    pub(super) async fn left(&self) -> Infallible {
        assert!(self.is_told.get(), "the server has ended by itself");
        self.is_empty.set(true);
        std::future::pending().await
    }
}

/// A server's engine whose end is seen: what it says afterwards proves nothing.
pub(super) struct Leaving<D> {
    pub(super) inner: D,
    pub(super) id: ServerId,
    pub(super) cables: Cables,
}

impl<D: Doors> Doors for Leaving<D> {
    fn handle(&mut self, at: Time, event: Event, effects: &mut Effects) {
        if matches!(event, Event::Drain) {
            self.cables.lock().journal().server_drains(now(), self.id);
        }
        let before = effects.as_slice().len();
        self.inner.handle(at, event, effects);
        if effects.as_slice()[before..].iter().any(|effect| matches!(effect, Effect::Exit { .. })) {
            self.cables.lock().leaves(now(), self.id);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.inner.deadline()
    }

    fn figures(&self) -> Figures {
        self.inner.figures()
    }

    fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.inner.functions(page, most)
    }
}
