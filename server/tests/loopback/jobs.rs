//! Clients and workers of this house, through the server.

use crate::stage::{Peer, Stage, complete, noise, reverse, soon};
use bytes::Bytes;
use gearman_client::{Error, Failure, Grab, Job, Loss, Priority, Report, Worker, WorkerConfig};
use gearman_net::Tcp;
use gearman_protocol::{Mode, Request, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn a_foreground_job_comes_back_with_its_result() {
    let stage = Stage::new().await;
    let _worker = stage.worker("reverse", reverse);
    let client = stage.client().await;
    assert_eq!(soon(client.job("reverse", "hello").run()).await.unwrap(), "olleh");
    stage.settled("reverse", [0, 0, 1]).await;
}

#[tokio::test]
async fn a_watcher_hears_every_report_in_order() {
    let stage = Stage::new().await;
    let _worker = stage.worker("talk", |job: Job| async move {
        job.status(1, 3).await?;
        job.data("half").await?;
        job.warning("careful").await?;
        Ok(Bytes::from("done"))
    });
    let client = stage.client().await;
    let mut watcher = soon(client.job("talk", "").submit()).await.unwrap();
    let mut reports = Vec::new();
    while let Some(report) = soon(watcher.next()).await.unwrap() {
        reports.push(report);
    }
    let expected = [
        Report::Status { numerator: "1".into(), denominator: "3".into() },
        Report::Data("half".into()),
        Report::Warning("careful".into()),
        Report::Complete("done".into()),
    ];
    assert_eq!(reports, expected);
}

#[tokio::test]
async fn a_job_that_fails_says_how() {
    let stage = Stage::new().await;
    let _worker = stage.worker("fail", |job: Job| async move {
        let text = std::str::from_utf8(job.workload())?;
        if text.is_empty() { Err(Failure::Fail) } else { Err(Failure::Exception(job.workload().clone())) }
    });
    let client = stage.client().await;
    assert!(matches!(soon(client.job("fail", "").run()).await, Err(Error::Failed)));
    // Without the option, an exception is a failure like any other.
    assert!(matches!(soon(client.job("fail", "why").run()).await, Err(Error::Failed)));
    soon(client.option("exceptions")).await.unwrap();
    let why = soon(client.job("fail", "why").run()).await;
    assert!(matches!(&why, Err(Error::Exception(text)) if text == "why"), "{why:?}");
    let no_text = soon(client.job("fail", &b"\xff"[..]).run()).await;
    assert!(
        matches!(&no_text, Err(Error::Exception(text)) if text.starts_with(b"invalid utf-8")),
        "{no_text:?}"
    );
}

#[tokio::test]
async fn a_background_job_runs_when_its_client_has_left() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    let handle = soon(client.job("note", "remember").background()).await.unwrap();
    let status = soon(client.status(&handle)).await.unwrap();
    assert!(status.known && !status.running);
    drop(client);

    let (done, mut noted) = mpsc::unbounded_channel();
    let _worker = stage.worker("note", move |job: Job| {
        let done = done.clone();
        async move {
            done.send((job.handle().clone(), job.workload().clone()))?;
            Ok(Bytes::new())
        }
    });
    assert_eq!(soon(noted.recv()).await, Some((handle, "remember".into())));
    stage.settled("note", [0, 0, 1]).await;
}

#[tokio::test]
async fn jobs_are_done_by_priority() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    for (workload, priority) in
        [("last", Priority::Low), ("middle", Priority::Normal), ("first", Priority::High)]
    {
        soon(client.job("order", workload).priority(priority).background()).await.unwrap();
    }
    let mut worker = stage.peer().await;
    for workload in ["first", "middle", "last"] {
        assert_eq!(worker.grab("order").await.workload, workload);
    }
}

#[tokio::test]
async fn submits_with_one_unique_are_one_job() {
    let stage = Stage::new().await;
    let (one, other) = (stage.client().await, stage.client().await);
    let mut watchers = Vec::new();
    // Twice on one connection: its two watchers hear everything once each.
    for client in [&one, &one, &other] {
        watchers.push(soon(client.job("once", "x").unique("key").submit()).await.unwrap());
    }
    let handle = watchers[0].handle().clone();
    assert!(watchers.iter().all(|watcher| *watcher.handle() == handle));
    assert_eq!(soon(one.status_by_unique("key")).await.unwrap().watchers, 3);

    let mut worker = stage.peer().await;
    let job = worker.grab("once").await;
    let data = Request::Work { handle: handle.clone(), report: Report::Data("a".into()) };
    worker.send(&[data, complete(&job.handle, "b"), Request::Grab(Grab::Plain)]).await;
    assert_eq!(worker.next().await, Response::NoJob);
    for watcher in watchers {
        assert_eq!(soon(watcher.result()).await.unwrap(), "ab");
    }
}

#[tokio::test]
async fn a_job_whose_worker_is_lost_goes_to_the_next() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    let watcher = soon(client.job("reverse", "hello").submit()).await.unwrap();
    let mut doomed = stage.peer().await;
    assert_eq!(doomed.grab("reverse").await.handle, *watcher.handle());
    stage.settled("reverse", [1, 1, 1]).await;
    drop(doomed);

    let _worker = stage.worker("reverse", reverse);
    assert_eq!(soon(watcher.result()).await.unwrap(), "olleh");
    stage.settled("reverse", [0, 0, 1]).await;
}

