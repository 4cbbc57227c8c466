//! What a server tells those who watch over it.

use crate::stage::{Peer, Stage, can_do, soon};
use gearman_engine::Config;
use gearman_net::{Network, Tcp};
use gearman_protocol::{Mode, Response};
use gearman_server::{Finish, serve_metrics};
use std::collections::BTreeSet;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Asks for a page; its status and its text.
async fn page(address: &str, path: &str) -> (u16, String) {
    let mut stream = soon(Tcp.connect(address)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), text.to_owned())
}

/// The value of one series.
async fn value(address: &str, series: &str) -> String {
    let (status, text) = page(address, "/metrics").await;
    assert_eq!(status, 200);
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).to_owned()
}

async fn metrics(stage: &Stage, functions: usize) -> String {
    serve_metrics(&Tcp, "127.0.0.1:0", stage.control.clone(), functions).await.unwrap()
}

/// Creates a function.
async fn create(peer: &mut Peer, name: &str) {
    peer.write(format!("create function {name}\n").as_bytes()).await;
    assert_eq!(peer.line().await, "OK");
}

#[tokio::test]
async fn the_page_follows_a_job() {
    let stage = Stage::new().await;
    let address = metrics(&stage, 10).await;
    let (mut client, mut worker) = (stage.peer().await, stage.peer().await);
    let handle = client.submit(Mode::Foreground, "f", "x").await;
    assert_eq!(value(&address, r#"gearmand_jobs_waiting{function="f",priority="normal"}"#).await, "1");
    assert_eq!(worker.grab("f").await.handle, handle);
    assert_eq!(value(&address, r#"gearmand_jobs_running{function="f"}"#).await, "1");
    assert_eq!(value(&address, r#"gearmand_workers{function="f"}"#).await, "1");
    worker.send(&[crate::stage::complete(&handle, "y")]).await;
    assert!(matches!(client.next().await, Response::Work { .. }));
    assert_eq!(value(&address, r#"gearmand_jobs_completed_total{function="f"}"#).await, "1");
    assert_eq!(value(&address, "gearmand_connections").await, "2");
    let sent: u64 = value(&address, "gearmand_sent_bytes_total").await.parse().unwrap();
    let received: u64 = value(&address, "gearmand_received_bytes_total").await.parse().unwrap();
    assert!(sent > 3 * 12 && received > 4 * 12, "{sent} and {received}");
}

#[tokio::test]
async fn many_functions_are_summed_up() {
    let stage = Stage::new().await;
    let address = metrics(&stage, 2).await;
    let mut peer = stage.peer().await;
    for number in 0..1500 {
        create(&mut peer, &format!("f{number}")).await;
    }
    peer.submit(Mode::Background, "f0", "x").await;
    peer.submit(Mode::Background, "f7", "x").await;
    peer.submit(Mode::Background, "f1400", "x").await;
    let (_, text) = page(&address, "/metrics").await;
    let submitted: Vec<&str> =
        text.lines().filter(|line| line.starts_with("gearmand_jobs_submitted_total{")).collect();
    let line =
        |function: &str, count| format!(r#"gearmand_jobs_submitted_total{{function="{function}"}} {count}"#);
    assert_eq!(submitted, [line("f0", 1), line("f1", 0), line("other", 2)]);
    assert_eq!(value(&address, "gearmand_functions").await, "1500");
}

#[tokio::test]
async fn a_server_that_drains_is_healthy_and_not_ready() {
    let stage = Stage::new().await;
    let address = metrics(&stage, 10).await;
    assert_eq!(page(&address, "/healthz").await, (200, "ok\n".into()));
    assert_eq!(page(&address, "/readyz").await, (200, "ready\n".into()));
    let mut client = stage.peer().await;
    client.submit(Mode::Background, "f", "x").await;
    stage.control.drain();
    soon(async {
        while page(&address, "/readyz").await != (503, "draining\n".into()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(page(&address, "/healthz").await, (200, "ok\n".into()));
    assert_eq!(value(&address, "gearmand_ready").await, "0");
    stage.control.stop();
    assert_eq!(soon(stage.control.finished()).await, Finish::Stopped);
}

#[tokio::test]
async fn what_is_declined_is_counted() {
    let stage = Stage::with(Config { functions_per_connection: 1, ..Config::default() }).await;
    let address = metrics(&stage, 10).await;
    let mut worker = stage.peer().await;
    worker.send(&[can_do("a"), can_do("b")]).await;
    assert!(matches!(worker.next().await, Response::Error { .. }));
    let series = r#"gearmand_refusals_total{reason="functions-per-connection"}"#;
    assert_eq!(value(&address, series).await, "1");
}

#[tokio::test]
async fn every_metric_that_dashboard_and_alerts_use_is_there() {
    let stage = Stage::new().await;
    let address = metrics(&stage, 10).await;
    create(&mut stage.peer().await, "f").await;
    let (_, text) = page(&address, "/metrics").await;
    let told: BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(['{', ' ']).next()).filter(|name| *name != "#").collect();
    for file in ["alerts.yml", "alerts_test.yml", "grafana.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let used: BTreeSet<&str> = words.filter(|word| word.starts_with("gearmand_")).collect();
        let missing: Vec<&&str> = used.difference(&told).collect();
        assert!(missing.is_empty() && used.len() > 5, "{file}: {missing:?} of {used:?}");
    }
}
