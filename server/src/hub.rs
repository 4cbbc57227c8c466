//! The engine under its lock, and the way of its effects to the connections.

use crate::keeper::Order;
use crate::mailbox::{Closing, Mailbox};
use crate::phase::{Finish, Life, Phase};
use crate::store::{Outcome, Store};
use gearman_engine::{ConnectionId, Doors, Effect, Effects, Event, StoredJob};
use gearman_net::Clock;
use gearman_protocol::{FunctionStatus, Time};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

/// What all tasks of a server share.
pub(crate) struct Hub<D, C> {
    pub(crate) clock: C,
    pub(crate) life: Arc<Life>,
    /// Tells the keeper that the engine's deadline has come nearer.
    pub(crate) rearm: Notify,
    inner: Mutex<Inner<D>>,
}

struct Inner<D> {
    doors: D,
    effects: Effects,
    /// Looked up and never walked in its own order.
    mailboxes: HashMap<ConnectionId, Arc<Mailbox>>,
    opened: u64,
    /// The deadline that the keeper waits for.
    armed: Option<Time>,
    store: Box<dyn Store>,
    orders: UnboundedSender<Order>,
}

/// Whom to wake once the lock is given back.
type Sleepers = Vec<Waker>;

impl<D: Doors, C: Clock> Hub<D, C> {
    pub(crate) fn new(clock: C, doors: D, store: Box<dyn Store>, orders: UnboundedSender<Order>) -> Self {
        let inner = Inner {
            doors,
            effects: Effects::new(),
            mailboxes: HashMap::new(),
            opened: 0,
            armed: None,
            store,
            orders,
        };
        Self { clock, life: Arc::new(Life::new()), rearm: Notify::new(), inner: Mutex::new(inner) }
    }

    /// Tells the engine the wall clock's time and what its store had kept.
    pub(crate) fn begin(&self, kept: impl IntoIterator<Item = StoredJob>) {
        let wall = Event::Wall { now: self.clock.wall() };
        self.turn(std::iter::once(wall).chain(kept.into_iter().map(|job| Event::Replayed { job })));
    }

    /// Tells of a new connection; `None` if no more are taken.
    pub(crate) fn open(&self, peer: String) -> Option<(ConnectionId, Arc<Mailbox>)> {
        let mailbox = Arc::new(Mailbox::default());
        let mut inner = self.lock();
        if self.life.phase() != Phase::Accepting {
            return None;
        }
        inner.opened += 1;
        let id = ConnectionId::new(inner.opened);
        inner.mailboxes.insert(id, Arc::clone(&mailbox));
        self.handle(inner, [Event::Opened { from: id, peer }], |_| true);
        Some((id, mailbox))
    }

    /// Tells that a connection is gone: the last event of its number.
    pub(crate) fn close(&self, id: ConnectionId) {
        let mut inner = self.lock();
        inner.mailboxes.remove(&id);
        let is_last = inner.mailboxes.is_empty();
        self.handle(inner, [Event::Closed { from: id }], |_| true);
        if let (true, Phase::Ending(finish)) = (is_last, self.life.phase()) {
            self.life.advance(Phase::Ended(finish));
        }
    }

    /// Tells what a connection received, up to the event by which the engine decides to close it.
    pub(crate) fn receive(&self, mailbox: &Mailbox, events: Vec<Event>) {
        self.handle(self.lock(), events, |_| !mailbox.is_closing());
    }

    /// Tells of anything else.
    pub(crate) fn turn(&self, events: impl IntoIterator<Item = Event>) {
        self.handle(self.lock(), events, |_| true);
    }

    /// How long the keeper shall wait. The engine's deadline is remembered, so that only an earlier one is told.
    pub(crate) fn arm(&self) -> Option<Duration> {
        let mut inner = self.lock();
        inner.armed = inner.doors.deadline();
        inner.armed.map(|deadline| deadline.since(self.clock.now()))
    }

