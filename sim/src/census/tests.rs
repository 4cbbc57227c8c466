//! What counts as done to which job.

use super::{Census, Operation};
use crate::history::{Actor, Closing, Connection, History, ServerId, What};
use crate::journal::Journal;
use crate::lives::{Lives, Stretch};
use crate::workload::Hostile;
use gearman_protocol::{
    AdminRequest, Assignment, DecodeError, FunctionName, Grab, Handle, Mode, Priority, Reducer, Report,
    Request, Response, Submit, Time, Unique,
};
use std::time::Duration;

const CLIENT: Connection = Connection::new(0);
const WORKER: Connection = Connection::new(1);

/// What a story does to whom.
fn census(story: &[What]) -> Census {
    let (mut census, mut lives) = (Census::default(), Lives::new(Duration::ZERO, 0));
    let mut history = History::passing();
    let connected = [(CLIENT, 0), (WORKER, 1)].map(|(connection, actor)| What::Connected {
        connection,
        actor: Actor::new(actor),
        server: ServerId::new(0),
    });
    for what in connected.iter().chain(story) {
        let entry = history.record(Time::ZERO, what.clone());
        census.see(&lives, &entry);
        lives.observe(&entry);
    }
    census
}

fn submit(unique: &'static str) -> What {
    submit_as(unique.as_bytes(), Mode::Foreground)
}

