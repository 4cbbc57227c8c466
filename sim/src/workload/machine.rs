//! An actor at play: a pure machine that is told what its connection brings and says what to do next.
//!
//! It does no I/O and knows no stage. Its driver connects when asked to, tells what happened
//! ([`Machine::opened`], [`Machine::read`], [`Machine::closed`], [`Machine::woke`]), and carries out what comes
//! back, in order. [`Machine::wake_at`] says when to come back by itself; early calls are harmless.

mod errands;
mod worker;

use super::{ActorPlan, Workload};
use bytes::Bytes;
use errands::Errands;
use gearman_protocol::{FunctionName, Request, Response, Time};
use std::rc::Rc;
use std::time::Duration;
use worker::Worker;

/// After how long an actor tries again when it could not connect, or was cut off, in milliseconds.
const RETRY_MS: u32 = 40;
/// How long an actor that has closed its sending side waits for the server to close, in milliseconds.
const PATIENCE_MS: u32 = 1000;

/// Something that an actor wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Connect, then tell [`Machine::opened`] or [`Machine::closed`].
    Connect,
    /// Send a request.
    Request(Request),
    /// Send bytes that are no request.
    Bytes(Bytes),
    /// Close the sending side, and read on.
    HalfClose,
    /// Close. The driver tells nothing more of this connection.
    Close,
    /// Nothing: it has stopped waiting for an answer or for the end of a job.
    GaveUp,
}

/// Where an actor's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// There is none; the next attempt is at this time, if there is to be one.
    Down { again: Option<Time> },
    /// It was asked for.
    Connecting,
    /// It is open.
    Open,
    /// The sending side is closed.
    HalfClosed { until: Time, back: Option<u32> },
}

/// One actor at play.
#[derive(Debug)]
pub struct Machine {
    me: u32,
    plan: Rc<ActorPlan>,
    functions: Rc<[FunctionName]>,
    epoch_s: i64,
    link: Link,
    errands: Errands,
    worker: Option<Worker>,
}

/// What parts of a machine say to the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// Go on.
    Stay,
    /// Close the connection, and be back after so many milliseconds.
    Leave { back: Option<u32> },
    /// Close the sending side, and be back so many milliseconds after the server has closed.
    HalfClose { back: Option<u32> },
}

/// What every part of a machine needs to know to act.
struct Scene<'a> {
    me: u32,
    now: Time,
    functions: &'a [FunctionName],
    /// What the wall clock says when the run begins, in seconds since 1970.
    epoch_s: i64,
    out: &'a mut Vec<Output>,
}

impl Scene<'_> {
    fn send(&mut self, request: Request) {
        self.out.push(Output::Request(request));
    }

    fn function(&self, index: u8) -> FunctionName {
        self.functions[usize::from(index) % self.functions.len()].clone()
    }

    fn after(&self, millis: u32) -> Time {
        self.now + Duration::from_millis(millis.into())
    }
}

impl Machine {
    /// One machine for each actor of the workload, in order; the run begins when the wall clock says `epoch_s`.
    #[must_use]
    pub fn all(workload: &Workload, epoch_s: i64) -> Vec<Self> {
        let functions: Rc<[FunctionName]> = super::content::function_names(&workload.functions).into();
        let actors = (0..).zip(&workload.actors);
        let machines = actors.map(|(me, plan)| {
            let start = Time::from_millis(plan.starts_ms.into());
            let plan = Rc::new(plan.clone());
            let worker = plan.worker.is_some().then(|| Worker::new(Rc::clone(&plan)));
            let errands = Errands::new(Rc::clone(&plan), start);
            let link = Link::Down { again: Some(start) };
            Self { me, plan, functions: Rc::clone(&functions), epoch_s, link, errands, worker }
        });
        machines.collect()
    }

    /// When to call [`Machine::woke`]; `None` is never, unless something else is told first.
    #[must_use]
    pub fn wake_at(&self) -> Option<Time> {
        match self.link {
            Link::Down { again } => again,
            Link::Connecting => None,
            Link::HalfClosed { until, .. } => Some(until),
            Link::Open => {
                let worker = self.worker.as_ref().and_then(Worker::wake_at);
                [worker, self.errands.wake_at()].into_iter().flatten().min()
            }
        }
    }

