//! What holds for whatever happens, in whatever order.

use bytes::Bytes;
use gearman_engine::{
    Buffered, Compat, Config, ConnectionId, Doors, Effect, Effects, Engine, Event, FUNCTION_OVERHEAD,
    RecordId, StoreError, Vitals,
};
use gearman_protocol::{
    AdminRequest, DecodeError, FunctionName, Grab, Handle, JobTimeout, Mode, Priority, QueueLimits, Reducer,
    Report, Request, Submit, Time, Unique, UnixMillis,
};
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_truths_hold_after_every_event(config in configs(), days in days()) {
        let mut engine = Engine::new(config, 1);
        for (now, event) in told(&days) {
            let text = format!("{event:?}");
            engine.handle(now, event, &mut Effects::new());
            prop_assert_eq!(engine.check(), Ok(()), "after {}", text);
        }
    }

    #[test]
    fn the_hash_seed_shows_nowhere(config in configs(), days in days(), seeds in any::<[u64; 2]>()) {
        let [one, other] = seeds.map(|seed| run(Box::new(Engine::new(config.clone(), seed)), told(&days)));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn coming_early_is_harmless(config in configs(), days in days()) {
        let mut often = Vec::new();
        for (now, event) in told(&days) {
            often.extend([(now, Event::Elapsed), (now, event), (now, Event::Elapsed)]);
        }
        prop_assert_eq!(run(Engine::new(config.clone(), 1), told(&days)), run(Engine::new(config, 1), often));
    }

    #[test]
    fn coming_at_the_deadlines_is_enough(config in configs(), days in days()) {
        let rarely = run_on_time(Engine::new(config.clone(), 1), &days, None);
        let often = run_on_time(Engine::new(config, 1), &days, Some(Duration::from_millis(97)));
        prop_assert_eq!(rarely, often);
    }

    #[test]
    fn nothing_is_left_when_everybody_has_gone(config in configs(), days in days()) {
        let mut engine = Engine::new(config, 1);
        let mut effects = Effects::new();
        for (now, event) in told(&days) {
            engine.handle(now, event, &mut effects);
        }
        let end = days.len() as u64 * 100_000;
        for event in last_day() {
            engine.handle(Time::from_millis(end), event, &mut effects);
        }
        let vitals = engine.vitals();
        let page = engine.functions(0, usize::MAX);
        let memory: usize = page.rows.iter().map(|row| FUNCTION_OVERHEAD + row.function.as_bytes().len()).sum();
        prop_assert_eq!(vitals, Vitals { functions: page.rows.len(), memory, ..Vitals::default() });
        prop_assert_eq!(engine.deadline(), None);
    }
}

const PEERS: u64 = 5;
const RECORDS: u64 = 30;
const JOBS: u64 = 60;

fn run(mut engine: impl Doors, events: Vec<(Time, Event)>) -> Vec<Effect> {
    let mut effects = Effects::new();
    for (now, event) in events {
        engine.handle(now, event, &mut effects);
    }
    effects.drain().collect()
}

/// Tells a story with a visit at every deadline on the way, and perhaps at other times; says what was done when.
fn run_on_time(mut engine: Engine, days: &[Step], every: Option<Duration>) -> Vec<(Time, Effect)> {
    let (mut effects, mut done, mut now) = (Effects::new(), Vec::new(), Time::ZERO);
    for (then, event) in told(days) {
        loop {
            let visit = every.map(|every| now + every);
            let next = engine.deadline().into_iter().chain(visit).min();
            let Some(next) = next.filter(|&next| next < then) else { break };
            now = now.max(next);
            engine.handle(now, Event::Elapsed, &mut effects);
            done.extend(effects.drain().map(|effect| (now, effect)));
        }
        now = then;
        engine.handle(now, event, &mut effects);
        done.extend(effects.drain().map(|effect| (now, effect)));
    }
    done
}

/// All peers leave, the store answers everything, jobs that are left are cancelled.
fn last_day() -> Vec<Event> {
    let connection = |number| ConnectionId::new(number);
    let record = |number| Event::Stored { record: RecordId::new(number), outcome: Ok(()) };
    let from = connection(99);
    let cancel = |number| Event::Received {
        from,
        request: Request::Admin(AdminRequest::CancelJob(Handle::new(format!("H:{number}")))),
    };
    let mut events: Vec<Event> =
        (1..=PEERS * 3).map(|number| Event::Closed { from: connection(number) }).collect();
    events.extend((1..=RECORDS + JOBS).map(record));
    events.push(Event::Opened { from, peer: String::new() });
    events.extend((1..=JOBS + RECORDS).map(cancel));
    events.push(Event::Drain);
    events.push(Event::Closed { from });
    events
}

