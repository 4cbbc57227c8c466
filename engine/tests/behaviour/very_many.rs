//! Very many things at one moment: some are done in each millisecond, while everybody else is served.

use bytes::Bytes;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event, ExitCode};
use gearman_protocol::{
    AdminReply, AdminRequest, FunctionName, Grab, Handle, JobTimeout, Mode, Priority, Report, Request,
    Response, Submit, Time, Unique, UnixMillis,
};
use std::ops::RangeInclusive;

const CLIENT: ConnectionId = ConnectionId::new(1);
const WORKER: ConnectionId = ConnectionId::new(2);
const OTHER: ConnectionId = ConnectionId::new(3);
/// What is done of them in one millisecond.
const SOME: u64 = 512;
/// More than two such parts of them.
const MANY: u64 = 1300;

/// A server, a client, a worker that is able, and somebody else.
struct Scene {
    engine: Engine,
    now: Time,
    heard: Vec<(ConnectionId, Response)>,
    /// What was done besides.
    done: Vec<Effect>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Config::default(), None)
    }

    fn with(config: Config, limit: Option<&'static str>) -> Self {
        let config = Config { handle_prefix: "H".into(), ..config };
        let engine = Engine::new(config, 1);
        let mut scene = Self { engine, now: Time::ZERO, heard: Vec::new(), done: Vec::new() };
        for from in [CLIENT, WORKER, OTHER] {
            scene.tell(Event::Opened { from, peer: "::1".to_owned() });
        }
        let timeout = limit.map(|limit| JobTimeout(limit.into()));
        scene.ask(WORKER, Request::CanDo { function: function(), timeout });
        scene
    }

    fn tell(&mut self, event: Event) {
        self.hand(event);
        assert_eq!(self.engine.check(), Ok(()));
    }

    /// Without a look at all tables afterwards, which takes long where there is so much in them.
    fn hand(&mut self, event: Event) {
        let mut effects = Effects::new();
        self.engine.handle(self.now, event, &mut effects);
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, response } => self.heard.push((to, response)),
                other @ (Effect::Close { .. }
                | Effect::PauseReading { .. }
                | Effect::ResumeReading { .. }
                | Effect::Store { .. }
                | Effect::Forget { .. }
                | Effect::StopAccepting
                | Effect::Draining { .. }
                | Effect::Exit { .. }) => self.done.push(other),
            }
        }
    }

    fn ask(&mut self, from: ConnectionId, request: Request) {
        self.tell(Event::Received { from, request });
    }

    /// The client submits jobs, and this is all that has been heard.
    fn submit(&mut self, jobs: RangeInclusive<u64>, mode: &Mode) {
        for job in jobs {
            self.hand(Event::Received { from: CLIENT, request: Request::Submit(submit(job, mode)) });
        }
        self.heard.clear();
    }

    /// Time passes until the engine wants to be called; gives when that was.
    fn wait(&mut self) -> u64 {
        let deadline = self.engine.deadline().expect("something is to happen");
        assert!(deadline > self.now, "it is called again at once");
        self.now = deadline;
        self.tell(Event::Elapsed);
        self.now.as_millis()
    }

    /// A peer is served at once.
    fn serve(&mut self, from: ConnectionId) {
        let before = self.heard.len();
        self.ask(from, Request::Echo { data: "hello".into() });
        assert_eq!(self.heard.split_off(before), [(from, Response::Echo { data: "hello".into() })]);
    }

    /// How many jobs wait to be grabbed.
    fn waiting(&self) -> u64 {
        self.engine.functions(0, 1).rows[0].waiting[1].into()
    }

    /// How many there are in all.
    fn jobs(&self) -> u64 {
        self.engine.vitals().jobs as u64
    }

    /// The worker grabs all that waits; their numbers.
    fn grab_all(&mut self) -> Vec<u64> {
        self.grab_as(WORKER)
    }

    fn grab_as(&mut self, worker: ConnectionId) -> Vec<u64> {
        self.heard.clear();
        for _ in 0..self.waiting() {
            self.hand(Event::Received { from: worker, request: Request::Grab(Grab::Plain) });
        }
        assert_eq!(self.engine.check(), Ok(()));
        let number = |response: Response| {
            let Response::JobAssign(assignment) = response else { panic!("{response:?}") };
            let handle = String::from_utf8(assignment.handle.as_bytes().to_vec()).expect("it is text");
            handle.strip_prefix("H:").and_then(|number| number.parse().ok()).expect("it is a number")
        };
        self.heard.drain(..).map(|(_, response)| number(response)).collect()
    }
}

