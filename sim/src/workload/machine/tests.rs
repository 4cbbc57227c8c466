//! Machines told by hand what their connections bring.

use super::*;
use crate::workload::{
    Ability, Act, ActEnd, ActorKind, GrabForm, Nap, Op, PriorityPlan, Step, SubmitPlan, Then, UniquePlan,
    Wake, WorkerPlan,
};
use gearman_protocol::{Assignment, Grab, Handle, Reducer, Report, Unique};

fn machine(worker: Option<WorkerPlan>, steps: Vec<Step>) -> Machine {
    let actor = ActorPlan {
        kind: ActorKind::Raw,
        core: false,
        servers: vec![0],
        roams: false,
        starts_ms: 0,
        worker,
        steps,
    };
    let workload =
        Workload { functions: vec!["reverse".to_owned()], servers: 1, actors: vec![actor], storm_ms: 1000 };
    Machine::all(&workload, 0).remove(0)
}

fn worker(end: ActEnd, wake: Wake) -> WorkerPlan {
    WorkerPlan {
        abilities: vec![Ability { function: 0, timeout_ms: None }],
        grab: GrabForm::Plain,
        capacity: 1,
        acts: vec![Act { reports: Vec::new(), works_ms: 10, end }],
        naps: vec![Nap::Sleep { echo_ms: None, grab_ms: None }],
        wakes: vec![wake],
    }
}

fn submit(then: Then) -> Step {
    let plan = SubmitPlan {
        function: 0,
        unique: UniquePlan::None,
        priority: PriorityPlan::Normal,
        background: false,
        epoch_s: None,
        reducer: None,
        size: 20,
        is_empty: false,
        then,
    };
    Step { after_ms: 0, op: Op::Submit(plan) }
}

/// Each output in one word.
fn words(out: &mut Vec<Output>) -> Vec<&'static str> {
    let word = |output| match output {
        Output::Connect => "connect",
        Output::Bytes(_) => "bytes",
        Output::HalfClose => "half-close",
        Output::Close => "close",
        Output::GaveUp => "gave-up",
        Output::Request(Request::CanDo { .. }) => "can_do",
        Output::Request(Request::Grab(_)) => "grab",
        Output::Request(Request::PreSleep) => "sleep",
        Output::Request(Request::Submit(_)) => "submit",
        Output::Request(Request::Work { report: Report::Complete(_), .. }) => "complete",
        Output::Request(other) => panic!("no word for {other:?}"),
    };
    out.drain(..).map(word).collect()
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn assign(handle: &'static str) -> Response {
    Response::JobAssign(Assignment {
        handle: Handle::new(handle),
        function: FunctionName::new("reverse").expect("a name"),
        unique: Unique::default(),
        reducer: Reducer::default(),
        workload: Bytes::new(),
        form: Grab::Plain,
    })
}

fn connect(machine: &mut Machine, out: &mut Vec<Output>) {
    machine.woke(at(0), out);
    assert_eq!(words(out), ["connect"]);
    machine.opened(at(0), out);
}

#[test]
fn a_worker_registers_grabs_works_and_sleeps() {
    let (mut machine, mut out) = (machine(Some(worker(ActEnd::Complete(5), Wake::Grab)), vec![]), Vec::new());
    connect(&mut machine, &mut out);
    assert_eq!(words(&mut out), ["can_do", "grab"]);
    machine.read(at(1), &assign("H:1"), &mut out);
    assert_eq!((words(&mut out).len(), machine.wake_at()), (0, Some(at(11))));
    machine.woke(at(11), &mut out);
    assert_eq!(words(&mut out), ["complete", "grab"]);
    machine.read(at(12), &Response::NoJob, &mut out);
    assert_eq!((words(&mut out), machine.wake_at()), (vec!["sleep"], None));
    assert!(machine.is_at_rest(), "it asks when it is woken");
    machine.read(at(13), &Response::Noop, &mut out);
    assert_eq!((words(&mut out), machine.is_at_rest()), (vec!["grab"], false));
    machine.read(at(14), &Response::NoJob, &mut out);
    assert!(machine.is_at_rest());
}

#[test]
fn a_worker_may_sleep_again_without_a_grab() {
    let plan = worker(ActEnd::Complete(5), Wake::SleepAgain);
    let (mut machine, mut out) = (machine(Some(plan), vec![]), Vec::new());
    connect(&mut machine, &mut out);
    machine.read(at(1), &Response::NoJob, &mut out);
    assert_eq!(words(&mut out), ["can_do", "grab", "sleep"]);
    machine.read(at(2), &Response::Noop, &mut out);
    assert_eq!((words(&mut out), machine.wake_at()), (vec!["sleep"], Some(at(202))));
}

#[test]
fn a_deserter_comes_back_and_registers_again() {
    let (mut machine, mut out) = (machine(Some(worker(ActEnd::Vanish(30), Wake::Grab)), vec![]), Vec::new());
    connect(&mut machine, &mut out);
    machine.read(at(1), &assign("H:1"), &mut out);
    machine.woke(at(11), &mut out);
    assert_eq!((words(&mut out), machine.wake_at()), (vec!["can_do", "grab", "close"], Some(at(41))));
    machine.woke(at(41), &mut out);
    machine.opened(at(42), &mut out);
    assert_eq!(words(&mut out), ["connect", "can_do", "grab"]);
}

#[test]
fn a_client_waits_as_its_plan_says_and_no_longer() {
    let steps = vec![submit(Then::Ended(100)), submit(Then::Nothing), submit(Then::Nothing)];
    let (mut machine, mut out) = (machine(None, steps), Vec::new());
    connect(&mut machine, &mut out);
    assert_eq!((words(&mut out), machine.wake_at()), (vec!["submit"], Some(at(100))));
    machine.read(at(5), &Response::JobCreated { handle: Handle::new("H:1") }, &mut out);
    assert_eq!((words(&mut out).len(), machine.wake_at()), (0, Some(at(100))));
    let end = Response::Work { handle: Handle::new("H:1"), report: Report::Fail };
    machine.read(at(9), &end, &mut out);
    assert_eq!((words(&mut out), machine.is_at_rest()), (vec!["submit", "submit"], true));
}

#[test]
fn after_the_storm_only_the_core_stays() {
    let (mut machine, mut out) = (machine(Some(worker(ActEnd::Fail, Wake::Grab)), vec![]), Vec::new());
    connect(&mut machine, &mut out);
    out.clear();
    machine.storm_over(&mut out);
    assert_eq!((words(&mut out), machine.wake_at()), (vec!["close"], None));
}