/// One step of a random story: how much later, and what.
type Step = (u64, What);

#[derive(Clone, Debug)]
enum What {
    /// A peer, by its place, asks.
    Asks(usize, Request),
    Opens(usize),
    HalfCloses(usize),
    Closes(usize),
    TalksNonsense(usize, DecodeError),
    Buffers(usize, Buffered),
    Wall(i64),
    Stored(u64, bool),
    Drain,
}

/// The events of a story. A peer that has closed comes back under another number.
fn told(steps: &[Step]) -> Vec<(Time, Event)> {
    let mut now = Time::from_millis(0);
    let mut numbers: Vec<u64> = (1..=PEERS).collect();
    let mut events: Vec<(Time, Event)> = numbers
        .iter()
        .map(|&number| (now, Event::Opened { from: ConnectionId::new(number), peer: String::new() }))
        .collect();
    for (later, what) in steps {
        now = now + Duration::from_millis(*later);
        let from = |place: usize| ConnectionId::new(numbers[place]);
        let event = match what.clone() {
            What::Asks(place, request) => Event::Received { from: from(place), request },
            What::Opens(place) => {
                let number = &mut numbers[place];
                if *number > PEERS * 2 {
                    continue;
                }
                *number += PEERS;
                Event::Opened { from: ConnectionId::new(*number), peer: String::new() }
            }
            What::HalfCloses(place) => Event::HalfClosed { from: from(place) },
            What::Closes(place) => Event::Closed { from: from(place) },
            What::TalksNonsense(place, error) => Event::Malformed { from: from(place), error },
            What::Buffers(place, fill) => Event::Buffered { from: from(place), fill },
            What::Wall(seconds) => Event::Wall { now: UnixMillis::from_seconds(seconds) },
            What::Stored(record, kept) => Event::Stored {
                record: RecordId::new(record),
                outcome: if kept { Ok(()) } else { Err(StoreError) },
            },
            What::Drain => Event::Drain,
        };
        events.push((now, event));
    }
    events
}

fn configs() -> impl Strategy<Value = Config> {
    let compat = prop_oneof![
        3 => Just(Compat::Version2),
        1 => any::<bool>().prop_map(|round_robin| Compat::Version1_1 { round_robin }),
    ];
    let limit = prop_oneof![2 => Just(usize::MAX), 1 => 1000_usize..300_000];
    let wakeup = prop_oneof![Just(None), (1_u32..3).prop_map(Some)];
    let retries = prop_oneof![2 => Just(None), 1 => (0_u8..4).prop_map(Some)];
    let drain = prop_oneof![Just(None), (1_u64..30_000).prop_map(Some)];
    let connections = prop_oneof![3 => Just(None), 1 => (1_u32..5).prop_map(Some)];
    (compat, limit.clone(), limit, wakeup, retries, any::<bool>(), drain, connections).prop_map(
        |(compat, memory_limit, output_limit, worker_wakeup, job_retries, store, drain, connections)| {
            Config {
                compat,
                memory_limit,
                output_limit,
                worker_wakeup,
                job_retries,
                store,
                drain_timeout: drain.map(Duration::from_millis),
                handle_prefix: "H".into(),
                allow_shutdown: true,
                connections_per_address: connections,
                ..Config::default()
            }
        },
    )
}

fn days() -> impl Strategy<Value = Vec<Step>> {
    let later = prop_oneof![6 => Just(0_u64), 2 => 1_u64..500, 1 => 500_u64..5000, 1 => Just(70_000)];
    let peer = || 0..usize::try_from(PEERS).unwrap_or(0);
    let what = prop_oneof![
        40 => (peer(), request()).prop_map(|(peer, request)| What::Asks(peer, request)),
        2 => peer().prop_map(What::Opens),
        1 => peer().prop_map(What::HalfCloses),
        2 => peer().prop_map(What::Closes),
        1 => (peer(), nonsense()).prop_map(|(peer, error)| What::TalksNonsense(peer, error)),
        2 => (peer(), fill()).prop_map(|(peer, fill)| What::Buffers(peer, fill)),
        1 => (0_i64..100).prop_map(What::Wall),
        6 => (1..RECORDS, any::<bool>()).prop_map(|(record, kept)| What::Stored(record, kept)),
        1 => Just(What::Drain),
    ];
    proptest::collection::vec((later, what), 1..120)
}

fn fill() -> impl Strategy<Value = Buffered> {
    let bytes = || prop_oneof![Just(0_usize), 0_usize..200_000];
    (bytes(), bytes(), proptest::option::of(0_u64..1000)).prop_map(|(inbound, outward, since)| Buffered {
        inbound,
        outward,
        partial_since: since.map(Time::from_millis),
    })
}

