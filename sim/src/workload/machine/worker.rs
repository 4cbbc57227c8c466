//! The worker in an actor: registers, grabs, works, reports, sleeps, and misbehaves where its plan says so.

use super::super::content::filled;
use super::super::{Ability, Act, ActEnd, ActorPlan, GrabForm, Nap, Progress, Wake, WorkerPlan};
use super::{Move, Scene};
use bytes::Bytes;
use gearman_protocol::{FunctionName, Grab, Handle, JobTimeout, Report, Request, Response, Time};
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Worker {
    actor: Rc<ActorPlan>,
    state: State,
    held: Vec<Held>,
    /// What was given up and comes back.
    returns: Vec<Return>,
    /// How many jobs, empty answers and wake-ups there were.
    jobs: usize,
    naps: usize,
    wakes: usize,
    /// Empty answers since the last job.
    empty: u32,
    overdue: Option<u32>,
}

/// What a worker does apart from the jobs it holds.
///
/// ```text
///          grab              assigned, no room for another
/// Free ----------> Asking ------------------------------> Free
///   ^                | no job                               |
///   |                v        noop, or grab_at              | a job ended
///   +------------- Asleep / Waiting <-----------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Asking,
    /// `stubborn` if it went back to sleep without a grab when it was last woken: it does not do so twice.
    Asleep {
        echo_ms: Option<u32>,
        echo_at: Option<Time>,
        grab_at: Option<Time>,
        stubborn: bool,
    },
    Waiting {
        until: Time,
    },
}

#[derive(Debug)]
struct Held {
    handle: Handle,
    function: FunctionName,
    /// Which act of the plan is played with it, and its number among all jobs, which names its results.
    act: usize,
    number: usize,
    reported: usize,
    due: Time,
}

#[derive(Debug)]
struct Return {
    at: Time,
    what: Returning,
}

#[derive(Debug)]
enum Returning {
    /// The ability to do a function, and a result that comes too late.
    Function { function: FunctionName, handle: Handle, number: usize },
    /// All abilities.
    Everything,
}

impl Worker {
    pub(super) fn new(actor: Rc<ActorPlan>) -> Self {
        Self {
            actor,
            state: State::Free,
            held: Vec::new(),
            returns: Vec::new(),
            jobs: 0,
            naps: 0,
            wakes: 0,
            empty: 0,
            overdue: None,
        }
    }

    fn plan(&self) -> &WorkerPlan {
        self.actor.worker.as_ref().expect("only actors with a worker's plan have a worker")
    }

    pub(super) fn hold_next(&mut self, millis: u32) {
        self.overdue = Some(millis);
    }

    /// Whether there is nothing for it. One that asks only when it is woken is told so once.
    pub(super) fn is_at_rest(&self) -> bool {
        let waits_to_be_woken = matches!(self.state, State::Asleep { grab_at: None, .. });
        self.held.is_empty() && self.empty >= if waits_to_be_woken { 1 } else { 2 }
    }

    pub(super) fn wake_at(&self) -> Option<Time> {
        let state = match self.state {
            State::Asleep { echo_at, grab_at, .. } => [echo_at, grab_at].into_iter().flatten().min(),
            State::Waiting { until } => Some(until),
            State::Free | State::Asking => None,
        };
        let held = self.held.iter().map(|held| held.due).min();
        let returns = self.returns.iter().map(|item| item.at).min();
        [state, held, returns].into_iter().flatten().min()
    }

    pub(super) fn opened(&self, scene: &mut Scene<'_>) {
        self.register(scene);
    }

    pub(super) fn closed(&mut self) {
        self.held.clear();
        self.returns.clear();
        self.state = State::Free;
    }

