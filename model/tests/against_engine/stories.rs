//! Stories in which engine and model differed, or easily could, and which chance seldom tells.

use crate::told_apart::told_apart;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_model::Model;
use gearman_protocol::{
    FunctionName, Grab, JobTimeout, Mode, Priority, Request, Response, Submit, Time, Unique,
};
use std::time::Duration;

/// Both servers at once.
struct Pair {
    engine: Engine,
    model: Model,
    now: Time,
}

impl Pair {
    /// With so many peers, counted from 1.
    fn new(config: Config, peers: u64) -> Self {
        let (engine, model) = (Engine::new(config.clone(), 1), Model::new(config));
        let mut pair = Self { engine, model, now: Time::ZERO };
        for number in 1..=peers {
            pair.tell(Event::Opened { from: ConnectionId::new(number), peer: "::1".to_owned() });
        }
        pair
    }

    /// Tells both; what they did, which is the same.
    fn tell(&mut self, event: Event) -> Vec<Effect> {
        let (mut did, mut should) = (Effects::new(), Effects::new());
        self.engine.handle(self.now, event.clone(), &mut did);
        self.model.handle(self.now, event, &mut should);
        assert_eq!(told_apart(did.as_slice()), told_apart(should.as_slice()));
        self.engine.check().expect("the engine's tables agree");
        did.drain().collect()
    }

    fn ask(&mut self, from: u64, request: Request) -> Vec<Effect> {
        self.tell(Event::Received { from: ConnectionId::new(from), request })
    }

    fn can_do(&mut self, from: u64, name: &'static str, timeout: Option<&'static str>) {
        let timeout = timeout.map(|text| JobTimeout(text.into()));
        self.ask(from, Request::CanDo { function: function(name), timeout });
    }

    fn submit(&mut self, from: u64, name: &'static str, unique: &'static str, mode: Mode) -> Vec<Effect> {
        self.ask(
            from,
            Request::Submit(Submit {
                function: function(name),
                unique: Unique::new(unique).expect("a short unique"),
                priority: Priority::Normal,
                mode,
                reducer: None,
                workload: unique.into(),
            }),
        )
    }

    /// The unique of the job that the worker gets.
    fn grab(&mut self, from: u64) -> Option<Unique> {
        let effects = self.ask(from, Request::Grab(Grab::Uniq));
        effects.into_iter().find_map(|effect| {
            let Effect::Send { response: Response::JobAssign(assignment), .. } = effect else { return None };
            Some(assignment.unique)
        })
    }
}

fn function(name: &'static str) -> FunctionName {
    FunctionName::new(name).expect("a name")
}

fn woken(effects: &[Effect]) -> Vec<u64> {
    let noop = |effect: &Effect| {
        let Effect::Send { to, response: Response::Noop } = effect else { return None };
        Some(to.get())
    };
    effects.iter().filter_map(noop).collect()
}

#[test]
fn the_oldest_function_wakes_first_when_several_have_work() {
    let mut pair = Pair::new(Config { worker_wakeup: Some(1), ..Config::default() }, 4);
    // Peer 1 holds a job of each function, 2 can do the newer one, 3 can do both.
    pair.can_do(1, "old", None);
    pair.can_do(1, "new", None);
    for name in ["new", "old"] {
        pair.submit(4, name, name, Mode::Background);
    }
    assert!(pair.grab(1).is_some() && pair.grab(1).is_some());
    pair.can_do(2, "new", None);
    pair.ask(2, Request::PreSleep);
    pair.can_do(3, "old", None);
    pair.can_do(3, "new", None);
    pair.ask(3, Request::PreSleep);
    // Who is woken for the older function is enough for the newer one as well.
    let effects = pair.tell(Event::Closed { from: ConnectionId::new(1) });
    assert_eq!(woken(&effects), [3]);
}

#[test]
fn jobs_of_one_moment_are_lost_in_the_order_of_their_assignment() {
    let mut pair = Pair::new(Config { min_job_timeout: Duration::from_millis(1), ..Config::default() }, 2);
    pair.can_do(1, "lap", Some("20"));
    pair.submit(2, "lap", "first", Mode::Background);
    pair.submit(2, "lap", "second", Mode::Background);
    let unique = |name| Some(Unique::new(name).expect("a short unique"));
    assert_eq!(pair.grab(1), unique("first"));
    pair.now = Time::from_millis(20);
    assert_eq!(pair.grab(1), unique("second"), "the first one has gone to the back");
    assert_eq!(pair.grab(1), unique("first"));
    pair.now = Time::from_millis(40);
    assert_eq!(pair.grab(1), unique("second"));
}
