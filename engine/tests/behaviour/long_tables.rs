//! Tables of very many functions: told part by part, while everybody else is served.

use bytes::Bytes;
use gearman_engine::{Buffered, Config, ConnectionId, Doors, Effect, Effects, Engine, Event, RecordId};
use gearman_protocol::{
    AdminRequest, FunctionName, Handle, Mode, Outward, Priority, Request, Response, Submit, Time, Unique,
};

const ASKER: ConnectionId = ConnectionId::new(1);
const OTHER: ConnectionId = ConnectionId::new(2);
/// More than two parts of them.
const FUNCTIONS: usize = 2500;

/// A server with many functions, and what its peers have been sent.
struct Scene {
    engine: Engine,
    now: Time,
    heard: Vec<(ConnectionId, Vec<u8>)>,
    closed: Vec<ConnectionId>,
    /// What the store was asked to keep.
    kept: Vec<RecordId>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let engine = Engine::new(config, 1);
        let mut scene =
            Self { engine, now: Time::ZERO, heard: Vec::new(), closed: Vec::new(), kept: Vec::new() };
        for from in [ASKER, OTHER] {
            scene.tell(Event::Opened { from, peer: "::1".to_owned() });
        }
        for number in 0..FUNCTIONS {
            let request = Request::Admin(AdminRequest::CreateFunction(name(number)));
            scene.hand(Event::Received { from: OTHER, request });
        }
        scene.heard.clear();
        scene
    }

    fn tell(&mut self, event: Event) {
        self.hand(event);
        assert_eq!(self.engine.check(), Ok(()));
    }

    /// Without a look at all tables afterwards, which takes long where there are so many functions.
    fn hand(&mut self, event: Event) {
        let mut effects = Effects::new();
        self.engine.handle(self.now, event, &mut effects);
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, response } => self.heard.push((to, bytes(&response))),
                Effect::Close { who, .. } => self.closed.push(who),
                Effect::Store { job } => self.kept.push(job.record),
                other @ (Effect::PauseReading { .. }
                | Effect::ResumeReading { .. }
                | Effect::Forget { .. }
                | Effect::StopAccepting
                | Effect::Draining { .. }
                | Effect::Exit { .. }) => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, from: ConnectionId, command: AdminRequest) {
        self.tell(Event::Received { from, request: Request::Admin(command) });
    }

    /// Time passes until the next deadline.
    fn wait(&mut self) {
        self.now = self.engine.deadline().expect("something is to happen");
        self.tell(Event::Elapsed);
    }

    fn wait_for_all(&mut self) {
        while self.engine.deadline().is_some() {
            self.wait();
        }
    }

    /// What a peer has heard, in one piece.
    fn of(&self, peer: ConnectionId) -> String {
        let bytes: Vec<u8> =
            self.heard.iter().filter(|(to, _)| *to == peer).flat_map(|(_, bytes)| bytes.clone()).collect();
        String::from_utf8(bytes).expect("tables of these names are text")
    }
}

fn bytes(response: &Response) -> Vec<u8> {
    let mut out = Outward::new();
    response.clone().encode_by_parts(&mut out);
    let mut whole = Outward::new();
    response.encode(&mut whole);
    assert_eq!(out.to_vec(), whole.to_vec());
    whole.to_vec()
}

/// A background submit to the first function.
fn submit(from: ConnectionId, unique: &str) -> Event {
    let submit = Submit {
        function: FunctionName::new(name(0)).expect("a short name"),
        unique: Unique::new(unique.to_owned()).expect("a short one"),
        priority: Priority::Normal,
        mode: Mode::Background,
        reducer: None,
        workload: Bytes::new(),
    };
    Event::Received { from, request: Request::Submit(submit) }
}

fn name(number: usize) -> Bytes {
    format!("f{number}").into()
}

fn table(functions: impl IntoIterator<Item = usize>, columns: &str) -> String {
    functions.into_iter().map(|number| format!("f{number}{columns}\n")).chain([".\n".into()]).collect()
}

#[test]
fn others_are_answered_before_a_long_table_is_told_to_its_end() {
    let mut scene = Scene::new();
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait();
    assert_eq!(scene.of(ASKER).lines().count(), 1024, "the first part");
    scene.ask(OTHER, AdminRequest::Version);
    scene.wait_for_all();
    let turns: Vec<ConnectionId> = scene.heard.iter().map(|&(to, _)| to).collect();
    assert_eq!(turns, [ASKER, OTHER, ASKER, ASKER], "three parts");
    assert_eq!(scene.of(ASKER), table(0..FUNCTIONS, "\t0\t0\t0"));
}

#[test]
fn what_is_asked_after_a_long_table_is_answered_after_it() {
    let mut scene = Scene::new();
    scene.ask(ASKER, AdminRequest::PriorityStatus);
    scene.ask(ASKER, AdminRequest::GetPid);
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait_for_all();
    let pid = format!("OK {}\n", Config::default().pid);
    let [first, last] = ["\t0\t0\t0\t0", "\t0\t0\t0"].map(|columns| table(0..FUNCTIONS, columns));
    assert_eq!(scene.of(ASKER), [first, pid, last].concat());
}

