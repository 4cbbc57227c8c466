//! Peers that write what they like, when they like, and read when they like.

use crate::stage::{Stage, can_do, complete, completed, encoded, noise, reverse, soon, submit};
use bytes::Bytes;
use gearman_client::Client;
use gearman_net::Tcp;
use gearman_protocol::{Grab, Mode, Request, Response};

#[tokio::test]
async fn a_thousand_requests_in_one_write_are_answered_in_order() {
    let stage = Stage::new().await;
    let mut peer = stage.peer().await;
    let numbers = || (0..1000).map(|number| Bytes::from(number.to_string()));
    peer.send(&numbers().map(|data| Request::Echo { data }).collect::<Vec<_>>()).await;
    for data in numbers() {
        assert_eq!(peer.next().await, Response::Echo { data });
    }
    peer.send(&vec![submit(Mode::Background, "pile", "x"); 1000]).await;
    for number in 1..=1000 {
        let Response::JobCreated { handle } = peer.next().await else { panic!("not taken") };
        assert_eq!(handle.as_bytes(), format!("H:localhost:{number}").as_bytes());
    }
    stage.settled("pile", [1000, 0, 0]).await;
}

#[tokio::test]
async fn requests_arrive_whole_however_they_are_cut() {
    let stage = Stage::new().await;
    let mut peer = stage.peer().await;
    let mut bytes = encoded(&[Request::Echo { data: noise(300) }]);
    bytes.extend_from_slice(b"version\r\n");
    bytes.extend(encoded(&[Request::Grab(Grab::Plain)]));
    for byte in bytes {
        peer.write(&[byte]).await;
    }
    assert_eq!(peer.next().await, Response::Echo { data: noise(300) });
    assert_eq!(peer.line().await, format!("OK {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(peer.next().await, Response::NoJob);
}

#[tokio::test]
async fn a_half_close_costs_no_reply_that_was_asked_for() {
    let stage = Stage::new().await;
    // Replies that fit the system's buffers, and ones that the server has to keep until they are read.
    for data in [Bytes::from_static(b"small"), noise(2_000_000)] {
        let mut peer = stage.peer().await;
        peer.send(&vec![Request::Echo { data: data.clone() }; 20]).await;
        peer.half_close().await;
        for _ in 0..20 {
            assert!(peer.next().await == Response::Echo { data: data.clone() });
        }
        assert_eq!(peer.next_or_end().await, None);
    }
    stage.deserted().await;
}

#[tokio::test]
async fn what_was_submitted_before_leaving_counts() {
    let stage = Stage::new().await;
    for _ in 0..20 {
        let mut peer = stage.peer().await;
        peer.send(&[submit(Mode::Background, "left", "x"), submit(Mode::Foreground, "left", "y")]).await;
        drop(peer);
    }
    // Background jobs stay; those in the foreground have lost their only watchers.
    stage.deserted().await;
    stage.settled("left", [20, 0, 0]).await;
}

#[tokio::test]
async fn one_who_does_not_read_holds_up_nobody() {
    let stage = Stage::new().await;
    let _worker = stage.worker("reverse", reverse);
    let mut slow = stage.peer().await;
    let data = noise(1_000_000);
    slow.send(&vec![Request::Echo { data: data.clone() }; 40]).await;
    slow.send(&vec![submit(Mode::Foreground, "reverse", "hello"); 100]).await;

    let client = stage.client().await;
    for _ in 0..100 {
        assert_eq!(soon(client.job("reverse", "hello").run()).await.unwrap(), "olleh");
    }
    stage.settled("reverse", [0, 0, 1]).await;
    for _ in 0..40 {
        assert!(slow.next().await == Response::Echo { data: data.clone() });
    }
    let (mut created, mut ended) = (Vec::new(), Vec::new());
    while ended.len() < 100 {
        let response = slow.next().await;
        if let Response::JobCreated { handle } = response {
            created.push(handle);
        } else if let Response::Work { handle, .. } = response {
            ended.push(handle);
        }
    }
    assert_eq!(created, ended);
}

#[tokio::test]
async fn one_who_never_stops_writing_holds_up_nobody() {
    let stage = Stage::new().await;
    let _worker = stage.worker("reverse", reverse);
    let mut flood = stage.peer().await;
    let bytes = encoded(&vec![Request::ResetAbilities; 5000]);
    let flooding = tokio::spawn(async move {
        loop {
            flood.write(&bytes).await;
        }
    });
    let client = stage.client().await;
    for _ in 0..50 {
        assert_eq!(soon(client.job("reverse", "hello").run()).await.unwrap(), "olleh");
    }
    assert!(!flooding.is_finished());
    flooding.abort();
}
#[tokio::test]
async fn a_thousand_peers_are_served_at_once() {
    let stage = Stage::new().await;
    let mut peers = Vec::new();
    for _ in 0..1000 {
        peers.push(stage.peer().await);
    }
    for peer in &mut peers {
        peer.send(&[can_do("crowd"), Request::PreSleep]).await;
    }
    stage.settled("crowd", [0, 0, 1000]).await;
    let client = stage.client().await;
    let watcher = soon(client.job("crowd", "x").submit()).await.unwrap();
    for peer in &mut peers {
        assert_eq!(peer.next().await, Response::Noop);
    }
    let job = peers[999].grab("crowd").await;
    peers[999].send(&[complete(&job.handle, "y")]).await;
    assert_eq!(soon(watcher.result()).await.unwrap(), "y");
    drop((peers, client));
    stage.deserted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    let stage = Stage::new().await;
    let _workers: Vec<_> = (0..4).map(|_| stage.worker("reverse", reverse)).collect();
    let clients = (0..8).map(|number| {
        let (address, text) = (stage.address.clone(), format!("client {number}"));
        tokio::spawn(async move {
            let client = soon(Client::connect(&Tcp, &address)).await.unwrap();
            let backwards: String = text.chars().rev().collect();
            for _ in 0..250 {
                assert_eq!(soon(client.job("reverse", text.clone()).run()).await.unwrap(), backwards);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    stage.settled("reverse", [0, 0, 4]).await;
}

#[tokio::test]
async fn after_nonsense_the_reason_arrives_and_then_the_end() {
    let stage = Stage::new().await;
    let mut peer = stage.peer().await;
    let mut bytes = encoded(&[Request::Echo { data: "before".into() }]);
    // What follows the nonsense is never read as requests, and must not destroy the reply on its way either.
    bytes.extend_from_slice(b"\0BAD");
    bytes.extend_from_slice(&noise(100_000));
    peer.write(&bytes).await;
    assert_eq!(peer.next().await, Response::Echo { data: "before".into() });
    let Response::Error { code, .. } = peer.next().await else { panic!("no reason") };
    assert_eq!(code, "INVALID_MAGIC");
    assert_eq!(peer.next_or_end().await, None);
    stage.deserted().await;
}

#[tokio::test]
async fn several_workers_and_clients_hear_only_what_is_theirs() {
    let stage = Stage::new().await;
    let (mut one, mut other, mut worker) = (stage.peer().await, stage.peer().await, stage.peer().await);
    let first = one.submit(Mode::Foreground, "mine", "1").await;
    let second = other.submit(Mode::Foreground, "mine", "2").await;
    assert_eq!(worker.grab("mine").await.handle, first);
    assert_eq!(worker.grab("mine").await.handle, second);
    worker.send(&[complete(&second, "b"), complete(&first, "a")]).await;
    assert_eq!(one.next().await, completed(&first, "a"));
    assert_eq!(other.next().await, completed(&second, "b"));
}
