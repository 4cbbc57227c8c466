//! The operations of an actor, one after the other.

use super::super::{ActorPlan, AdminPlan, Meddling, Op, PriorityPlan, SubmitPlan, Then, Which, content};
use super::worker::can_do;
use super::{Move, Output, Scene};
use bytes::Bytes;
use gearman_protocol::{
    AdminError, AdminRequest, Handle, Mode, Priority, Report, Request, Response, Submit, Time,
};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// How long a client waits for the answer to a submit before it goes on, in milliseconds.
const CREATED_MS: u32 = 2000;
/// How many of its own jobs an actor remembers.
const REMEMBERED: usize = 16;

#[derive(Debug)]
pub(super) struct Errands {
    actor: Rc<ActorPlan>,
    next: usize,
    due: Time,
    waiting: Option<Waiting>,
    /// The submits that have no answer yet, by the index of their step.
    unanswered: VecDeque<usize>,
    /// The latest own jobs, the latest last.
    own: VecDeque<Handle>,
}

/// What the next operation waits for.
#[derive(Debug)]
struct Waiting {
    until: Time,
    what: Awaited,
}

#[derive(Debug, PartialEq, Eq)]
enum Awaited {
    /// The answer to the submit of this step; then, if so wanted, the end of the job.
    Answer { step: usize, end: bool },
    /// The end of this job.
    End(Handle),
}

impl Errands {
    pub(super) fn new(actor: Rc<ActorPlan>, start: Time) -> Self {
        let first = actor.steps.first().map_or(0, |step| step.after_ms);
        let due = start + Duration::from_millis(first.into());
        Self { actor, next: 0, due, waiting: None, unanswered: VecDeque::new(), own: VecDeque::new() }
    }

    pub(super) fn are_done(&self) -> bool {
        self.next >= self.actor.steps.len() && self.waiting.is_none()
    }

    pub(super) fn wake_at(&self) -> Option<Time> {
        match &self.waiting {
            Some(waiting) => Some(waiting.until),
            None => (self.next < self.actor.steps.len()).then_some(self.due),
        }
    }

    pub(super) fn closed(&mut self, now: Time) {
        self.unanswered.clear();
        if self.waiting.take().is_some() {
            self.schedule(now);
        }
    }

    pub(super) fn read(&mut self, scene: &mut Scene<'_>, response: &Response) {
        match response {
            Response::JobCreated { handle } => {
                let step = self.unanswered.pop_front();
                if self.own.len() == REMEMBERED {
                    self.own.pop_front();
                }
                self.own.push_back(handle.clone());
                self.answered(scene, step, Some(handle));
            }
            Response::Error { code, .. } if matches!(&code[..], b"QUEUE_ERROR" | b"SHUTDOWN_GRACEFUL") => {
                let step = self.unanswered.pop_front();
                self.answered(scene, step, None);
            }
            Response::Work { handle, report } if report.is_terminal() => {
                if self.waits_for(handle) {
                    self.waiting = None;
                    self.schedule(scene.now);
                }
            }
            // Who waits for a job and hears that it goes on wants to know how far it is.
            Response::Work { handle, report: Report::Status { .. } } => {
                if self.waits_for(handle) {
                    scene.out.push(Output::Request(Request::GetStatus { handle: handle.clone() }));
                }
            }
            Response::Error { .. }
            | Response::Work { .. }
            | Response::Noop
            | Response::NoJob
            | Response::JobAssign(_)
            | Response::Status(_)
            | Response::StatusUnique(_)
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Admin(_) => {}
        }
    }

    fn waits_for(&self, job: &Handle) -> bool {
        self.waiting
            .as_ref()
            .is_some_and(|waiting| matches!(&waiting.what, Awaited::End(awaited) if awaited == job))
    }

    /// Does every operation that is due and need not wait.
    pub(super) fn act(&mut self, scene: &mut Scene<'_>) -> Move {
        if self.waiting.as_ref().is_some_and(|waiting| waiting.until <= scene.now) {
            scene.out.push(Output::GaveUp);
            self.waiting = None;
            self.schedule(scene.now);
        }
        let actor = Rc::clone(&self.actor);
        while self.waiting.is_none() && self.due <= scene.now {
            let Some(step) = actor.steps.get(self.next) else { break };
            let number = self.next;
            self.next += 1;
            let went = self.perform(scene, number, &step.op);
            if self.waiting.is_none() {
                self.schedule(scene.now);
            }
            if went != Move::Stay {
                return went;
            }
        }
        Move::Stay
    }

    /// The next operation is due its time after `now`.
    fn schedule(&mut self, now: Time) {
        let after = self.actor.steps.get(self.next).map_or(0, |step| step.after_ms);
        self.due = now + Duration::from_millis(after.into());
    }

    fn answered(&mut self, scene: &Scene<'_>, step: Option<usize>, handle: Option<&Handle>) {
        let Some(Waiting { until, what: Awaited::Answer { step: awaited, end } }) = &self.waiting else {
            return;
        };
        if step != Some(*awaited) {
            return;
        }
        match handle {
            Some(handle) if *end => {
                self.waiting = Some(Waiting { until: *until, what: Awaited::End(handle.clone()) });
            }
            Some(_) | None => {
                self.waiting = None;
                self.schedule(scene.now);
            }
        }
    }