#[test]
fn a_table_is_told_after_what_was_asked_before_it() {
    let mut scene = Scene::with(Config { store: true, ..Config::default() });
    scene.tell(submit(ASKER, ""));
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait();
    assert_eq!((scene.heard.len(), scene.engine.deadline()), (0, None));
    scene.tell(Event::Stored { record: scene.kept[0], outcome: Ok(()) });
    assert!(scene.of(ASKER).starts_with("\0RES"));
    scene.wait_for_all();
    assert!(scene.of(ASKER).ends_with(&table(1..FUNCTIONS, "\t0\t0\t0")));
}

#[test]
fn a_function_that_is_dropped_meanwhile_is_left_out_and_a_new_one_is_told() {
    let mut scene = Scene::new();
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait();
    let told = scene.of(ASKER).lines().count();
    // Each time the one that would be next.
    for number in told..told + 3 {
        scene.ask(OTHER, AdminRequest::DropFunction(name(number)));
    }
    scene.ask(OTHER, AdminRequest::DropFunction(name(0)));
    scene.ask(OTHER, AdminRequest::CreateFunction(name(FUNCTIONS)));
    scene.wait_for_all();
    assert_eq!(scene.of(ASKER), table((0..told).chain(told + 3..=FUNCTIONS), "\t0\t0\t0"));
}

#[test]
fn a_table_waits_for_a_reader_who_has_much_to_read() {
    let mut scene = Scene::new();
    let fill = |outward| Event::Buffered { from: ASKER, fill: Buffered { outward, ..Buffered::default() } };
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait();
    scene.tell(fill(70_000));
    scene.wait();
    assert_eq!((scene.heard.len(), scene.engine.deadline()), (1, None));
    scene.tell(fill(65_536));
    assert_eq!(scene.engine.deadline(), None);
    scene.tell(fill(60_000));
    scene.wait_for_all();
    assert_eq!(scene.of(ASKER), table(0..FUNCTIONS, "\t0\t0\t0"));
}

#[test]
fn whoever_sends_nothing_more_still_gets_the_whole_table() {
    let mut scene = Scene::new();
    scene.ask(ASKER, AdminRequest::Status);
    scene.tell(Event::HalfClosed { from: ASKER });
    scene.wait();
    assert_eq!(scene.closed, []);
    while scene.closed.is_empty() {
        scene.wait();
    }
    assert_eq!(scene.of(ASKER), table(0..FUNCTIONS, "\t0\t0\t0"));
}

#[test]
fn nothing_is_told_to_whoever_is_gone() {
    let mut scene = Scene::new();
    scene.ask(ASKER, AdminRequest::Status);
    scene.ask(ASKER, AdminRequest::Status);
    scene.wait();
    scene.tell(Event::Closed { from: ASKER });
    assert_eq!((scene.heard.len(), scene.engine.deadline()), (1, None));
}

#[test]
fn whoever_asks_for_many_before_the_first_is_told_is_cut_off() {
    let mut scene = Scene::with(Config { output_limit: 1000, ..Config::default() });
    for _ in 0..7 {
        scene.ask(ASKER, AdminRequest::Status);
    }
    assert_eq!(scene.closed, []);
    scene.ask(ASKER, AdminRequest::Status);
    assert_eq!(scene.closed, [ASKER]);
    scene.tell(Event::Closed { from: ASKER });
    assert_eq!(scene.engine.deadline(), None);
}

#[test]
fn jobs_are_told_of_in_parts_without_those_that_come_or_go_meanwhile() {
    for (command, line) in [
        (AdminRequest::ShowJobs, (|job| format!("H:{job}\t0\t0\t1\n")) as fn(usize) -> String),
        (AdminRequest::ShowUniqueJobs, |job| format!("u{job}\n")),
    ] {
        let mut scene = Scene::with(Config { handle_prefix: "H".into(), ..Config::default() });
        (1..=FUNCTIONS).for_each(|job| scene.hand(submit(OTHER, &format!("u{job}"))));
        scene.heard.clear();
        scene.ask(ASKER, command);
        scene.ask(ASKER, AdminRequest::GetPid);
        scene.wait();
        let told = scene.of(ASKER).lines().count();
        assert!(told < FUNCTIONS / 2, "a part");
        // The one that has been told, those that would be next, one after another that stays, and the last.
        let gone = [1, told + 1, told + 2, told + 3, told + 9, told + 10, FUNCTIONS];
        for job in gone {
            scene.ask(OTHER, AdminRequest::CancelJob(Handle::new(format!("H:{job}"))));
        }
        scene.tell(submit(OTHER, "new"));
        scene.wait_for_all();
        let left = (1..=FUNCTIONS).filter(|job| *job == 1 || !gone.contains(job));
        let table = left.map(line).chain([".\n".to_owned()]).collect::<String>();
        assert_eq!(scene.of(ASKER), format!("{table}OK {}\n", Config::default().pid));
    }
}

#[test]
fn a_table_of_jobs_ends_when_all_that_are_left_are_gone() {
    let mut scene = Scene::with(Config { handle_prefix: "H".into(), ..Config::default() });
    (1..=FUNCTIONS).for_each(|job| scene.hand(submit(OTHER, &format!("u{job}"))));
    scene.heard.clear();
    scene.ask(ASKER, AdminRequest::ShowUniqueJobs);
    scene.wait();
    let told = scene.of(ASKER);
    for job in 1..=FUNCTIONS {
        let cancel = Request::Admin(AdminRequest::CancelJob(Handle::new(format!("H:{job}"))));
        scene.hand(Event::Received { from: OTHER, request: cancel });
    }
    scene.wait_for_all();
    assert_eq!(scene.of(ASKER), told + ".\n");
}
