//! What comes from elsewhere than from peers: time, the store, a system that has no descriptors left.

use crate::booth::{Booth, HERE, a_while, echo, echoing, encoded, says};
use crate::prepared::Prepared;
use gearman_engine::{ConnectionId, Effect, Effects, Event, RecordId, StoreError, StoredJob};
use gearman_net::{Listener, Liveness, Memory, MemoryDoor, MemoryStream, Network};
use gearman_protocol::{FunctionName, Priority, Reducer, Response, Time, Unique, UnixMillis};
use gearman_server::{Config, Outcome, Store, serve, serve_with_store};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;
use tracing::subscriber::DefaultGuard;

/// When Elapsed was told.
fn elapsed(booth: &Booth) -> Vec<u64> {
    let log = booth.log();
    let elapsed = log.iter().filter(|(_, event)| *event == Event::Elapsed);
    elapsed.map(|(now, _)| now.as_millis()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_engine_is_woken_at_its_deadline() {
    let booth = Booth::new();
    booth.set_deadline(Some(Time::from_millis(500)));
    let other = booth.clone();
    booth
        .serve(move |event, _: &mut Effects| {
            if *event == Event::Elapsed {
                other.set_deadline(None);
            } else if says(event, "hurry").is_some() {
                // An earlier deadline counts from the moment it is set.
                other.set_deadline(Some(Time::from_millis(730)));
            }
        })
        .await;
    sleep(Duration::from_millis(700)).await;
    assert_eq!(elapsed(&booth), [500]);
    booth.peer().await.echo("hurry").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(elapsed(&booth), [500, 730]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_comes_nearer_is_kept() {
    let booth = Booth::new();
    booth.set_deadline(Some(Time::from_millis(60_000)));
    let other = booth.clone();
    booth
        .serve(move |event, _: &mut Effects| {
            if *event == Event::Elapsed {
                other.set_deadline(None);
            } else if says(event, "hurry").is_some() {
                other.set_deadline(Some(Time::from_millis(300)));
            }
        })
        .await;
    sleep(Duration::from_millis(100)).await;
    booth.peer().await.echo("hurry").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(elapsed(&booth), [300]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_has_more_to_do_is_called_in_each_millisecond() {
    let booth = Booth::new();
    booth.set_deadline(Some(Time::from_millis(50)));
    let other = booth.clone();
    let mut next = 51..54;
    booth
        .serve(move |event, _: &mut Effects| {
            if *event == Event::Elapsed {
                other.set_deadline(next.next().map(Time::from_millis));
            }
        })
        .await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(elapsed(&booth), [50, 51, 52, 53]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_never_moves_does_not_stop_time() {
    let booth = Booth::new();
    booth.set_deadline(Some(Time::from_millis(50)));
    booth.serve(echoing).await;
    sleep(Duration::from_millis(150)).await;
    let told = elapsed(&booth);
    assert!((50..=101).contains(&told.len()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_is_told_at_the_start_and_when_it_is_set() {
    let booth = Booth::new();
    booth.clock.wall_lead.store(1_000_000, Ordering::Relaxed);
    booth.serve(echoing).await;
    let walls = || -> Vec<i64> {
        let wall = |(_, event)| if let Event::Wall { now } = event { Some(now.get()) } else { None };
        booth.log().into_iter().filter_map(wall).collect()
    };
    sleep(Duration::from_secs(10)).await;
    assert_eq!(walls(), [1_000_000]);
    // Nobody sets a clock by so little: it is the two that run apart.
    booth.clock.wall_lead.store(1_000_020, Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
    booth.clock.wall_lead.store(999_980, Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(walls(), [1_000_000]);
    booth.clock.wall_lead.store(999_979, Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(walls().len(), 2);
    assert!((1_029_979..=1_030_979).contains(&walls()[1]), "{:?}", walls());
}

/// A store that does nothing until a test says what became of each record.
#[derive(Clone, Default)]
struct Shelf {
    kept: Arc<Mutex<Vec<(RecordId, Outcome)>>>,
    forgotten: Arc<Mutex<Vec<RecordId>>>,
}

impl Store for Shelf {
    fn keep(&mut self, job: StoredJob, outcome: Outcome) {
        self.kept.lock().expect("no panic").push((job.record, outcome));
    }

    fn forget(&mut self, record: RecordId) {
        self.forgotten.lock().expect("no panic").push(record);
    }
}

fn stored_job(number: u64) -> StoredJob {
    StoredJob {
        record: RecordId::new(number),
        function: FunctionName::new("f").unwrap(),
        unique: Unique::default(),
        priority: Priority::Normal,
        reducer: Reducer::default(),
        not_before: None,
        workload: "x".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_is_asked_and_its_answers_are_told() {
    let (booth, shelf) = (Booth::new(), Shelf::default());
    let mut next = 1;
    let doors = booth.doors(move |event, effects: &mut Effects| {
        if says(event, "store").is_some() {
            next += 1;
            effects.push(Effect::Store { job: stored_job(next) });
        } else if let Event::Stored { record, outcome: Ok(()) } = event {
            effects.push(Effect::Forget { record: *record });
        } else if let Event::Stored { record, outcome: Err(StoreError) } = event {
            let data = format!("{} failed", record.get()).into();
            effects.send(ConnectionId::new(1), Response::Echo { data });
        }
    });
    let (network, clock) = (booth.network.clone(), booth.clock.clone());
    let kept = [stored_job(1)];
    serve_with_store(&network, clock, doors, Config::at(HERE), shelf.clone(), kept).await.unwrap();

    let mut peer = booth.peer().await;
    peer.write(&encoded(&echo("store")).repeat(3)).await;
    a_while().await;
    let first = booth.log()[..3].iter().map(|(_, event)| event.clone()).collect::<Vec<_>>();
    let opened = Event::Opened { from: ConnectionId::new(1), peer: "memory".to_owned() };
    let wall = Event::Wall { now: UnixMillis::new(0) };
    assert_eq!(first, [wall, Event::Replayed { job: stored_job(1) }, opened]);
    assert_eq!(booth.count(|event| matches!(event, Event::Stored { .. })), 0);

    // Told in whatever order the store likes; one is dropped untold, which is a failure.
    let mut outcomes = std::mem::take(&mut *shelf.kept.lock().unwrap());
    assert_eq!(outcomes.iter().map(|(record, _)| record.get()).collect::<Vec<_>>(), [2, 3, 4]);
    outcomes.pop().unwrap().1.tell(Ok(()));
    outcomes.remove(0).1.tell(Err(StoreError));
    drop(outcomes);
    a_while().await;
    assert_eq!(*shelf.forgotten.lock().unwrap(), [RecordId::new(4)]);
    let told = peer.read(2 * (12 + 8)).await;
    assert!(told[12..].starts_with(b"2 failed") && told.ends_with(b"3 failed"));
}

/// What is logged on this test's thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A network whose listener fails a few times with an error of the system.
#[derive(Clone)]
struct Exhausted {
    memory: Memory,
    asked: Arc<AtomicUsize>,
    failures: usize,
    error: i32,
}

impl Exhausted {
    fn new(booth: &Booth, failures: usize, error: i32) -> Self {
        Self { memory: booth.network.clone(), asked: Arc::default(), failures, error }
    }
}

struct ExhaustedDoor {
    door: MemoryDoor,
    network: Exhausted,
}

impl Network for Exhausted {
    type Stream = MemoryStream;
    type Listener = ExhaustedDoor;

    async fn bind(&self, address: &str) -> io::Result<ExhaustedDoor> {
        Ok(ExhaustedDoor { door: self.memory.bind(address).await?, network: self.clone() })
    }

    async fn connect(&self, address: &str) -> io::Result<MemoryStream> {
        self.memory.connect(address).await
    }
}

impl Listener for ExhaustedDoor {
    type Stream = MemoryStream;

    async fn accept(&mut self) -> io::Result<(MemoryStream, String)> {
        if self.network.asked.fetch_add(1, Ordering::Relaxed) < self.network.failures {
            Err(io::Error::from_raw_os_error(self.network.error))
        } else {
            self.door.accept().await
        }
    }

    fn address(&self) -> io::Result<String> {
        self.door.address()
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_without_descriptors_is_asked_again_after_a_pause() {
    // No memory, no descriptors in the system or in the process, no buffers.
    for error in [12, 23, 24, 105] {
        let booth = Booth::new();
        let network = Exhausted::new(&booth, 5, error);
        let doors = booth.doors(echoing);
        let control = serve(&network, booth.clock.clone(), doors, Config::at(HERE)).await.unwrap();
        let mut peer = booth.peer().await;
        sleep(Duration::from_millis(250)).await;
        // It is not asked in a tight loop, and it does not give up either.
        assert_eq!(network.asked.load(Ordering::Relaxed), 3);
        assert_eq!(control.traffic().accept_failures, 3);
        peer.echo("here at last").await;
        assert!(peer.read(12 + 12).await.ends_with(b"here at last"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_system_without_descriptors_is_complained_of_once_a_second() {
    const NO_DESCRIPTORS: i32 = 24;
    let (log, booth) = (Log::default(), Booth::new());
    let _logging = log.listen();
    // Asked ten times a second, from the start on.
    let network = Exhausted::new(&booth, 25, NO_DESCRIPTORS);
    serve(&network, booth.clock.clone(), booth.doors(echoing), Config::at(HERE)).await.unwrap();
    for complaints in [1, 2, 3, 3] {
        sleep(Duration::from_millis(950)).await;
        let text = log.text();
        let lines =
            text.lines().filter(|line| line.contains("no new connections for now: Too many open files"));
        assert_eq!(lines.count(), complaints, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_left_before_its_turn_costs_the_next_no_time() {
    const ABORTED: i32 = 103;
    let booth = Booth::new();
    let network = Exhausted::new(&booth, 5, ABORTED);
    serve(&network, booth.clock.clone(), booth.doors(echoing), Config::at(HERE)).await.unwrap();
    let mut peer = booth.peer().await;
    peer.echo("here").await;
    assert!(peer.read(12 + 4).await.ends_with(b"here"));
    let opened = booth.log().into_iter().find(|(_, event)| matches!(event, Event::Opened { .. }));
    assert_eq!(opened.unwrap().0, Time::ZERO);
}

#[tokio::test(start_paused = true)]
async fn every_peer_is_watched_as_configured() {
    let liveness = Liveness { idle: Duration::from_secs(7), ..Liveness::default() };
    for (asked, watched) in [(Some(liveness), vec![liveness; 3]), (None, vec![])] {
        let booth = Booth::new();
        let network = Prepared::new([vec![], vec![], vec![]]);
        let config = Config { liveness: asked, ..Config::at(HERE) };
        serve(&network, booth.clock.clone(), booth.doors(echoing), config).await.unwrap();
        a_while().await;
        assert_eq!(booth.count(|event| matches!(event, Event::Opened { .. })), 3);
        assert_eq!(*network.watched.lock().unwrap(), watched);
    }
}
