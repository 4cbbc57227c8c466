//! A bare engine with a client and an able worker.

use crate::{WORKLOAD, function, submit};
use bytes::Bytes;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event, RecordId};
use gearman_protocol::{Grab, Handle, Mode, Report, Request, Response, Time};
use std::hint::black_box;

/// Who submits.
pub const CLIENT: ConnectionId = ConnectionId::new(1);
/// Who does the jobs.
pub const WORKER: ConnectionId = ConnectionId::new(2);

/// A bare engine with a client and an able worker.
#[expect(missing_debug_implementations, reason = "effects are not for printing")]
pub struct Stage {
    engine: Engine,
    now: Time,
    effects: Effects,
    result: Bytes,
    /// What a store has been given and has not confirmed.
    unkept: Vec<RecordId>,
}

impl Stage {
    /// With so many background jobs waiting.
    #[must_use]
    pub fn with_waiting(depth: usize) -> Self {
        Self::with(depth, Mode::Background)
    }

    /// With so many jobs of the client's.
    #[must_use]
    pub fn with(depth: usize, mode: Mode) -> Self {
        let mut stage = Self::new(Config::default());
        let request = submit(mode, WORKLOAD);
        (0..depth).for_each(|_| stage.ask(CLIENT, request.clone()));
        stage
    }

    /// With a store, which confirms when [`Self::keep_all`] is called.
    #[must_use]
    pub fn with_store() -> Self {
        Self::new(Config { store: true, ..Config::default() })
    }

    fn new(config: Config) -> Self {
        let (engine, result) = (Engine::new(config, 1), vec![b'r'; WORKLOAD].into());
        let (now, effects) = (Time::ZERO, Effects::new());
        let mut stage = Self { engine, now, effects, result, unkept: Vec::new() };
        for from in [CLIENT, WORKER] {
            stage.tell(Event::Opened { from, peer: "::1".to_owned() });
        }
        stage.ask(WORKER, Request::CanDo { function: function(), timeout: None });
        stage
    }

    fn tell(&mut self, event: Event) {
        self.engine.handle(self.now, event, &mut self.effects);
        self.effects.drain().for_each(|effect| drop(black_box(effect)));
    }

    /// A peer asks for something; what follows is thrown away.
    pub fn ask(&mut self, from: ConnectionId, request: Request) {
        self.tell(Event::Received { from, request });
    }

    /// A peer asks for something; `each` is told what the engine sends.
    pub fn ask_and_hear(&mut self, from: ConnectionId, request: Request, mut each: impl FnMut(Response)) {
        self.engine.handle(self.now, Event::Received { from, request }, &mut self.effects);
        for effect in self.effects.drain() {
            if let Effect::Send { response, .. } = effect {
                each(response);
            }
        }
    }

    /// The worker asks for a job and gets one.
    ///
    /// # Panics
    /// If there is none.
    pub fn grab(&mut self) -> Handle {
        let mut handle = None;
        self.ask_and_hear(WORKER, Request::Grab(Grab::Uniq), |response| {
            let Response::JobAssign(assignment) = response else { return };
            handle = Some(assignment.handle);
        });
        handle.expect("there was a job")
    }

    /// The worker has done a job.
    pub fn complete(&mut self, handle: Handle) {
        self.ask(WORKER, Request::Work { handle, report: Report::Complete(self.result.clone()) });
    }

    /// One job comes, and the one that has waited longest is done.
    pub fn turn(&mut self, request: &Request) {
        self.ask(CLIENT, request.clone());
        self.finish_one();
    }

    /// A job comes, and goes to the store.
    pub fn submit_unkept(&mut self, request: &Request) {
        self.engine.handle(
            self.now,
            Event::Received { from: CLIENT, request: request.clone() },
            &mut self.effects,
        );
        for effect in self.effects.drain() {
            if let Effect::Store { job } = effect {
                self.unkept.push(job.record);
            }
        }
    }

    /// The store confirms all that it was given; gives the number of records.
    pub fn keep_all(&mut self) -> usize {
        let unkept = std::mem::take(&mut self.unkept);
        let count = unkept.len();
        unkept.into_iter().for_each(|record| self.tell(Event::Stored { record, outcome: Ok(()) }));
        count
    }

    /// The job that has waited longest is done.
    pub fn finish_one(&mut self) {
        let handle = self.grab();
        self.complete(handle);
    }

    /// A peer hangs up.
    pub fn leave(&mut self, from: ConnectionId) {
        self.tell(Event::Closed { from });
    }

    /// Time passes until the engine wants to be called, and it is; `false` if it never does.
    pub fn wait(&mut self) -> bool {
        let Some(deadline) = self.engine.deadline() else { return false };
        self.now = self.now.max(deadline);
        self.tell(Event::Elapsed);
        true
    }

    /// How many jobs the engine holds.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.engine.vitals().jobs
    }
}