    fn perform(&mut self, scene: &mut Scene<'_>, number: usize, op: &Op) -> Move {
        let request = match op {
            Op::Submit(plan) => {
                self.submit(scene, number, plan);
                return Move::Stay;
            }
            Op::Status(which) => Request::GetStatus { handle: self.handle(*which) },
            Op::StatusUnique(number) => {
                let unique = content::unique(super::super::UniquePlan::Shared(*number), 0, 0);
                Request::GetStatusUnique { unique: unique.to_bytes() }
            }
            Op::Echo(size) => {
                Request::Echo { data: content::filled(&format!("echo-{}.{number}", scene.me), *size) }
            }
            Op::Exceptions => Request::Option { name: Bytes::from_static(b"exceptions") },
            Op::UnknownOption => Request::Option { name: Bytes::from_static(b"wings") },
            Op::SetClientId => Request::SetClientId { id: format!("actor-{}", scene.me).into() },
            Op::AllYours => Request::AllYours,
            Op::Meddle(which, meddling) => {
                let label = format!("meddling-{}.{number}", scene.me);
                let report = match meddling {
                    Meddling::Data => Report::Data(label.into()),
                    Meddling::Status => Report::Status {
                        numerator: Bytes::from_static(b"7"),
                        denominator: Bytes::from_static(b"9"),
                    },
                    Meddling::Complete => Report::Complete(label.into()),
                    Meddling::Fail => Report::Fail,
                    Meddling::Exception => Report::Exception(label.into()),
                };
                Request::Work { handle: self.handle(*which), report }
            }
            Op::CanDo(ability) => can_do(scene, *ability),
            Op::CantDo(function) => Request::CantDo { function: scene.function(*function) },
            Op::Admin(command) => Request::Admin(match command {
                AdminPlan::Status => AdminRequest::Status,
                AdminPlan::Workers => AdminRequest::Workers,
                AdminPlan::Version => AdminRequest::Version,
                AdminPlan::PriorityStatus => AdminRequest::PriorityStatus,
                AdminPlan::ShowJobs => AdminRequest::ShowJobs,
                AdminPlan::ShowUniqueJobs => AdminRequest::ShowUniqueJobs,
                AdminPlan::GetPid => AdminRequest::GetPid,
                AdminPlan::Verbose => AdminRequest::Verbose,
                AdminPlan::Cancel(which) => AdminRequest::CancelJob(self.handle(*which)),
                AdminPlan::Create(number) => AdminRequest::CreateFunction(content::spare(*number)),
                AdminPlan::Drop(number) => AdminRequest::DropFunction(content::spare(*number)),
                AdminPlan::MaxQueue { function, most } => AdminRequest::MaxQueue {
                    function: scene.function(*function).to_bytes(),
                    limits: content::limits(*most),
                },
                AdminPlan::Shutdown => AdminRequest::Shutdown { graceful: true },
                AdminPlan::ShutdownAtOnce => AdminRequest::Shutdown { graceful: false },
                AdminPlan::Unknown => {
                    AdminRequest::Malformed(AdminError::UnknownCommand(Bytes::from_static(b"hello")))
                }
            }),
            Op::Hostile(kind) => {
                scene.out.push(Output::Bytes(kind.bytes()));
                let back = Some(super::RETRY_MS);
                return if kind.closes() { Move::Leave { back } } else { Move::Stay };
            }
            Op::HalfClose { back_ms } => return Move::HalfClose { back: *back_ms },
            Op::Leave { back_ms } => return Move::Leave { back: *back_ms },
        };
        scene.send(request);
        Move::Stay
    }

    fn submit(&mut self, scene: &mut Scene<'_>, number: usize, plan: &SubmitPlan) {
        let submit = Submit {
            function: scene.function(plan.function),
            unique: content::unique(plan.unique, scene.me, number),
            priority: match plan.priority {
                PriorityPlan::High => Priority::High,
                PriorityPlan::Normal => Priority::Normal,
                PriorityPlan::Low => Priority::Low,
            },
            mode: mode(scene, plan),
            reducer: plan.reducer.map(content::reducer),
            workload: content::workload(plan, scene.me, number),
        };
        scene.send(Request::Submit(submit));
        self.unanswered.push_back(number);
        let wait = match plan.then {
            Then::Nothing => None,
            Then::Created => Some((CREATED_MS, false)),
            // A background job's end is told to nobody.
            Then::Ended(millis) => Some((millis, !plan.background)),
        };
        self.waiting = wait.map(|(millis, end)| Waiting {
            until: scene.after(millis),
            what: Awaited::Answer { step: number, end },
        });
    }

    fn handle(&self, which: Which) -> Handle {
        let latest = self.own.back();
        match which {
            Which::Own(back) => {
                let index = self.own.len().checked_sub(1 + usize::from(back));
                index.and_then(|index| self.own.get(index)).cloned().unwrap_or_else(nobody)
            }
            Which::Near(offset) => latest.and_then(|handle| near(handle, offset)).unwrap_or_else(nobody),
            Which::Nobody => nobody(),
        }
    }
}

fn mode(scene: &Scene<'_>, plan: &SubmitPlan) -> Mode {
    match plan.epoch_s {
        Some(after) => Mode::Epoch((scene.epoch_s + i64::from(after)).to_string().into()),
        None if plan.background => Mode::Background,
        None => Mode::Foreground,
    }
}

fn nobody() -> Handle {
    Handle::new(Bytes::from_static(b"H:nobody:1"))
}

/// The handle whose number is so far away.
fn near(handle: &Handle, offset: i8) -> Option<Handle> {
    let text = std::str::from_utf8(handle.as_bytes()).ok()?;
    let (prefix, number) = text.rsplit_once(':')?;
    let number = number.parse::<u64>().ok()?.checked_add_signed(offset.into())?;
    Some(Handle::new(format!("{prefix}:{number}")))
}
