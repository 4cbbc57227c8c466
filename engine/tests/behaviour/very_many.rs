//! Very many things at one moment: some are done in each millisecond, while everybody else is served.

use bytes::Bytes;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_protocol::{
    AdminReply, AdminRequest, FunctionName, Grab, JobTimeout, Mode, Priority, Request, Response, Submit,
    Time, Unique,
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
}

impl Scene {
    fn new() -> Self {
        Self::with(Config::default(), None)
    }

    fn with(config: Config, limit: Option<&'static str>) -> Self {
        let config = Config { handle_prefix: "H".into(), ..config };
        let mut scene = Self { engine: Engine::new(config, 1), now: Time::ZERO, heard: Vec::new() };
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
            let Effect::Send { to, response } = effect else { panic!("{effect:?}") };
            self.heard.push((to, response));
        }
    }

    fn ask(&mut self, from: ConnectionId, request: Request) {
        self.tell(Event::Received { from, request });
    }

    /// The client submits jobs, and this is all that has been heard.
    fn submit(&mut self, jobs: RangeInclusive<u64>, mode: &Mode) {
        for job in jobs {
            let submit = Submit {
                function: function(),
                unique: Unique::new(format!("u{job}")).expect("a short one"),
                priority: Priority::Normal,
                mode: mode.clone(),
                reducer: None,
                workload: Bytes::new(),
            };
            self.hand(Event::Received { from: CLIENT, request: Request::Submit(submit) });
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

    /// The worker grabs all that waits; their numbers.
    fn grab_all(&mut self) -> Vec<u64> {
        self.heard.clear();
        for _ in 0..self.waiting() {
            self.hand(Event::Received { from: WORKER, request: Request::Grab(Grab::Plain) });
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
    scene.tell(Event::Wall { now: gearman_protocol::UnixMillis::from_seconds(9000) });
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
    let submit = Submit {
        function: late,
        unique: Unique::default(),
        priority: Priority::Normal,
        mode: Mode::Epoch("2".into()),
        reducer: None,
        workload: Bytes::new(),
    };
    scene.ask(CLIENT, Request::Submit(submit));
    scene.heard.clear();
    assert_eq!((scene.wait(), scene.heard.len()), (2000, 0));
    assert_eq!((scene.wait(), scene.heard.pop()), (2001, Some((OTHER, Response::Noop))));
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