fn nonsense() -> impl Strategy<Value = DecodeError> {
    prop_oneof![Just(DecodeError::UnexpectedType(99)), Just(DecodeError::BadMagic(*b"\0FOO"))]
}

fn request() -> impl Strategy<Value = Request> {
    let timeout = proptest::option::of(prop_oneof![Just("0"), Just("700"), Just("2000"), Just("x")]);
    let timeout = timeout.prop_map(|text| text.map(|text| JobTimeout(Bytes::from_static(text.as_bytes()))));
    prop_oneof![
        6 => (function(), timeout).prop_map(|(function, timeout)| Request::CanDo { function, timeout }),
        1 => function().prop_map(|function| Request::CantDo { function }),
        1 => Just(Request::ResetAbilities),
        6 => Just(Request::PreSleep),
        1 => Just(Request::AllYours),
        14 => submit().prop_map(Request::Submit),
        10 => prop_oneof![Just(Grab::Plain), Just(Grab::Uniq), Just(Grab::All)].prop_map(Request::Grab),
        10 => (handle(), report()).prop_map(|(handle, report)| Request::Work { handle, report }),
        1 => handle().prop_map(|handle| Request::GetStatus { handle }),
        1 => text(&["u", "v", "-", ""]).prop_map(|unique| Request::GetStatusUnique { unique }),
        1 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(|data| Request::Echo { data: data.into() }),
        1 => text(&["exceptions", "other"]).prop_map(|name| Request::Option { name }),
        1 => text(&["fred", ""]).prop_map(|id| Request::SetClientId { id }),
        3 => admin().prop_map(Request::Admin),
    ]
}

fn text(choices: &'static [&'static str]) -> impl Strategy<Value = Bytes> {
    (0..choices.len()).prop_map(|index| Bytes::from_static(choices[index].as_bytes()))
}

fn function() -> impl Strategy<Value = FunctionName> {
    text(&["a", "b", "c"]).prop_map(|name| FunctionName::new(name).expect("these are names"))
}

fn handle() -> impl Strategy<Value = Handle> {
    (1..12_u64).prop_map(|number| Handle::new(format!("H:{number}")))
}

fn report() -> impl Strategy<Value = Report> {
    let data = || text(&["", "x"]);
    prop_oneof![
        1 => data().prop_map(Report::Data),
        1 => data().prop_map(Report::Warning),
        1 => (text(&["1", "-1", "x"]), text(&["2", "99999999999"]))
            .prop_map(|(numerator, denominator)| Report::Status { numerator, denominator }),
        3 => data().prop_map(Report::Complete),
        2 => Just(Report::Fail),
        2 => data().prop_map(Report::Exception),
    ]
}

fn submit() -> impl Strategy<Value = Submit> {
    let mode = prop_oneof![
        4 => Just(Mode::Foreground),
        3 => Just(Mode::Background),
        1 => text(&["0", "20", "60", "99999", "x"]).prop_map(Mode::Epoch),
    ];
    let unique = text(&["", "-", "u", "v"]).prop_map(|unique| Unique::new(unique).expect("these are short"));
    let reducer = proptest::option::of(text(&["", "r"]));
    let reducer = reducer.prop_map(|name| name.map(|name| Reducer::new(name).expect("these are short")));
    let priority = prop_oneof![Just(Priority::High), Just(Priority::Normal), Just(Priority::Low)];
    (function(), unique, priority, mode, reducer, text(&["", "x", "a longer workload"])).prop_map(
        |(function, unique, priority, mode, reducer, workload)| Submit {
            function,
            unique,
            priority,
            mode,
            reducer,
            workload,
        },
    )
}

fn admin() -> impl Strategy<Value = AdminRequest> {
    let limit = || proptest::option::of(1_u32..4);
    prop_oneof![
        Just(AdminRequest::Status),
        Just(AdminRequest::PriorityStatus),
        Just(AdminRequest::Workers),
        Just(AdminRequest::ShowJobs),
        Just(AdminRequest::ShowUniqueJobs),
        handle().prop_map(AdminRequest::CancelJob),
        text(&["a", "d", "\n"]).prop_map(AdminRequest::CreateFunction),
        text(&["a", "b", "d"]).prop_map(AdminRequest::DropFunction),
        (text(&["a", "d"]), limit(), limit()).prop_map(|(function, high, normal)| AdminRequest::MaxQueue {
            function,
            limits: QueueLimits { high, normal, low: None },
        }),
        Just(AdminRequest::Shutdown { graceful: true }),
    ]
}
