//! One engine for many runs, each of which believes that it has a new one.

use super::{Wrong, compare};
use gearman_engine::{ConnectionId, Doors, Effect, Effects, Engine, Event, Vitals};
use gearman_protocol::{AdminReply, AdminRequest, Handle, Request, Response, Time, UnixMillis};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The engine, and what the runs before have used up of it.
pub(super) struct Shared {
    pub(super) engine: Engine,
    /// When this run began, by the engine's time.
    began: Time,
    /// The engine's time now.
    pub(super) now: Time,
    /// How many connections there were before this run.
    before: u64,
    opened: u64,
    open: BTreeSet<ConnectionId>,
    pub(super) events: u64,
}

/// The doors of one run.
pub(super) struct Shift(pub(super) Arc<Mutex<Shared>>);

impl Shared {
    pub(super) fn new(engine: Engine) -> Self {
        let (began, now, open) = (Time::ZERO, Time::ZERO, BTreeSet::new());
        Self { engine, began, now, before: 0, opened: 0, open, events: 0 }
    }

    /// Begins a run: its time begins, and its wall clock says 1970 as that of a new engine does.
    pub(super) fn begin(&mut self, after: Duration) {
        self.now = self.now + after;
        self.began = self.now;
        self.before = self.opened;
        self.tell(Event::Wall { now: UnixMillis::default() });
    }

    /// Ends a run: whoever is there leaves, an administrator cancels what is left and drops every function. Then
    /// nothing may be left.
    pub(super) fn clear(&mut self) -> Result<(), Wrong> {
        for from in std::mem::take(&mut self.open) {
            self.tell(Event::Closed { from });
        }
        self.opened += 1;
        let from = ConnectionId::new(self.opened);
        self.tell(Event::Opened { from, peer: "::1".to_owned() });
        if let AdminReply::Jobs(jobs) = self.ask(from, AdminRequest::ShowJobs) {
            for job in jobs {
                self.cancel(from, job.handle);
            }
        }
        if let AdminReply::Status(functions) = self.ask(from, AdminRequest::Status) {
            for row in functions {
                self.ask(from, AdminRequest::DropFunction(row.function));
            }
        }
        self.tell(Event::Closed { from });
        let checked = self.engine.check();
        checked.map_err(|violation| Wrong { at: self.now, what: violation.to_string() })?;
        compare(self.now, Vitals::default(), self.engine.vitals())?;
        match self.engine.deadline() {
            None => Ok(()),
            Some(_) => Err(Wrong { at: self.now, what: "a deadline is left".to_owned() }),
        }
    }

    fn cancel(&mut self, from: ConnectionId, handle: Handle) {
        self.ask(from, AdminRequest::CancelJob(handle));
    }

    fn tell(&mut self, event: Event) -> Effects {
        let mut effects = Effects::new();
        self.engine.handle(self.now, event, &mut effects);
        effects
    }

    fn ask(&mut self, from: ConnectionId, command: AdminRequest) -> AdminReply {
        let mut effects = self.tell(Event::Received { from, request: Request::Admin(command) });
        let replies = effects.drain().filter_map(|effect| {
            let Effect::Send { to, response: Response::Admin(reply) } = effect else { return None };
            (to == from).then_some(reply)
        });
        replies.last().expect("every command has a reply")
    }

    fn handle(&mut self, now: Time, mut event: Event, effects: &mut Effects) {
        self.now = self.now.max(self.began + now.since(Time::ZERO));
        self.events += 1;
        if let Some(from) = connection(&mut event) {
            *from = ConnectionId::new(from.get() + self.before);
            let from = *from;
            if matches!(event, Event::Opened { .. }) {
                self.opened = self.opened.max(from.get());
                self.open.insert(from);
            } else if matches!(event, Event::Closed { .. }) {
                self.open.remove(&from);
            }
        }
        let mut done = self.tell(event);
        for mut effect in done.drain() {
            if let Effect::Send { to: who, .. }
            | Effect::Close { who, .. }
            | Effect::PauseReading { who }
            | Effect::ResumeReading { who } = &mut effect
            {
                *who = ConnectionId::new(who.get() - self.before);
            }
            effects.push(effect);
        }
    }
}

/// What several hold; a panic elsewhere ends the run anyway.
pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connection(event: &mut Event) -> Option<&mut ConnectionId> {
    match event {
        Event::Opened { from, .. }
        | Event::Received { from, .. }
        | Event::Malformed { from, .. }
        | Event::HalfClosed { from }
        | Event::Closed { from }
        | Event::Buffered { from, .. } => Some(from),
        Event::Wall { .. }
        | Event::Elapsed
        | Event::Stored { .. }
        | Event::Replayed { .. }
        | Event::Verbosity { .. }
        | Event::Drain => None,
    }
}

impl Doors for Shift {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        lock(&self.0).handle(now, event, effects);
    }

    fn deadline(&self) -> Option<Time> {
        let shared = lock(&self.0);
        shared.engine.deadline().map(|at| Time::ZERO + at.since(shared.began))
    }
}