fn function() -> FunctionName {
    FunctionName::new("f").expect("a name")
}

fn submit(job: u64, mode: &Mode) -> Submit {
    Submit {
        function: function(),
        unique: Unique::new(format!("u{job}")).expect("a short one"),
        priority: Priority::Normal,
        mode: mode.clone(),
        reducer: None,
        workload: Bytes::new(),
    }
}

#[test]
fn of_very_many_jobs_that_are_due_at_one_moment_some_join_their_queue_in_each_millisecond() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Epoch("2".into()));
    assert_eq!((scene.wait(), scene.waiting()), (2000, SOME));
    scene.serve(OTHER);
    assert_eq!(scene.waiting(), SOME, "whoever is served brings no more in this millisecond");
    assert_eq!((scene.wait(), scene.waiting()), (2001, 2 * SOME));
    scene.serve(OTHER);
    assert_eq!((scene.wait(), scene.waiting()), (2002, MANY));
    assert_eq!(scene.engine.deadline(), None);
    assert_eq!(scene.grab_all(), (1..=MANY).collect::<Vec<_>>(), "in the order of submission");
}

#[test]
fn very_many_jobs_that_a_step_of_the_wall_clock_makes_due_join_their_queue_likewise() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Epoch("9000".into()));
    scene.tell(Event::Wall { now: UnixMillis::from_seconds(9000) });
    assert_eq!(scene.waiting(), SOME);
    assert_eq!((scene.wait(), scene.waiting()), (1, 2 * SOME));
    assert_eq!((scene.wait(), scene.waiting()), (2, MANY));
}

#[test]
fn of_very_many_jobs_that_are_late_at_one_moment_some_are_requeued_in_each_millisecond() {
    let mut scene = Scene::with(Config::default(), Some("3000"));
    scene.submit(1..=MANY, &Mode::Background);
    scene.grab_all();
    assert_eq!((scene.wait(), scene.waiting()), (3000, SOME));
    scene.serve(OTHER);
    assert_eq!((scene.wait(), scene.waiting()), (3001, 2 * SOME));
    assert_eq!((scene.wait(), scene.waiting()), (3002, MANY));
    assert_eq!(scene.engine.deadline(), None);
    assert_eq!(scene.grab_all(), (1..=MANY).collect::<Vec<_>>(), "in the order of assignment");
}

#[test]
fn a_job_that_is_late_does_not_wait_for_very_many_that_are_due() {
    let mut scene = Scene::with(Config::default(), Some("3000"));
    scene.submit(1..=1, &Mode::Background);
    scene.grab_all();
    scene.submit(2..=MANY, &Mode::Epoch("2".into()));
    scene.now = Time::from_millis(3000);
    scene.tell(Event::Elapsed);
    assert_eq!(scene.waiting(), SOME + 1);
    assert_eq!(scene.grab_all().last(), Some(&1));
}

#[test]
fn a_worker_that_sleeps_is_woken_for_a_job_that_had_to_wait_until_others_were_due() {
    let mut scene = Scene::new();
    scene.submit(1..=SOME, &Mode::Epoch("2".into()));
    let late = FunctionName::new("late").expect("a name");
    scene.ask(OTHER, Request::CanDo { function: late.clone(), timeout: None });
    scene.ask(OTHER, Request::PreSleep);
    let submit = Submit { function: late, ..submit(SOME + 1, &Mode::Epoch("2".into())) };
    scene.ask(CLIENT, Request::Submit(submit));
    scene.heard.clear();
    assert_eq!((scene.wait(), scene.heard.len()), (2000, 0));
    assert_eq!((scene.wait(), scene.heard.pop()), (2001, Some((OTHER, Response::Noop))));
}