    /// Lets every connection write what waits, and then end.
    pub(crate) fn end(&self, finish: Finish) {
        let mut sleepers = Sleepers::new();
        self.lock().end(&self.life, finish, &mut sleepers);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Ends every connection at once.
    pub(crate) fn cut(&self) {
        let sleepers = self.lock().close_all(Closing::Now);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Hands events to the engine and its effects to the connections, while `go_on` says so.
    fn handle(
        &self,
        mut inner: MutexGuard<'_, Inner<D>>,
        events: impl IntoIterator<Item = Event>,
        go_on: impl Fn(&Event) -> bool,
    ) {
        let mut sleepers = Sleepers::new();
        let now = self.clock.now();
        for event in events {
            if !go_on(&event) {
                break;
            }
            let Inner { doors, effects, .. } = &mut *inner;
            doors.handle(now, event, effects);
            inner.carry_out(&self.life, &mut sleepers);
        }
        let nearer = match (inner.doors.deadline(), inner.armed) {
            (Some(deadline), Some(armed)) => deadline < armed,
            (deadline, None) => deadline.is_some(),
            (None, Some(_)) => false,
        };
        if nearer {
            inner.armed = inner.doors.deadline();
        }
        // What is woken may run at once on another thread, and would find the lock taken.
        drop(inner);
        sleepers.into_iter().for_each(Waker::wake);
        if nearer {
            self.rearm.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<D>> {
        self.inner.lock().expect("the engine panicked")
    }
}

impl<D> Inner<D> {
    fn carry_out(&mut self, life: &Life, sleepers: &mut Sleepers) {
        let mut effects = std::mem::take(&mut self.effects);
        let (mut finish, mut awaited) = (None, String::new());
        for effect in effects.drain() {
            let (who, orders) = (|id| self.mailboxes.get(&id), &self.orders);
            let woken = match effect {
                Effect::Send { to, response } => who(to).and_then(|mailbox| mailbox.send(&response)),
                Effect::Close { who: id, after_flush } => {
                    let closing = if after_flush { Closing::AfterFlush } else { Closing::Now };
                    who(id).and_then(|mailbox| mailbox.close(closing))
                }
                Effect::PauseReading { who: id } => who(id).and_then(|mailbox| mailbox.pause(true)),
                Effect::ResumeReading { who: id } => who(id).and_then(|mailbox| mailbox.pause(false)),
                Effect::Store { job } => {
                    let outcome = Outcome::new(job.record, orders.clone());
                    self.store.keep(job, outcome);
                    None
                }
                Effect::Forget { record } => {
                    self.store.forget(record);
                    None
                }
                Effect::StopAccepting => {
                    life.advance(Phase::Closed);
                    None
                }
                Effect::Draining { left } => {
                    awaited = waiting_for(&left);
                    tracing::info!("draining, {awaited}");
                    None
                }
                Effect::Exit { code } => {
                    finish = Some(Finish::from(code));
                    None
                }
            };
            sleepers.extend(woken);
        }
        // The sink keeps its memory from turn to turn.
        self.effects = effects;
        // The end comes last: what is sent by the same event is still to be written.
        if let Some(finish) = finish {
            if finish == Finish::Unfinished {
                tracing::error!("gave up draining, still {awaited}");
            }
            self.end(life, finish, sleepers);
        }
    }

    fn end(&self, life: &Life, finish: Finish, sleepers: &mut Sleepers) {
        life.advance(Phase::Ending(finish));
        sleepers.append(&mut self.close_all(Closing::AfterFlush));
        if self.mailboxes.is_empty() {
            life.advance(Phase::Ended(finish));
        }
    }

    /// In the order in which they were opened, so that it is the same each time.
    fn close_all(&self, closing: Closing) -> Sleepers {
        let mut ids: Vec<ConnectionId> = self.mailboxes.keys().copied().collect();
        ids.sort_unstable();
        ids.iter().filter_map(|id| self.mailboxes[id].close(closing)).collect()
    }
}

/// What a drain waits for, in one line.
fn waiting_for(left: &[FunctionStatus]) -> String {
    let functions: Vec<String> = left
        .iter()
        .map(|row| {
            let (name, workers) = (row.function.escape_ascii(), row.workers);
            format!(
                "{name} ({} running, {} waiting, {workers} workers)",
                row.running,
                row.total - row.running
            )
        })
        .collect();
    format!("waiting for {}", functions.join(", "))
}