fn submit_as(unique: &'static [u8], mode: Mode) -> What {
    let submit = Submit {
        function: FunctionName::new("f").unwrap(),
        unique: Unique::new(unique).unwrap(),
        priority: Priority::Normal,
        mode,
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
fn who_connects_elsewhere_has_moved_and_may_come_back() {
    // The client is at 0, then 0, 1, 1, 2, 1, 0; the worker stays where it is.
    let story = [(0, 0), (1, 0), (0, 1), (0, 1), (0, 2), (1, 0), (0, 1), (0, 0)];
    let connects = (2..).zip(story).map(|(number, (actor, server))| What::Connected {
        connection: Connection::new(number),
        actor: Actor::new(actor),
        server: ServerId::new(server),
    });
    let story: Vec<What> = connects.collect();
    let moves = |so_far: usize| {
        let census = census(&story[..so_far]);
        (times(&census, "connects to another server"), times(&census, "comes back to a server"))
    };
    assert_eq!([2, 4, 5, 6, 7, 8].map(moves), [(0, 0), (1, 0), (2, 0), (2, 0), (2, 1), (2, 2)]);
}

/// How often it was done.
fn times(census: &Census, name: &str) -> u64 {
    census.of(Operation::from_name(name).unwrap()).times
}

fn assigned(handle: &'static str) -> What {
    let assignment = Assignment {
        handle: Handle::new(handle),
        function: FunctionName::new("f").unwrap(),
        unique: Unique::default(),
        reducer: Reducer::default(),
        workload: "".into(),
        form: Grab::Plain,
    };
    What::Read { connection: WORKER, response: Response::JobAssign(assignment) }
}

#[test]
fn a_worker_asks_for_several_functions_when_it_has_said_that_it_can_do_them() {
    let function = |name: &'static str| FunctionName::new(name).unwrap();
    let can_do = |name| asks(WORKER, Request::CanDo { function: function(name), timeout: None });
    let grab = || asks(WORKER, Request::Grab(Grab::Plain));
    let row = "a grab for several functions";
    let one_only = [
        grab(),
        can_do("f"),
        can_do("f"),
        grab(),
        can_do("g"),
        asks(WORKER, Request::CantDo { function: function("f") }),
        grab(),
        can_do("f"),
        asks(WORKER, Request::ResetAbilities),
        can_do("g"),
        grab(),
    ];
    assert_eq!(times(&census(&one_only), row), 0);
    assert_eq!(times(&census(&[can_do("f"), can_do("g"), grab(), grab()]), row), 2);
}

#[test]
fn a_worker_does_several_jobs_at_once_when_it_reports_on_an_earlier_one() {
    let report = |handle, report| asks(WORKER, Request::Work { handle: Handle::new(handle), report });
    let data = |handle| report(handle, Report::Data("x".into()));
    let function = FunctionName::new("f").unwrap();
    let row = "a job besides others in hand";
    let one_at_a_time = [
        assigned("H:1"),
        data("H:1"),
        report("H:1", Report::Fail),
        assigned("H:2"),
        // It forgets this one.
        assigned("H:3"),
        data("H:3"),
        // And is given it again.
        assigned("H:2"),
        data("H:2"),
        asks(WORKER, Request::CantDo { function }),
        assigned("H:4"),
        data("H:3"),
        asks(WORKER, Request::ResetAbilities),
        assigned("H:5"),
        data("H:4"),
    ];
    assert_eq!(times(&census(&one_at_a_time), row), 0);
    let both = [assigned("H:1"), assigned("H:2"), data("H:1"), data("H:2"), report("H:1", Report::Fail)];
    assert_eq!(places(&census(&both), row), (0, vec![(Stretch::Assigned, 1), (Stretch::DataSent, 1)]));
}

#[test]
fn each_kind_of_hostile_bytes_has_a_row_of_its_own() {
    for kind in Hostile::ALL.into_iter().filter(|kind| !kind.closes()) {
        let error = DecodeError::UnexpectedType(99);
        let bytes = |kind| What::WroteMalformed { connection: CLIENT, error, kind };
        let census = census(&[bytes(Some(kind)), bytes(None)]);
        assert_eq!(times(&census, "bytes that are no request"), 2);
        for other in Hostile::ALL {
            assert_eq!(times(&census, other.name()), u64::from(other == kind), "{kind:?}, {other:?}");
        }
    }
}

#[test]
fn forms_that_share_a_packet_have_rows_of_their_own() {
    let option = |name: &'static str| asks(CLIENT, Request::Option { name: name.into() });
    let shutdown = |graceful| asks(CLIENT, Request::Admin(AdminRequest::Shutdown { graceful }));
    let at = |epoch: &'static str| submit_as(b"", Mode::Epoch(epoch.into()));
    let census = census(&[
        option("Exceptions"),
        option("wings"),
        option("wings"),
        shutdown(false),
        shutdown(true),
        shutdown(true),
        at("0"),
        at("1"),
        at("59"),
        at("60"),
        submit_as(b"u\xff", Mode::Foreground),
    ]);
    let rows = [
        ("the option exceptions", 1),
        ("an unknown option", 2),
        ("OPTION_REQ", 3),
        ("shutdown", 1),
        ("shutdown graceful", 2),
        ("a time that has passed", 1),
        ("a time to come", 2),
        ("a time that is far away", 1),
        ("a unique that is no text", 1),
        ("no unique", 4),
    ];
    for (row, wanted) in rows {
        assert_eq!(times(&census, row), wanted, "{row}");
    }
}

#[test]
fn who_closes_within_a_message_is_seen_by_the_journal() {
    let closes = |bytes: &[u8], how| {
        let lives = Lives::new(Duration::ZERO, 0);
        let mut journal = Journal::new(History::passing(), lives, Box::new(|_| {}));
        let connection = journal.connected(Time::ZERO, Actor::new(0), ServerId::new(0));
        journal.wrote(Time::ZERO, connection, bytes);
        journal.closed(Time::ZERO, connection, how);
        times(&journal.take().census, Hostile::CutOff.name())
    };
    let bytes = Hostile::CutOff.bytes();
    assert_eq!(closes(&bytes, Closing::ByPeer), 1);
    assert_eq!(closes(&bytes, Closing::ByServer), 0);
    assert_eq!(closes(&Hostile::UnknownType.bytes(), Closing::ByPeer), 0);
}

#[test]
fn a_report_concerns_the_job_that_it_names_and_a_grab_those_in_hand() {
    let handle = || Handle::new("H:1");
    let grab = || asks(WORKER, Request::Grab(Grab::Plain));
    let report = |report| asks(WORKER, Request::Work { handle: handle(), report });
    let status = asks(CLIENT, Request::GetStatus { handle: handle() });
    let census = census(&[
        submit("u"),
        created(),
        grab(),
        assigned("H:1"),
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
