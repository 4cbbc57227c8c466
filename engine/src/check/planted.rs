//! Each truth is broken once, to see that the check sees it.

use crate::config::{ABILITY_OVERHEAD, WATCHER_OVERHEAD};
use crate::tables::connections::{Presence, Rest};
use crate::tables::deadlines::Timer;
use crate::tables::jobs::{JobKey, JobNumber, JobState, Keeping};
use crate::tables::parcel::Cuts;
use crate::tables::slab::Key;
use crate::{Buffered, Config, ConnectionId, Doors, Effects, Engine, Event, RecordId};
use bytes::Bytes;
use gearman_protocol::{
    FunctionName, Grab, JobTimeout, Mode, Priority, Reducer, Request, Submit, Time, Unique, UnixMillis,
};

/// Breaks one thing in an engine where much is going on, and says what the check finds.
fn found(plant: impl FnOnce(&mut Engine)) -> String {
    let mut engine = busy();
    assert_eq!(engine.check(), Ok(()), "before anything was planted");
    plant(&mut engine);
    engine.check().map_or_else(|violation| violation.to_string(), |()| "nothing".into())
}

const CLIENT: u64 = 1;
const WORKER: u64 = 2;
const SLEEPER: u64 = 3;
const WOKEN: u64 = 4;
const STORER: u64 = 5;

/// Job 1 is assigned, 2 and 3 wait for a woken worker, 4 is scheduled, 5 waits for the store.
fn busy() -> Engine {
    let mut engine = Engine::new(Config { store: true, worker_wakeup: Some(1), ..Config::default() }, 1);
    for number in [CLIENT, WORKER, SLEEPER, WOKEN, STORER] {
        tell(&mut engine, Event::Opened { from: ConnectionId::new(number), peer: String::new() });
    }
    ask(
        &mut engine,
        WORKER,
        Request::CanDo { function: name("f"), timeout: Some(JobTimeout("9000".into())) },
    );
    ask(&mut engine, SLEEPER, Request::CanDo { function: name("g"), timeout: None });
    ask(&mut engine, SLEEPER, Request::PreSleep);
    ask(&mut engine, CLIENT, submit("one", Mode::Foreground));
    ask(&mut engine, WORKER, Request::Grab(Grab::Plain));
    ask(&mut engine, WOKEN, Request::CanDo { function: name("f"), timeout: None });
    ask(&mut engine, CLIENT, submit("two", Mode::Foreground));
    ask(&mut engine, CLIENT, submit("three", Mode::Foreground));
    ask(&mut engine, WOKEN, Request::PreSleep);
    ask(&mut engine, STORER, submit("four", Mode::Epoch("5000".into())));
    tell(&mut engine, Event::Stored { record: RecordId::new(1), outcome: Ok(()) });
    ask(&mut engine, STORER, submit("five", Mode::Background));
    engine
}

fn tell(engine: &mut Engine, event: Event) {
    engine.handle(Time::ZERO, event, &mut Effects::new());
}

fn ask(engine: &mut Engine, from: u64, request: Request) {
    tell(engine, Event::Received { from: ConnectionId::new(from), request });
}

fn name(name: &'static str) -> FunctionName {
    FunctionName::new(name).expect("this is a name")
}

fn submit(unique: &'static str, mode: Mode) -> Request {
    Request::Submit(Submit {
        function: name("f"),
        unique: Unique::new(unique).expect("this is short"),
        priority: Priority::Normal,
        mode,
        reducer: None,
        workload: Bytes::new(),
    })
}

fn job(engine: &Engine, number: u64) -> JobKey {
    engine.jobs.by_number(JobNumber(number)).expect("the job is there")
}

fn peer(engine: &Engine, number: u64) -> Key<crate::tables::connections::Connection> {
    engine.connections.find(ConnectionId::new(number)).expect("the connection is there")
}

fn function(engine: &Engine) -> Key<crate::tables::functions::Function> {
    engine.find_function(b"f").expect("the function is there")
}

#[test]
fn wrong_totals_are_seen() {
    assert_eq!(found(|engine| engine.awaited += 1), "a drain waits for 3 jobs, not 4");
    assert_eq!(
        found(|engine| engine.memory += 1),
        "jobs have 1280 bytes, connections 5120 and other tables 978, not 7379 together"
    );
    assert_eq!(
        found(|engine| {
            let (job, client) = (job(engine, 1), peer(engine, CLIENT));
            let watcher = engine.jobs.slab[job].watchers.first().expect("it is watched");
            engine.jobs.slab[job].watchers.remove(&mut engine.watchers, watcher);
            assert_eq!(engine.connections.slab[client].watches.len(), 3);
        }),
        "3 watchers: jobs have 2, connections 3"
    );
    assert_eq!(
        found(|engine| {
            let worker = peer(engine, WORKER);
            let ability = engine.connections.slab[worker].abilities.first().expect("it is able");
            engine.connections.slab[worker].abilities.remove(&mut engine.abilities.slab, ability);
        }),
        "3 abilities, workers have 2"
    );
}

