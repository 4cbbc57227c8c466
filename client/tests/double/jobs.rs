//! A worker's jobs.

use crate::server::{HERE, Place, Server, error, handle};
use bytes::Bytes;
use gearman_client::{Backoff, Disconnected, Error, Failure, Grab, Job, Loss, Stop, Worker, WorkerConfig};
use gearman_net::Memory;
use gearman_protocol::{Assignment, FunctionName, JobTimeout, Reducer, Report, Request, Response, Unique};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const GRAB: Request = Request::Grab(Grab::Uniq);

fn name(function: &'static str) -> FunctionName {
    FunctionName::new(function).unwrap()
}

fn can_do(function: &'static str) -> Request {
    Request::CanDo { function: name(function), timeout: None }
}

pub(crate) fn assign(job: &'static str, function: &'static str) -> Response {
    Response::JobAssign(Assignment {
        handle: handle(job),
        function: name(function),
        unique: Unique::new("key").unwrap(),
        reducer: Reducer::default(),
        workload: "work".into(),
        form: Grab::Uniq,
    })
}

pub(crate) fn work(job: &'static str, report: Report) -> Request {
    Request::Work { handle: handle(job), report }
}

/// A worker that does `shout`.
fn shouter(place: &Place, config: WorkerConfig) -> Worker<Memory> {
    let mut worker = Worker::with_config(place.network.clone(), HERE, config);
    worker.register("shout", |job: Job| async move { Ok(job.workload().to_ascii_uppercase()) }).unwrap();
    worker
}

/// A worker that does `shout`, and goes on until it is stopped.
fn start(place: &Place, config: WorkerConfig) -> (Stop, JoinHandle<()>) {
    let worker = shouter(place, config);
    let stop = worker.stopper();
    (stop, tokio::spawn(async move { worker.run().await }))
}

/// Waits for the worker to be asleep.
async fn put_to_sleep(server: &mut Server) {
    assert_eq!(server.hear().await, GRAB);
    server.say(&[Response::NoJob]).await;
    assert_eq!(server.hear().await, Request::PreSleep);
}

