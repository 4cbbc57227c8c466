//! What counts as done to which job.

use super::{Census, Operation};
use crate::history::{Actor, Closing, Connection, History, ServerId, What};
use crate::lives::{Lives, Stretch};
use gearman_protocol::{
    Assignment, FunctionName, Grab, Handle, Mode, Priority, Reducer, Report, Request, Response, Submit, Time,
    Unique,
};
use std::time::Duration;

const CLIENT: Connection = Connection::new(0);
const WORKER: Connection = Connection::new(1);

/// What a story does to whom.
fn census(story: &[What]) -> Census {
    let (mut census, mut lives) = (Census::default(), Lives::new(Duration::ZERO));
    let mut history = History::passing();
    let connected = [(CLIENT, 0), (WORKER, 1)].map(|(connection, actor)| What::Connected {
        connection,
        actor: Actor::new(actor),
        server: ServerId::new(0),
    });
    for what in connected.iter().chain(story) {
        let entry = history.record(Time::ZERO, what.clone());
        census.see(&lives, &entry.what);
        lives.observe(&entry);
    }
    census
}

fn submit(unique: &'static str) -> What {
    let submit = Submit {
        function: FunctionName::new("f").unwrap(),
        unique: Unique::new(unique).unwrap(),
        priority: Priority::Normal,
        mode: Mode::Foreground,
        reducer: None,
        workload: "".into(),
    };
    What::Wrote { connection: CLIENT, request: Request::Submit(submit) }
}

fn created() -> What {
    What::Read { connection: CLIENT, response: Response::JobCreated { handle: Handle::new("H:1") } }
}

fn asks(connection: Connection, request: Request) -> What {
    What::Wrote { connection, request }
}

/// Where the jobs were that something was done to, and how often it was done to none.
fn places(census: &Census, name: &str) -> (u64, Vec<(Stretch, u64)>) {
    let count = census.of(Operation::from_name(name).unwrap());
    (count.without_job, count.by_stretch.into_iter().collect())
}

#[test]
fn a_submit_concerns_the_job_whose_unique_it_has() {
    let census = census(&[submit("u"), submit("u"), created(), submit("u"), submit("v"), submit("")]);
    assert_eq!(places(&census, "SUBMIT_JOB"), (3, vec![(Stretch::Submitted, 1), (Stretch::Waiting, 1)]));
    assert_eq!(places(&census, "no unique"), (1, vec![]));
    assert_eq!(census.of(Operation::from_name("an empty workload").unwrap()).times, 5);
}

#[test]
fn a_report_concerns_the_job_that_it_names_and_a_grab_those_in_hand() {
    let handle = || Handle::new("H:1");
    let assigned = Assignment {
        handle: handle(),
        function: FunctionName::new("f").unwrap(),
        unique: Unique::default(),
        reducer: Reducer::default(),
        workload: "".into(),
        form: Grab::Plain,
    };
    let grab = || asks(WORKER, Request::Grab(Grab::Plain));
    let report = |report| asks(WORKER, Request::Work { handle: handle(), report });
    let status = asks(CLIENT, Request::GetStatus { handle: handle() });
    let census = census(&[
        submit("u"),
        created(),
        grab(),
        What::Read { connection: WORKER, response: Response::JobAssign(assigned) },
        grab(),
        report(Report::Data("x".into())),
        status,
        asks(CLIENT, Request::GetStatusUnique { unique: "u".into() }),
        What::Closed { connection: CLIENT, how: Closing::ByPeer },
        report(Report::Fail),
        asks(WORKER, Request::GetStatus { handle: Handle::new("H:none") }),
    ]);
    assert_eq!(places(&census, "GRAB_JOB"), (1, vec![(Stretch::Assigned, 1)]));
    assert_eq!(places(&census, "WORK_DATA"), (0, vec![(Stretch::Assigned, 1)]));
    assert_eq!(places(&census, "WORK_FAIL"), (0, vec![(Stretch::DataSent, 1)]));
    assert_eq!(places(&census, "GET_STATUS"), (1, vec![(Stretch::DataSent, 1)]));
    assert_eq!(places(&census, "GET_STATUS_UNIQUE"), (0, vec![(Stretch::DataSent, 1)]));
    assert_eq!(places(&census, "closes"), (0, vec![(Stretch::DataSent, 1)]));
}

#[test]
fn what_two_have_counted_is_the_sum() {
    let story = [submit("u"), created(), submit("u")];
    let mut sum = census(&story[..1]);
    sum += &census(&story);
    assert_eq!(places(&sum, "SUBMIT_JOB"), (2, vec![(Stretch::Waiting, 1)]));
    let text = serde_json::to_string(&sum).unwrap();
    assert_eq!(serde_json::from_str::<Census>(&text).unwrap(), sum);
    assert!(serde_json::from_str::<Census>(&text.replace("SUBMIT_JOB", "SUBMIT_ALL")).is_err());
}