#[test]
fn a_job_in_the_wrong_place_is_seen() {
    let state = |number: u64, state: JobState| {
        found(move |engine| {
            let key = job(engine, number);
            engine.jobs.slab[key].state = state;
        })
    };
    let (place, not_before) = (1, None);
    assert_eq!(state(2, JobState::Reserved { place, not_before }), "a drain waits for 2 jobs, not 3");
    assert_eq!(state(4, JobState::Reserved { place, not_before }), "job 4 is reserved for nothing");
    let due = UnixMillis::from_seconds(77);
    assert_eq!(state(4, JobState::Scheduled { due }), "job 4 is not in the calendar");
}

#[test]
fn a_job_kept_for_the_wrong_reason_is_seen() {
    let keeping = |number: u64, keeping: Keeping| {
        found(move |engine| {
            let key = job(engine, number);
            engine.jobs.slab[key].keeping = keeping;
        })
    };
    assert_eq!(keeping(4, Keeping::Foreground), "job 4 is scheduled in the foreground");
    assert_eq!(keeping(5, Keeping::Background), "job 5 is reserved for nothing");
    let other = Keeping::Storing(RecordId::new(7));
    assert_eq!(keeping(5, other), "record 2: its job does not wait for it");
    assert_eq!(keeping(4, other), "2 jobs wait for the store, it was asked for 1");
}

#[test]
fn a_job_that_nobody_wants_is_seen() {
    let violation = found(|engine| {
        let key = job(engine, 2);
        let watcher = engine.jobs.slab[key].watchers.first().expect("it is watched");
        let client = engine.watchers[watcher].connection;
        engine.jobs.slab[key].watchers.remove(&mut engine.watchers, watcher);
        engine.connections.slab[client].watches.remove(&mut engine.watchers, watcher);
        engine.watchers.remove(watcher);
        engine.memory -= WATCHER_OVERHEAD;
    });
    assert_eq!(violation, "job 2 waits and nobody wants it");
}

#[test]
fn a_job_that_cannot_be_found_is_seen() {
    let violation = found(|engine| {
        let key = job(engine, 2);
        engine.jobs.slab[key].number = JobNumber(99);
    });
    assert_eq!(violation, "job 99 is not found by its number");
    let violation = found(|engine| {
        let key = job(engine, 2);
        let other = Unique::new("other").expect("this is short");
        let job = &mut engine.jobs.slab[key];
        (job.parcel, job.cuts) = Cuts::join(&other, &Reducer::default(), Bytes::new());
    });
    assert_eq!(violation, "job 2 is not found by its key, or another is");
}

#[test]
fn a_worker_that_lost_its_ability_is_seen() {
    let violation = found(|engine| {
        let (worker, function) = (peer(engine, WORKER), function(engine));
        let ability = engine.abilities.find(worker, function).expect("it is able");
        engine.connections.slab[worker].abilities.remove(&mut engine.abilities.slab, ability);
        engine.abilities.remove(ability);
        engine.memory -= ABILITY_OVERHEAD;
        engine.functions.slab[function].workers -= 1;
    });
    assert_eq!(violation, "job 1 is in the hand of a worker who cannot do it");
}

#[test]
fn wrong_counts_of_a_function_are_seen() {
    let violation = found(|engine| {
        let function = function(engine);
        engine.functions.slab[function].woken += 1;
    });
    assert!(violation.starts_with("function f counts Tally {"), "{violation}");
    assert!(violation.contains("woken: 2") && violation.contains("woken: 1"), "{violation}");
    let violation = found(|engine| {
        let function = function(engine);
        engine.functions.slab[function].unsettled = true;
    });
    assert_eq!(violation, "function f is still marked after the turn");
}

#[test]
fn a_job_that_is_not_accounted_for_is_seen() {
    let violation = found(|engine| {
        let function = function(engine);
        engine.functions.slab[function].counts.completed += 1;
    });
    assert!(violation.starts_with("function f has 4 live jobs, and counts Counts {"), "{violation}");
}

#[test]
fn a_queue_out_of_order_is_seen() {
    let violation = found(|engine| {
        let (first, second) = (job(engine, 2), job(engine, 3));
        for (key, to) in [(first, 50), (second, 40)] {
            if let JobState::Waiting { place, .. } = &mut engine.jobs.slab[key].state {
                *place = to;
            }
        }
    });
    assert_eq!(violation, "function f has job 3 out of its place");
    let violation = found(|engine| {
        let key = job(engine, 2);
        engine.jobs.slab[key].priority = Priority::Low;
        let function = function(engine);
        engine.functions.slab[function].waiting.swap(1, 2);
    });
    assert!(violation.starts_with("function f counts"), "{violation}");
}