#[tokio::test]
async fn workloads_and_results_of_5_mb_arrive_byte_for_byte() {
    let stage = Stage::new().await;
    let _worker = stage.worker("reverse", reverse);
    let client = stage.client().await;
    let workload = noise(5_000_000);
    let there_and_back = soon(client.job("reverse", workload.clone()).run()).await.unwrap();
    assert!(there_and_back.iter().rev().eq(workload.iter()));
    assert!(soon(client.echo(workload.clone())).await.unwrap() == workload);
}

#[tokio::test]
async fn many_calls_are_under_way_on_one_connection() {
    let stage = Stage::new().await;
    let _workers: Vec<_> = (0..3).map(|_| stage.worker("reverse", reverse)).collect();
    let client = stage.client().await;
    let calls = (0..500).map(|number| {
        let client = client.clone();
        let text = format!("{number:05}");
        tokio::spawn(async move { (client.job("reverse", text.clone()).run().await, text) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (result, text) = soon(call).await.unwrap();
        assert_eq!(result.unwrap(), text.chars().rev().collect::<String>());
    }
}

#[tokio::test]
async fn a_call_that_waits_too_long_says_so_and_spoils_nothing() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    let hasty = client.with_deadline(Duration::from_millis(20));
    let nobody_does_it = soon(hasty.job("reverse", "hello").run()).await;
    assert!(matches!(nobody_does_it, Err(Error::Deadline)), "{nobody_does_it:?}");
    // The job that was given up is still watched by this connection, and its result is for nobody.
    let _worker = stage.worker("reverse", reverse);
    assert_eq!(soon(client.job("reverse", "again").run()).await.unwrap(), "niaga");
    assert_eq!(soon(client.echo("still there")).await.unwrap(), "still there");
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_sent() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    let long = vec![b'u'; 65];
    for refused in [client.job("", "x"), client.job("tab\there", "x"), client.job("f", "x").unique(long)] {
        assert!(matches!(soon(refused.background()).await, Err(Error::Argument(_))));
    }
    let unknown = soon(client.option("telepathy")).await;
    assert!(matches!(&unknown, Err(Error::Refused { code, .. }) if code == "UNKNOWN_OPTION"), "{unknown:?}");
}

#[tokio::test]
async fn a_stopped_worker_finishes_its_job_first() {
    let stage = Stage::new().await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&begun), Arc::clone(&go_on));
    let (stop, running) = stage.worker("slow", move |_job| {
        let (begun, go_on) = signals.clone();
        async move {
            begun.notify_one();
            go_on.notified().await;
            Ok(Bytes::from("finished"))
        }
    });
    let client = stage.client().await;
    let watcher = soon(client.job("slow", "").submit()).await.unwrap();
    soon(begun.notified()).await;
    stop.stop();
    go_on.notify_one();
    assert_eq!(soon(watcher.result()).await.unwrap(), "finished");
    soon(running).await.unwrap();
    stage.settled("slow", [0, 0, 0]).await;

    let (stop, asleep) = stage.worker("slow", reverse);
    stage.settled("slow", [0, 0, 1]).await;
    stop.stop();
    soon(asleep).await.unwrap();
}

#[tokio::test]
async fn a_worker_comes_back_when_its_server_does() {
    let stage = Stage::new().await;
    let (_stop, _running) = stage.worker("reverse", reverse);
    let client = stage.client().await;
    soon(client.job("reverse", "hello").run()).await.unwrap();
    let watcher = soon(client.job("nobody", "").submit()).await.unwrap();
    stage.control.stop();
    soon(stage.control.finished()).await;
    let lost = soon(watcher.result()).await;
    assert!(matches!(lost, Err(Error::Lost(Loss::Closed))), "{lost:?}");
    assert!(matches!(soon(client.echo("x")).await, Err(Error::Lost(Loss::Closed))));

    let again = Stage::at(&stage.address, gearman_engine::Config::default()).await;
    let client = again.client().await;
    assert_eq!(soon(client.job("reverse", "hello").run()).await.unwrap(), "olleh");
}

#[tokio::test]
async fn a_worker_says_what_it_is_called_and_how_long_a_job_may_take() {
    let stage = Stage::new().await;
    let config = WorkerConfig { id: "lathe".into(), grab: Grab::All, ..WorkerConfig::default() };
    let mut worker = Worker::with_config(Tcp, stage.address.clone(), config);
    worker.register_within("turn", Duration::from_secs(30), reverse).unwrap();
    let stop = worker.stopper();
    let running = tokio::spawn(async move { worker.run().await });
    stage.settled("turn", [0, 0, 1]).await;
    let mut peer: Peer = stage.peer().await;
    let table = peer.table("workers").await;
    assert!(table.iter().any(|line| line.ends_with(" lathe : turn")), "{table:?}");
    stop.stop();
    soon(running).await.unwrap();
    stage.settled("turn", [0, 0, 0]).await;
    peer.submit(Mode::Background, "turn", "x").await;
}