#[test]
fn of_a_client_that_leaves_very_many_jobs_some_go_at_once_and_some_in_each_millisecond() {
    let mut scene = Scene::new();
    let before = scene.engine.vitals();
    scene.submit(1..=MANY, &Mode::Foreground);
    scene.tell(Event::Closed { from: CLIENT });
    assert_eq!(scene.jobs(), MANY - SOME);
    scene.serve(OTHER);
    scene.tell(Event::Closed { from: CLIENT });
    assert_eq!(scene.jobs(), MANY - SOME, "it can leave but once");
    assert_eq!((scene.wait(), scene.jobs()), (1, MANY - 2 * SOME));
    scene.serve(OTHER);
    assert_eq!((scene.wait(), scene.jobs()), (2, 0));
    assert_eq!(scene.engine.deadline(), None);
    scene.tell(Event::Opened { from: ConnectionId::new(4), peer: "::1".to_owned() });
    assert_eq!(scene.engine.vitals(), before, "nothing remains of it");
    assert_eq!(scene.done, []);
}

#[test]
fn a_client_that_has_left_very_many_jobs_is_told_nothing_of_them_while_they_go() {
    let (half, whole) = (Event::HalfClosed { from: CLIENT }, Event::Closed { from: CLIENT });
    // A table that is owed to it keeps the connection open.
    for (owed, end) in [(false, half.clone()), (true, half), (false, whole)] {
        let mut scene = Scene::new();
        scene.submit(1..=MANY, &Mode::Foreground);
        if owed {
            scene.ask(CLIENT, Request::Admin(AdminRequest::ShowJobs));
        }
        scene.tell(end);
        scene.ask(WORKER, Request::Grab(Grab::Plain));
        let handle = Handle::new(format!("H:{}", SOME + 1));
        let report = Report::Complete("done".into());
        scene.ask(WORKER, Request::Work { handle, report });
        assert_eq!(scene.jobs(), MANY - SOME - 1, "the first that was still there is done");
        while scene.engine.deadline().is_some_and(|soon| soon < Time::from_millis(100)) {
            scene.wait();
        }
        assert_eq!(scene.jobs(), 0);
        let of_jobs = |(_, response): &&(_, Response)| matches!(response, Response::Work { .. });
        assert_eq!(scene.heard.iter().find(of_jobs), None);
    }
}

#[test]
fn a_job_that_another_has_joined_stays_when_it_is_its_turn_to_go() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Foreground);
    scene.tell(Event::Closed { from: CLIENT });
    let job = MANY;
    scene.ask(OTHER, Request::Submit(submit(job, &Mode::Foreground)));
    scene.wait();
    scene.wait();
    let handle = Handle::new(format!("H:{job}"));
    assert_eq!(scene.heard, [(OTHER, Response::JobCreated { handle: handle.clone() })]);
    assert_eq!(scene.grab_all(), [job]);
    let report = Report::Complete("done".into());
    scene.ask(WORKER, Request::Work { handle: handle.clone(), report: report.clone() });
    assert_eq!(scene.heard, [(OTHER, Response::Work { handle, report })]);
}

#[test]
fn of_a_worker_that_leaves_very_many_jobs_some_are_requeued_at_once_and_some_in_each_millisecond() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Background);
    scene.grab_all();
    scene.ask(OTHER, Request::CanDo { function: function(), timeout: None });
    scene.ask(OTHER, Request::PreSleep);
    scene.tell(Event::Closed { from: WORKER });
    assert_eq!(scene.heard, [(OTHER, Response::Noop)]);
    let mut order = scene.grab_as(OTHER);
    assert_eq!(order.len() as u64, SOME);
    scene.ask(OTHER, Request::PreSleep);
    for millis in [1, 2] {
        assert_eq!(scene.wait(), millis);
        assert_eq!(scene.heard.pop(), Some((OTHER, Response::Noop)), "it is woken each time");
        order.extend(scene.grab_as(OTHER));
        scene.ask(OTHER, Request::PreSleep);
    }
    assert_eq!(order, (1..=MANY).collect::<Vec<_>>(), "in the order of assignment");
    assert_eq!(scene.engine.deadline(), None);
}

#[test]
fn a_job_whose_time_passes_after_its_worker_has_left_is_lost_once() {
    let mut scene = Scene::with(Config::default(), Some("3000"));
    scene.submit(1..=MANY, &Mode::Background);
    scene.grab_all();
    scene.now = Time::from_millis(2999);
    scene.tell(Event::Closed { from: WORKER });
    while scene.engine.deadline().is_some() {
        scene.wait();
    }
    let row = &scene.engine.functions(0, 1).rows[0];
    assert_eq!((u64::from(row.waiting[1]), row.running, row.counts.retried), (MANY, 0, MANY));
}