#[test]
fn a_sleeper_who_is_needed_is_seen() {
    let violation = found(|engine| engine.config.worker_wakeup = None);
    assert_eq!(violation, "nothing", "nobody sleeps who can do it");
    let violation = found(|engine| {
        let woken = peer(engine, WOKEN);
        engine.rest(woken, Rest::Asleep);
    });
    assert_eq!(violation, "function f is still marked after the turn");
    let violation = found(|engine| {
        let (woken, function) = (peer(engine, WOKEN), function(engine));
        engine.rest(woken, Rest::Asleep);
        engine.functions.slab[function].unsettled = false;
    });
    assert_eq!(violation, "function f has 2 runnable jobs and only 0 woken workers, while 1 sleep");
}

#[test]
fn a_connection_that_left_and_stays_is_seen() {
    let presence = |number: u64, presence: Presence| {
        found(move |engine| {
            let key = peer(engine, number);
            engine.connections.slab[key].presence = presence;
        })
    };
    assert_eq!(presence(CLIENT, Presence::Closing), "job 1 has a watcher who left");
    assert_eq!(presence(WORKER, Presence::Closing), "job 1 is in the hand of nobody");
    assert_eq!(presence(SLEEPER, Presence::Leaving), "connection 3 has left and holds something");
    assert_eq!(presence(STORER, Presence::Leaving), "nothing", "it is owed an answer");
}

#[test]
fn remains_that_are_none_are_seen() {
    let remains = |number: u64, presence: Presence, times: u32| {
        found(move |engine| {
            let key = peer(engine, number);
            engine.connections.slab[key].presence = presence;
            for _ in 0..times {
                engine.connections.add_remains(key);
            }
        })
    };
    assert_eq!(remains(CLIENT, Presence::Here, 1), "somebody is taken apart who has not left");
    assert_eq!(remains(CLIENT, Presence::Closing, 2), "connection 1 is taken apart twice");
    assert_eq!(
        remains(WORKER, Presence::Closing, 1),
        "connection 2 has left and holds something",
        "it is able"
    );
    assert_eq!(remains(CLIENT, Presence::Closing, 1), "2 timers are set, 3 are wanted");
    assert_eq!(remains(CLIENT, Presence::Gone, 1), "4 connections, by name and list [5, 5, 5, 5]");
}

#[test]
fn replies_that_nobody_holds_up_are_seen() {
    let violation = found(|engine| {
        let client = peer(engine, CLIENT);
        engine.memory -= engine.connections.slab[client].memory();
        engine.connections.slab[client].outbox.hold(gearman_protocol::Response::Noop);
        engine.memory += engine.connections.slab[client].memory();
    });
    assert_eq!(violation, "connection 1 could be told what is held back");
    let violation = found(|engine| {
        let client = peer(engine, CLIENT);
        engine.connections.slab[client].outbox.await_answer();
    });
    assert_eq!(violation, "connection 1: 0 submits and 0 tables are to be answered, 1 places kept");
}

#[test]
fn deadlines_that_are_not_set_or_not_wanted_are_seen() {
    let violation = found(|engine| engine.deadlines.set(Time::from_millis(5), Timer::DrainEnd));
    assert_eq!(violation, "3 timers are set, 2 are wanted");
    let violation = found(|engine| engine.now = Time::from_millis(1000));
    assert_eq!(violation, "it is Time(1000), and a deadline at Some(Time(1000)) stays");
    let violation = found(|engine| {
        let key = job(engine, 1);
        if let JobState::Assigned { course, .. } = &mut engine.jobs.slab[key].state {
            course.get_or_insert_default().deadline = Some(Time::from_millis(1));
        }
    });
    assert_eq!(violation, "job 1 has a deadline that is not set");
    let violation = found(|engine| {
        let key = peer(engine, WOKEN);
        engine.connections.slab[key].rest = Rest::Woken { until: Time::from_millis(1) };
    });
    assert_eq!(violation, "connection 4 is woken for ever");
    let violation = found(|engine| {
        let key = peer(engine, CLIENT);
        engine.connections.slab[key].patience = Some(Time::from_millis(1));
    });
    assert_eq!(violation, "connection 1 is waited for for ever");
    let due = UnixMillis::from_seconds(9);
    let violation = found(|engine| engine.deadlines.schedule(due, JobNumber(9)));
    assert_eq!(violation, "2 jobs are in the calendar, 1 are scheduled");
}

#[test]
fn wrong_pauses_are_seen() {
    let violation = found(|engine| {
        engine.paused.insert(ConnectionId::new(77));
    });
    assert_eq!(violation, "a peer that is gone is paused or favoured");
    let violation = found(|engine| {
        engine.paused.insert(ConnectionId::new(CLIENT));
    });
    assert_eq!(violation, "every large message is paused");
    let violation = found(|engine| {
        engine.paused.insert(ConnectionId::new(CLIENT));
        engine.favoured = Some(ConnectionId::new(WORKER));
    });
    assert_eq!(violation, "messages are paused although there is memory");
}

#[test]
fn a_fill_that_is_not_counted_is_seen() {
    let violation = found(|engine| {
        let client = peer(engine, CLIENT);
        engine.connections.slab[client].fill = Buffered { inbound: 5, outward: 6, partial_since: None };
    });
    assert_eq!(violation, "jobs have 1280 bytes, connections 5131 and other tables 978, not 7378 together");
}