    /// The connection is there.
    pub fn opened(&mut self, now: Time, out: &mut Vec<Output>) {
        assert_eq!(
            self.link,
            Link::Connecting,
            "actor {} is told of a connection it did not ask for",
            self.me
        );
        self.link = Link::Open;
        let mut scene = Scene { me: self.me, now, functions: &self.functions, epoch_s: self.epoch_s, out };
        if let Some(worker) = &mut self.worker {
            worker.opened(&mut scene);
        }
        self.act(now, out);
    }

    /// A response has come.
    pub fn read(&mut self, now: Time, response: &Response, out: &mut Vec<Output>) {
        if self.link != Link::Open {
            // What comes after the sending side was closed is read and not answered.
            return;
        }
        let mut scene = Scene { me: self.me, now, functions: &self.functions, epoch_s: self.epoch_s, out };
        self.errands.read(&mut scene, response);
        if let Some(worker) = &mut self.worker {
            worker.read(&mut scene, response);
        }
        self.act(now, out);
    }

    /// The connection could not be made, was cut, or was closed by the server.
    pub fn closed(&mut self, now: Time) {
        let back = match self.link {
            Link::HalfClosed { back, .. } => back,
            Link::Connecting | Link::Open => Some(RETRY_MS),
            Link::Down { .. } => return,
        };
        self.down(now, back);
    }

    /// The time of [`Machine::wake_at`] has come.
    pub fn woke(&mut self, now: Time, out: &mut Vec<Output>) {
        match self.link {
            Link::Down { again: Some(again) } if again <= now => {
                self.link = Link::Connecting;
                out.push(Output::Connect);
            }
            Link::HalfClosed { until, back } if until <= now => {
                out.push(Output::Close);
                self.down(now, back);
            }
            Link::Open => self.act(now, out),
            Link::Down { .. } | Link::Connecting | Link::HalfClosed { .. } => {}
        }
    }

    /// Leave for good; the core stays.
    pub fn storm_over(&mut self, out: &mut Vec<Output>) {
        if self.plan.core {
            return;
        }
        if !matches!(self.link, Link::Down { .. }) {
            out.push(Output::Close);
        }
        self.link = Link::Down { again: None };
    }

    /// The next job takes so many milliseconds, whatever the plan says.
    pub fn hold_next(&mut self, millis: u32) {
        if let Some(worker) = &mut self.worker {
            worker.hold_next(millis);
        }
    }

    /// Whether it lives through the storm.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.plan.core
    }

    /// Whether it has nothing more to do: its operations are done, and as a worker it holds no job and was told
    /// twice in a row that there is none.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.errands.are_done() && self.worker.as_ref().is_none_or(Worker::is_at_rest)
    }

    /// Does everything that is due, as long as the connection stays open.
    fn act(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut scene = Scene { me: self.me, now, functions: &self.functions, epoch_s: self.epoch_s, out };
        let mut went = Move::Stay;
        if let Some(worker) = &mut self.worker {
            went = worker.act(&mut scene);
        }
        if went == Move::Stay {
            went = self.errands.act(&mut scene);
        }
        match went {
            Move::Stay => {}
            Move::Leave { back } => {
                out.push(Output::Close);
                self.down(now, back);
            }
            Move::HalfClose { back } => {
                out.push(Output::HalfClose);
                self.link = Link::HalfClosed { until: now + Duration::from_millis(PATIENCE_MS.into()), back };
            }
        }
    }

    fn down(&mut self, now: Time, back: Option<u32>) {
        let again = back.map(|millis| now + Duration::from_millis(millis.max(1).into()));
        self.link = Link::Down { again };
        self.errands.closed(now);
        if let Some(worker) = &mut self.worker {
            worker.closed();
        }
    }
}

#[cfg(test)]
mod tests;