    pub(super) fn read(&mut self, scene: &mut Scene<'_>, response: &Response) {
        match response {
            Response::JobAssign(assignment) => {
                self.assigned(scene, assignment.handle.clone(), assignment.function.clone());
            }
            Response::NoJob if self.state == State::Asking => {
                self.empty += 1;
                let nap = self.plan().naps[self.naps % self.plan().naps.len()];
                self.naps += 1;
                self.nap(scene, nap);
            }
            Response::Noop => {
                // There is something for it, or was: the answers before this say nothing any more.
                self.empty = 0;
                if let State::Asleep { echo_ms, stubborn, .. } = self.state {
                    let wake = self.plan().wakes[self.wakes % self.plan().wakes.len()];
                    self.wakes += 1;
                    let wake = if stubborn && wake == Wake::SleepAgain { Wake::Grab } else { wake };
                    self.woken(scene, wake, echo_ms);
                }
            }
            Response::NoJob
            | Response::JobCreated { .. }
            | Response::Work { .. }
            | Response::Status(_)
            | Response::StatusUnique(_)
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Error { .. }
            | Response::Admin(_) => {}
        }
    }

    /// Does what is due.
    pub(super) fn act(&mut self, scene: &mut Scene<'_>) -> Move {
        while let Some(index) = self.returns.iter().position(|item| item.at <= scene.now) {
            let item = self.returns.swap_remove(index);
            self.come_back(scene, item.what);
        }
        while let Some(index) = self.held.iter().position(|held| held.due <= scene.now) {
            let went = self.progress(scene, index);
            if went != Move::Stay {
                return went;
            }
        }
        match &mut self.state {
            State::Asleep { grab_at: Some(grab_at), .. } if *grab_at <= scene.now => self.state = State::Free,
            State::Asleep { echo_at: Some(echo_at), echo_ms: Some(echo_ms), .. } if *echo_at <= scene.now => {
                *echo_at = scene.after(*echo_ms);
                scene.send(Request::Echo { data: Bytes::from_static(b"still there?") });
            }
            State::Waiting { until } if *until <= scene.now => self.state = State::Free,
            State::Asleep { .. } | State::Waiting { .. } | State::Free | State::Asking => {}
        }
        if self.state == State::Free && self.held.len() < usize::from(self.plan().capacity) {
            self.state = State::Asking;
            scene.send(Request::Grab(match self.plan().grab {
                GrabForm::Plain => Grab::Plain,
                GrabForm::Uniq => Grab::Uniq,
                GrabForm::All => Grab::All,
            }));
        }
        Move::Stay
    }

    fn register(&self, scene: &mut Scene<'_>) {
        for ability in &self.plan().abilities {
            scene.send(can_do(scene, *ability));
        }
    }

    fn assigned(&mut self, scene: &Scene<'_>, handle: Handle, function: FunctionName) {
        self.state = State::Free;
        self.empty = 0;
        let number = self.jobs;
        self.jobs += 1;
        let plan = Rc::clone(&self.actor);
        let acts = plan.worker.as_ref().map_or(&[][..], |worker| &worker.acts);
        let act = number % acts.len();
        let Act { reports, works_ms, .. } = &acts[act];
        let first = reports.first().map_or(*works_ms, |report| report.after_ms);
        // A job that is held for another time than planned is held in silence.
        let (reported, lasts) = match self.overdue.take() {
            Some(millis) => (reports.len(), millis),
            None => (0, first),
        };
        self.held.push(Held { handle, function, act, number, reported, due: scene.after(lasts) });
    }

    fn nap(&mut self, scene: &mut Scene<'_>, nap: Nap) {
        self.state = match nap {
            Nap::Sleep { echo_ms, grab_ms } => {
                scene.send(Request::PreSleep);
                let echo_at = echo_ms.map(|millis| scene.after(millis));
                let grab_at = grab_ms.map(|millis| scene.after(millis));
                State::Asleep { echo_ms, echo_at, grab_at, stubborn: false }
            }
            Nap::Poll(millis) => State::Waiting { until: scene.after(millis) },
        };
    }

    fn woken(&mut self, scene: &mut Scene<'_>, wake: Wake, echo_ms: Option<u32>) {
        match wake {
            Wake::Grab => self.state = State::Free,
            Wake::Dawdle(millis) => self.state = State::Waiting { until: scene.after(millis) },
            Wake::SleepAgain => {
                self.nap(scene, Nap::Sleep { echo_ms, grab_ms: Some(200) });
                if let State::Asleep { stubborn, .. } = &mut self.state {
                    *stubborn = true;
                }
            }
        }
    }

