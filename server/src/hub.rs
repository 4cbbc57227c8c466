//! The engine under its lock, and the way of its effects to the connections.

use crate::keeper::Order;
use crate::mailbox::{Closing, Mailbox};
use crate::phase::{Finish, Life, Phase};
use crate::store::{Outcome, Store};
use crate::watch::Tally;
use gearman_engine::{ConnectionId, Doors, Effect, Effects, Event, StoredJob};
use gearman_net::Clock;
use gearman_net::sync::{Mutex, MutexGuard, Notify};
use gearman_protocol::{FunctionStatus, Time};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What all tasks of a server share.
pub(crate) struct Hub<D, C> {
    pub(crate) clock: C,
    pub(crate) life: Arc<Life>,
    /// Tells the keeper that the engine's deadline has come nearer.
    pub(crate) rearm: Notify,
    pub(crate) tally: Tally,
    inner: Mutex<Inner<D>>,
}

struct Inner<D> {
    doors: D,
    effects: Effects,
    /// Looked up and never walked in its own order.
    mailboxes: HashMap<ConnectionId, Arc<Mailbox>, BuildHasherDefault<Spread>>,
    opened: u64,
    /// The deadline that the keeper waits for.
    armed: Option<Time>,
    store: Box<dyn Store>,
    orders: UnboundedSender<Order>,
}

/// Spreads the numbers of connections, which we give out ourselves, one after the other: nobody can choose them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the low bits and its tag from the high ones.
        self.0 ^ (self.0 >> 32)
    }
}

/// The engine, held for a few events that happen at one moment.
pub(crate) struct Turn<'a, D, C> {
    hub: &'a Hub<D, C>,
    inner: MutexGuard<'a, Inner<D>>,
    now: Time,
}

impl<D: Doors, C: Clock> Hub<D, C> {
    pub(crate) fn new(clock: C, doors: D, store: Box<dyn Store>, orders: UnboundedSender<Order>) -> Self {
        let inner = Inner {
            doors,
            effects: Effects::new(),
            mailboxes: HashMap::default(),
            opened: 0,
            armed: None,
            store,
            orders,
        };
        Self {
            clock,
            life: Arc::new(Life::new()),
            rearm: Notify::new(),
            tally: Tally::default(),
            inner: Mutex::new(inner),
        }
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
        self.turn_with(inner, [Event::Opened { from: id, peer }]);
        Some((id, mailbox))
    }

    /// Tells that a connection is gone: the last event of its number.
    pub(crate) fn close(&self, id: ConnectionId) {
        let mut turn = self.begin_turn();
        turn.inner.mailboxes.remove(&id);
        turn.tell(Event::Closed { from: id });
        // Before the engine is given back: whoever comes after that is not the last.
        turn.inner.note_end(&self.life);
        turn.end();
    }

    /// Tells of anything else.
    pub(crate) fn turn(&self, events: impl IntoIterator<Item = Event>) {
        self.turn_with(self.lock(), events);
    }

    fn turn_with(&self, inner: MutexGuard<'_, Inner<D>>, events: impl IntoIterator<Item = Event>) {
        let mut turn = Turn { hub: self, inner, now: self.clock.now() };
        events.into_iter().for_each(|event| turn.tell(event));
        turn.end();
    }

    /// Holds the engine until the turn ends.
    pub(crate) fn begin_turn(&self) -> Turn<'_, D, C> {
        Turn { hub: self, inner: self.lock(), now: self.clock.now() }
    }

    /// How long the keeper shall wait. The engine's deadline is remembered, so that only an earlier one is told.
    pub(crate) fn arm(&self) -> Option<Duration> {
        let mut inner = self.lock();
        inner.armed = inner.doors.deadline();
        inner.armed.map(|deadline| deadline.since(self.clock.now()))
    }

    /// Looks at the engine and changes nothing.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&D) -> T) -> T {
        look(&self.lock().doors)
    }

    /// Lets every connection write what waits, and then end.
    pub(crate) fn end(&self, finish: Finish) {
        self.lock().end(&self.life, finish);
    }

    /// Ends every connection at once.
    pub(crate) fn cut(&self) {
        self.lock().close_all(Closing::Now);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<D>> {
        self.inner.lock().expect("the engine panicked")
    }
}

impl<D: Doors, C> Turn<'_, D, C> {
    /// Hands an event to the engine and its effects to the connections.
    pub(crate) fn tell(&mut self, event: Event) {
        let Inner { doors, effects, .. } = &mut *self.inner;
        doors.handle(self.now, event, effects);
        self.inner.carry_out(&self.hub.life);
    }

    /// Gives the engine back, and has the keeper look at its deadline if that has come nearer.
    pub(crate) fn end(mut self) {
        let deadline = self.inner.doors.deadline();
        let nearer = match (deadline, self.inner.armed) {
            (Some(deadline), Some(armed)) => deadline < armed,
            (deadline, None) => deadline.is_some(),
            (None, Some(_)) => false,
        };
        if nearer {
            self.inner.armed = deadline;
            self.hub.rearm.notify_one();
        }
    }
}

impl<D> Inner<D> {
    fn carry_out(&mut self, life: &Life) {
        let mut effects = std::mem::take(&mut self.effects);
        let (mut finish, mut awaited) = (None, String::new());
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, response } => self.order(to, |mailbox| mailbox.send(response)),
                Effect::Close { who, after_flush } => {
                    let closing = if after_flush { Closing::AfterFlush } else { Closing::Now };
                    self.order(who, |mailbox| mailbox.close(closing));
                }
                Effect::PauseReading { who } => self.order(who, |mailbox| mailbox.pause(true)),
                Effect::ResumeReading { who } => self.order(who, |mailbox| mailbox.pause(false)),
                Effect::Store { job } => {
                    let outcome = Outcome::new(job.record, self.orders.clone());
                    self.store.keep(job, outcome);
                }
                Effect::Forget { record } => self.store.forget(record),
                Effect::StopAccepting => life.advance(Phase::Closed),
                Effect::Draining { left } => {
                    awaited = waiting_for(&left);
                    tracing::info!("draining, {awaited}");
                }
                Effect::Exit { code } => finish = Some(Finish::from(code)),
            }
        }
        // The sink keeps its memory from turn to turn.
        self.effects = effects;
        // The end comes last: what is sent by the same event is still to be written.
        if let Some(finish) = finish {
            if finish == Finish::Unfinished {
                tracing::error!("gave up draining, still {awaited}");
            }
            self.end(life, finish);
        }
    }

    /// Leaves something for a connection, if it is there.
    fn order(&self, who: ConnectionId, order: impl FnOnce(&Mailbox)) {
        if let Some(mailbox) = self.mailboxes.get(&who) {
            order(mailbox);
        }
    }

    fn end(&self, life: &Life, finish: Finish) {
        life.advance(Phase::Ending(finish));
        self.close_all(Closing::AfterFlush);
        self.note_end(life);
    }

    /// The end is there when nobody is left of those who were told.
    fn note_end(&self, life: &Life) {
        if let (true, Phase::Ending(finish)) = (self.mailboxes.is_empty(), life.phase()) {
            life.advance(Phase::Ended(finish));
        }
    }

    /// In the order in which they were opened, so that it is the same each time.
    fn close_all(&self, closing: Closing) {
        let mut ids: Vec<ConnectionId> = self.mailboxes.keys().copied().collect();
        ids.sort_unstable();
        ids.iter().for_each(|id| self.mailboxes[id].close(closing));
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