#[tokio::test(start_paused = true)]
async fn a_worker_grabs_sleeps_wakes_and_works() {
    let mut place = Place::new().await;
    let (stop, running) = start(&place, WorkerConfig::default());
    let mut server = place.accept().await;
    assert_eq!(server.hear().await, can_do("shout"));
    put_to_sleep(&mut server).await;
    assert!(server.hears_nothing().await);
    server.say(&[Response::Noop]).await;
    assert_eq!(server.hear().await, GRAB);
    server.say(&[assign("H:1", "shout")]).await;
    // The result and the next grab come in one write.
    assert_eq!(server.hear_at_once().await, [work("H:1", Report::Complete("WORK".into())), GRAB]);
    server.say(&[Response::NoJob]).await;
    assert_eq!(server.hear().await, Request::PreSleep);
    stop.stop();
    assert_eq!(server.hear_or_end().await, None);
    drop(server);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stopped_in_a_job_tells_its_result_and_leaves() {
    let mut place = Place::new().await;
    let mut worker = Worker::new(place.network.clone(), HERE);
    let stop = worker.stopper();
    let handler = move |job: Job| {
        stop.stop();
        async move { Ok(job.to_string()) }
    };
    worker.register("last", handler).unwrap();
    let running = tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    assert_eq!([server.hear().await, server.hear().await], [can_do("last"), GRAB]);
    server.say(&[assign("H:1", "last")]).await;
    assert_eq!(server.hear().await, work("H:1", Report::Complete("H:1 (last)".into())));
    assert_eq!(server.hear_or_end().await, None);
    drop(server);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_runs_once_ends_with_its_connection() {
    let mut place = Place::new().await;
    let worker = shouter(&place, WorkerConfig::default());
    let running = tokio::spawn(async move { worker.run_once().await });
    let mut server = place.accept().await;
    assert_eq!([server.hear().await, server.hear().await], [can_do("shout"), GRAB]);
    drop(server);
    let ended = running.await.unwrap();
    assert!(matches!(ended, Err(Error::Lost(Loss::Closed))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn wake_ups_that_wake_nobody_cause_nothing() {
    let mut place = Place::new().await;
    let (_stop, _running) = start(&place, WorkerConfig::default());
    let mut server = place.accept().await;
    assert_eq!(server.hear().await, can_do("shout"));
    assert_eq!(server.hear().await, GRAB);
    // Many while it waits for an answer, and two for one sleep.
    server.say(&[Response::Noop, Response::Noop, Response::Noop, Response::NoJob]).await;
    assert_eq!(server.hear().await, Request::PreSleep);
    server.say(&[Response::Noop, Response::Noop]).await;
    assert_eq!(server.hear().await, GRAB);
    server.say(&[assign("H:1", "shout")]).await;
    assert_eq!(server.hear().await, work("H:1", Report::Complete("WORK".into())));
    put_to_sleep(&mut server).await;
    assert!(server.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn an_error_about_a_late_result_is_not_the_answer_to_a_grab() {
    let mut place = Place::new().await;
    let (_stop, _running) = start(&place, WorkerConfig::default());
    let mut server = place.accept().await;
    server.hear().await;
    for code in ["JOB_NOT_FOUND", "not_worker"] {
        assert_eq!(server.hear().await, GRAB);
        server.say(&[error(code), assign("H:1", "shout")]).await;
        assert_eq!(server.hear().await, work("H:1", Report::Complete("WORK".into())));
    }
    // One that says that it cannot be grabbed from leaves nothing to wait for.
    assert_eq!(server.hear().await, GRAB);
    server.say(&[error("server_error")]).await;
    assert_eq!(server.hear_or_end().await, None);
    assert_eq!(place.accept().await.hear().await, can_do("shout"));
}

#[tokio::test(start_paused = true)]
async fn what_a_worker_is_and_can_do_is_said_first() {
    let mut place = Place::new().await;
    let config = WorkerConfig { id: "lathe".into(), grab: Grab::All, ..WorkerConfig::default() };
    let mut worker = Worker::with_config(place.network.clone(), HERE, config);
    async fn nothing(_job: Job) -> Result<Bytes, Failure> {
        Ok(Bytes::new())
    }
    worker.register("a", nothing).unwrap();
    worker.register_within("b", Duration::from_millis(1500), nothing).unwrap();
    // The last word about a function counts.
    worker.register("a", nothing).unwrap();
    assert!(worker.register("", nothing).is_err());
    tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    let timeout = Some(JobTimeout("1500".into()));
    let expected = [
        Request::SetClientId { id: "lathe".into() },
        Request::CanDo { function: name("b"), timeout },
        can_do("a"),
        Request::Grab(Grab::All),
    ];
    assert_eq!(server.hear_at_once().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_registered_for_fails() {
    let mut place = Place::new().await;
    let (_stop, _running) = start(&place, WorkerConfig::default());
    let mut server = place.accept().await;
    server.hear().await;
    assert_eq!(server.hear().await, GRAB);
    server.say(&[assign("H:1", "whisper")]).await;
    assert_eq!(server.hear().await, work("H:1", Report::Fail));
    assert_eq!(server.hear().await, GRAB);
}

#[tokio::test(start_paused = true)]
async fn reports_go_out_while_the_job_is_done() {
    let mut place = Place::new().await;
    let go_on = Arc::new(Notify::new());
    let mut worker = Worker::new(place.network.clone(), HERE);
    let gate = Arc::clone(&go_on);
    let handler = move |job: Job| {
        let gate = Arc::clone(&gate);
        async move {
            job.status(1, 2).await?;
            gate.notified().await;
            job.data("half").await?;
            job.warning("hm").await?;
            Err::<Bytes, _>(Failure::Exception("oh".into()))
        }
    };
    worker.register("slow", handler).unwrap();
    tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    server.hear().await;
    server.hear().await;
    server.say(&[assign("H:1", "slow")]).await;
    let status = Report::Status { numerator: "1".into(), denominator: "2".into() };
    assert_eq!(server.hear().await, work("H:1", status));
    assert!(server.hears_nothing().await);
    // What a server says meanwhile is read, so that it can go on.
    server.say(&vec![Response::Noop; 100_000]).await;
    go_on.notify_one();
    for report in [Report::Data("half".into()), Report::Warning("hm".into()), Report::Exception("oh".into())]
    {
        assert_eq!(server.hear().await, work("H:1", report));
    }
    assert_eq!(server.hear().await, GRAB);
}

#[tokio::test(start_paused = true)]
async fn more_data_than_fits_the_buffers_waits_until_it_is_taken() {
    let mut place = Place::new().await;
    let mut worker = Worker::new(place.network.clone(), HERE);
    let all_given = Arc::new(Notify::new());
    let tell = Arc::clone(&all_given);
    let handler = move |job: Job| {
        let tell = Arc::clone(&tell);
        async move {
            for part in 0..100_u8 {
                job.data(vec![part; 100_000]).await?;
            }
            tell.notify_one();
            Ok(Bytes::new())
        }
    };
    worker.register("much", handler).unwrap();
    tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    server.hear().await;
    server.hear().await;
    server.say(&[assign("H:1", "much")]).await;
    assert!(timeout(Duration::from_secs(1), all_given.notified()).await.is_err(), "it does not wait");
    for part in 0..100_u8 {
        assert!(server.hear().await == work("H:1", Report::Data(vec![part; 100_000].into())));
    }
    assert_eq!(server.hear().await, work("H:1", Report::Complete(Bytes::new())));
}

#[tokio::test(start_paused = true)]
async fn a_handler_runs_to_its_end_when_the_connection_does_not() {
    let mut place = Place::new().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut worker = Worker::new(place.network.clone(), HERE);
    let hears = Arc::clone(&heard);
    let handler = move |job: Job| {
        let hears = Arc::clone(&hears);
        async move {
            sleep(Duration::from_secs(60)).await;
            let told = job.status(1, 2).await;
            hears.lock().unwrap().push(told);
            Ok(Bytes::new())
        }
    };
    worker.register("slow", handler).unwrap();
    tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    server.hear().await;
    server.hear().await;
    server.say(&[assign("H:1", "slow")]).await;
    sleep(Duration::from_secs(1)).await;
    drop(server);
    let mut again = place.accept().await;
    assert_eq!(*heard.lock().unwrap(), [Err(Disconnected)]);
    // The job is not spoken of on a connection to which it was not assigned.
    assert_eq!(again.hear().await, can_do("slow"));
    assert_eq!(again.hear().await, GRAB);
}

/// When a worker whose connections all end at once has connected, in milliseconds.
async fn connections(backoff: Backoff, count: usize) -> Vec<u128> {
    let mut place = Place::new().await;
    let begin = Instant::now();
    let (stop, running) = start(&place, WorkerConfig { backoff, ..WorkerConfig::default() });
    let mut times = Vec::new();
    for _ in 0..count {
        drop(place.accept().await);
        times.push(begin.elapsed().as_millis());
    }
    // It also stops while it waits.
    stop.stop();
    running.await.unwrap();
    times
}

#[tokio::test(start_paused = true)]
async fn waits_double_and_are_drawn_from_the_seed_alone() {
    let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2), seed: 7 };
    let times = connections(backoff, 9).await;
    let waits: Vec<u128> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, whole) in waits.iter().zip([100, 200, 400, 800, 1600, 2000, 2000, 2000]) {
        // tokio's timers are late by up to a millisecond.
        assert!((whole / 2..=whole + 1).contains(wait), "{waits:?}");
    }
    assert_eq!(times, connections(backoff, 9).await);
    assert_ne!(times, connections(Backoff { seed: 8, ..backoff }, 9).await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_of_use_starts_the_waits_anew() {
    let mut place = Place::new().await;
    let (_stop, _running) = start(&place, WorkerConfig::default());
    for _ in 0..10 {
        drop(place.accept().await);
    }
    let mut server = place.accept().await;
    server.hear().await;
    put_to_sleep(&mut server).await;
    let lost = Instant::now();
    drop(server);
    place.accept().await;
    assert!(lost.elapsed() <= Duration::from_millis(101), "{:?}", lost.elapsed());
}