    /// The next thing with a job that is due: a report, or its end.
    fn progress(&mut self, scene: &mut Scene<'_>, index: usize) -> Move {
        let plan = Rc::clone(&self.actor);
        let acts = plan.worker.as_ref().map_or(&[][..], |worker| &worker.acts);
        let held = &mut self.held[index];
        let act = &acts[held.act];
        if let Some(timed) = act.reports.get(held.reported) {
            let report = progress(timed.report, scene.me, held.number, held.reported);
            scene.send(Request::Work { handle: held.handle.clone(), report });
            held.reported += 1;
            let next = act.reports.get(held.reported).map_or(act.works_ms, |next| next.after_ms);
            held.due = scene.after(next);
            return Move::Stay;
        }
        let held = self.held.remove(index);
        self.end(scene, held, act.end)
    }

    fn end(&mut self, scene: &mut Scene<'_>, held: Held, end: ActEnd) -> Move {
        let Held { handle, function, number, .. } = held;
        let result = |what: &str, size| filled(&format!("{what}-{}.{number}", scene.me), size);
        let reports = match end {
            ActEnd::Complete(size) => vec![Report::Complete(result("done", size))],
            ActEnd::CompleteTwice(size) => {
                vec![Report::Complete(result("done", size)), Report::Complete(result("twice", size))]
            }
            ActEnd::Fail => vec![Report::Fail],
            ActEnd::Exception(size) => vec![Report::Exception(result("oops", size))],
            ActEnd::ExceptionThenFail(size) => vec![Report::Exception(result("oops", size)), Report::Fail],
            ActEnd::Vanish(back) => return Move::Leave { back: Some(back) },
            ActEnd::HalfClose(back) => return Move::HalfClose { back: Some(back) },
            ActEnd::CantDo(back) => {
                scene.send(Request::CantDo { function: function.clone() });
                let what = Returning::Function { function, handle: handle.clone(), number };
                self.returns.push(Return { at: scene.after(back), what });
                Vec::new()
            }
            ActEnd::Reset(back) => {
                scene.send(Request::ResetAbilities);
                self.returns.push(Return { at: scene.after(back), what: Returning::Everything });
                Vec::new()
            }
            ActEnd::Forget => Vec::new(),
        };
        for report in reports {
            scene.send(Request::Work { handle: handle.clone(), report });
        }
        Move::Stay
    }

    fn come_back(&self, scene: &mut Scene<'_>, what: Returning) {
        match what {
            Returning::Everything => self.register(scene),
            Returning::Function { function, handle, number } => {
                let abilities = self.plan().abilities.iter();
                let known = abilities.copied().find(|ability| scene.function(ability.function) == function);
                if let Some(ability) = known {
                    scene.send(can_do(scene, ability));
                }
                let report = Report::Complete(filled(&format!("late-{}.{number}", scene.me), 0));
                scene.send(Request::Work { handle, report });
            }
        }
    }
}

/// CAN_DO or CAN_DO_TIMEOUT.
pub(super) fn can_do(scene: &Scene<'_>, ability: Ability) -> Request {
    let timeout = ability.timeout_ms.map(|millis| JobTimeout(millis.to_string().into()));
    Request::CanDo { function: scene.function(ability.function), timeout }
}

fn progress(progress: Progress, me: u32, number: usize, index: usize) -> Report {
    let label = |what: &str| format!("{what}-{me}.{number}.{index}");
    match progress {
        Progress::Data(size) => Report::Data(filled(&label("data"), size)),
        Progress::Warning(size) => Report::Warning(filled(&label("warn"), size)),
        Progress::Status(hundredths) => {
            let numerator = (u64::try_from(number).unwrap_or(0) * 1000 + u64::from(hundredths)).to_string();
            Report::Status { numerator: numerator.into(), denominator: Bytes::from_static(b"100000") }
        }
    }
}