#[test]
fn whoever_has_left_very_many_jobs_counts_nowhere_any_more() {
    let config = Config { connections_per_address: Some(3), max_connections: 3, ..Config::default() };
    let mut scene = Scene::with(config, None);
    scene.submit(1..=MANY, &Mode::Foreground);
    scene.tell(Event::Closed { from: CLIENT });
    assert_eq!(scene.engine.vitals().connections, 2);
    let new = ConnectionId::new(4);
    scene.tell(Event::Opened { from: new, peer: "::1".to_owned() });
    assert_eq!((&scene.heard[..], &scene.done[..]), (&[][..], &[][..]), "there is room for another");
    scene.ask(new, Request::Admin(AdminRequest::Workers));
    let Some((_, Response::Admin(AdminReply::Workers(rows)))) = scene.heard.pop() else { panic!("no table") };
    assert_eq!(rows.iter().map(|row| row.connection).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn whoever_comes_under_the_number_of_one_that_has_left_very_many_jobs_is_another() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Foreground);
    scene.tell(Event::Closed { from: CLIENT });
    scene.tell(Event::Opened { from: CLIENT, peer: "::1".to_owned() });
    scene.submit(MANY + 1..=MANY + 1, &Mode::Foreground);
    scene.wait();
    scene.wait();
    assert_eq!(scene.grab_all(), [MANY + 1]);
    let (handle, report) = (Handle::new(format!("H:{}", MANY + 1)), Report::Fail);
    scene.ask(WORKER, Request::Work { handle: handle.clone(), report: report.clone() });
    assert_eq!(scene.heard, [(CLIENT, Response::Work { handle, report })]);
    assert_eq!(scene.engine.deadline(), None);
}

#[test]
fn those_who_leave_very_many_jobs_are_taken_apart_one_after_the_other() {
    let mut scene = Scene::new();
    scene.ask(OTHER, Request::CanDo { function: function(), timeout: None });
    scene.submit(1..=MANY, &Mode::Background);
    scene.grab_as(OTHER);
    scene.submit(MANY + 1..=2 * MANY, &Mode::Background);
    scene.grab_as(WORKER);
    scene.tell(Event::Closed { from: OTHER });
    scene.tell(Event::Closed { from: WORKER });
    let mut waiting = vec![scene.waiting()];
    while scene.engine.deadline().is_some() {
        scene.wait();
        waiting.push(scene.waiting());
    }
    assert_eq!(
        waiting,
        [2 * SOME, 3 * SOME, 4 * SOME, 5 * SOME, 2 * MANY],
        "together no more than one alone"
    );
    scene.ask(CLIENT, Request::CanDo { function: function(), timeout: None });
    let at_once = (1..=SOME).chain(MANY + 1..=MANY + SOME);
    let later = (SOME + 1..=MANY).chain(MANY + SOME + 1..=2 * MANY);
    assert_eq!(scene.grab_as(CLIENT), at_once.chain(later).collect::<Vec<_>>());
}

#[test]
fn a_drain_waits_until_very_many_jobs_of_one_that_has_left_are_gone() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Foreground);
    scene.tell(Event::Drain);
    scene.tell(Event::Closed { from: CLIENT });
    scene.wait();
    assert_eq!(scene.done, [Effect::StopAccepting]);
    scene.wait();
    assert_eq!(scene.done, [Effect::StopAccepting, Effect::Exit { code: ExitCode::Finished }]);
}

#[test]
fn of_two_long_tables_one_is_told_of_in_each_millisecond() {
    let mut scene = Scene::new();
    scene.submit(1..=MANY, &Mode::Background);
    for from in [CLIENT, OTHER] {
        scene.ask(from, Request::Admin(AdminRequest::ShowUniqueJobs));
    }
    let told = [1, 2, 3, 4].map(|millis| {
        assert_eq!(scene.wait(), millis);
        let [(to, Response::Admin(reply))] = &scene.heard[..] else { panic!("{:?}", scene.heard) };
        let ends = !matches!(reply, AdminReply::Part(_));
        let told = (*to, ends);
        scene.heard.clear();
        told
    });
    assert_eq!(told, [(CLIENT, false), (OTHER, false), (CLIENT, true), (OTHER, true)]);
}
