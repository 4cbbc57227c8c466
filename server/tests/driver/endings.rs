//! However a connection ends, the engine is told once, and last.

use crate::booth::{Booth, Peer, a_while, echo, echoing, encoded, received, says, soon};
use bytes::Bytes;
use gearman_engine::{ConnectionId, Effect, Effects, Event, ExitCode};
use gearman_net::Network;
use gearman_protocol::Response;
use gearman_server::Finish;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Connection 1 has ended, and nothing was told after that.
fn assert_closed_once(booth: &Booth) {
    let events = booth.about(1);
    let closed = Event::Closed { from: ConnectionId::new(1) };
    assert_eq!(events.iter().filter(|event| **event == closed).count(), 1, "{events:?}");
    assert_eq!(events.last(), Some(&closed), "{events:?}");
}

/// Doors that do `effect` to whoever sends the word.
fn on_word(word: &'static str, effect: impl Fn(ConnectionId) -> Effect) -> impl FnMut(&Event, &mut Effects) {
    move |event, effects| {
        if let Some(from) = says(event, word) { effects.push(effect(from)) } else { echoing(event, effects) }
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_peer_closes() {
    let booth = Booth::new();
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    peer.echo("a").await;
    drop(peer);
    a_while().await;
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_peer_half_closes_and_reads_on() {
    let booth = Booth::new();
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    peer.write(&encoded(&echo(vec![7; 200_000]))).await;
    peer.0.shutdown().await.unwrap();
    a_while().await;
    // The reply is not yet read, so the connection is not yet gone.
    assert_eq!(booth.about(1).last(), Some(&Event::HalfClosed { from: ConnectionId::new(1) }));
    assert_eq!(peer.rest().await.len(), 200_012);
    a_while().await;
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_peer_leaves_without_reading_its_replies() {
    let booth = Booth::new();
    // It cannot be written to any more, but what it had sent is still read.
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    peer.write(&encoded(&echo(vec![7; 60_000]))).await;
    a_while().await;
    peer.write(&encoded(&echo(vec![8; 60_000]))).await;
    peer.echo("last").await;
    drop(peer);
    a_while().await;
    assert!(booth.about(1).contains(&received(1, echo("last"))));
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_engine_closes_at_once() {
    let booth = Booth::new();
    booth.serve(on_word("close", |who| Effect::Close { who, after_flush: false })).await;
    let mut peer = booth.peer().await;
    let after = encoded(&echo("never heard"));
    peer.write(&[encoded(&echo(vec![7; 60_000])), encoded(&echo("close")), after].concat()).await;
    assert!(peer.rest().await.len() <= 60_012);
    a_while().await;
    assert!(peer.0.write_all(b"nobody listens").await.is_err());
    assert!(!booth.about(1).contains(&received(1, echo("never heard"))));
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_engine_closes_after_the_last_word() {
    let booth = Booth::new();
    booth.serve(on_word("close", |who| Effect::Close { who, after_flush: true })).await;
    let (mut reading, mut writing) = tokio::io::split(booth.peer().await.0);
    let (before, after) = (encoded(&echo(vec![7; 500_000])), encoded(&echo("never heard")));
    let writing = tokio::spawn(async move {
        writing.write_all(&[before, encoded(&echo("close")), after].concat()).await.unwrap();
    });
    let mut read = Vec::new();
    soon(reading.read_to_end(&mut read)).await.unwrap();
    writing.await.unwrap();
    assert_eq!(read.len(), 500_012);
    a_while().await;
    assert!(!booth.about(1).contains(&received(1, echo("never heard"))));
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_engine_closes_and_the_peer_goes_on_writing() {
    let booth = Booth::new();
    booth.serve(on_word("close", |who| Effect::Close { who, after_flush: true })).await;
    let mut peer = booth.peer().await;
    peer.echo("close").await;
    a_while().await;
    assert_closed_once(&booth);
    // For a while it is read and forgotten, and then it is cut off.
    let (noise, left) = ([0; 10_000], Instant::now());
    while peer.0.write_all(&noise).await.is_ok() {
        a_while().await;
    }
    assert!((2000..2100).contains(&left.elapsed().as_millis()), "{:?}", left.elapsed());
    assert_closed_once(&booth);
}

/// Somebody who does not read what he has asked for. What follows does not begin at a whole second, when the keeper looks
/// at its clocks anyway.
async fn who_does_not_read(booth: &Booth) -> Peer {
    let mut peer = booth.peer().await;
    peer.write(&encoded(&echo(vec![7; 200_000]))).await;
    a_while().await;
    peer
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_waits_two_seconds_for_those_who_do_not_read() {
    let booth = Booth::new();
    let control = booth.serve(echoing).await;
    let _peer = who_does_not_read(&booth).await;
    let told = Instant::now();
    control.stop();
    soon(control.finished()).await;
    assert_eq!(told.elapsed().as_millis(), 2000);
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn so_does_one_whose_engine_says_exit() {
    let booth = Booth::new();
    let control = booth.serve(on_word("exit", |_| Effect::Exit { code: ExitCode::Finished })).await;
    let _peer = who_does_not_read(&booth).await;
    let told = Instant::now();
    booth.peer().await.echo("exit").await;
    assert_eq!(soon(control.finished()).await, Finish::Finished);
    assert_eq!(told.elapsed().as_millis(), 2000);
}

#[tokio::test(start_paused = true)]
async fn when_the_bytes_make_no_sense() {
    let booth = Booth::new();
    booth
        .serve(|event, effects: &mut Effects| {
            if let Event::Malformed { from, error } = event {
                assert!(error.is_fatal());
                effects.send(*from, Response::Echo { data: Bytes::from("why") });
                effects.push(Effect::Close { who: *from, after_flush: true });
            }
        })
        .await;
    let mut peer = booth.peer().await;
    peer.write(b"\0BAD and so on").await;
    a_while().await;
    peer.write(b"\0REQ").await;
    assert!(peer.rest().await.ends_with(b"why"));
    assert_eq!(booth.count(|event| matches!(event, Event::Malformed { .. })), 1);
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_server_stops() {
    let booth = Booth::new();
    let control = booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    peer.echo("a").await;
    a_while().await;
    control.stop();
    assert_eq!(soon(control.finished()).await, Finish::Stopped);
    assert_eq!(peer.rest().await.len(), 13);
    assert!(peer.0.write_all(b"nobody listens").await.is_err());
    assert_closed_once(&booth);
    assert!(booth.network.connect(crate::booth::HERE).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn when_the_engine_says_exit() {
    let booth = Booth::new();
    let control = booth
        .serve(|event, effects: &mut Effects| {
            if let Some(from) = says(event, "exit") {
                effects.push(Effect::Exit { code: ExitCode::Unfinished });
                // What the same event sends is still written.
                effects.send(from, Response::Echo { data: Bytes::from("last words") });
            } else {
                echoing(event, effects);
            }
        })
        .await;
    let mut peer = booth.peer().await;
    peer.write(&encoded(&echo(vec![7; 60_000]))).await;
    peer.echo("exit").await;
    let rest = peer.rest().await;
    assert_eq!(soon(control.finished()).await, Finish::Unfinished);
    assert_eq!(soon(control.finished()).await.code(), 3);
    assert_eq!(rest.len(), 60_012 + 12 + 10);
    assert!(rest.ends_with(b"last words"));
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_the_last_word() {
    let booth = Booth::new();
    booth
        .serve(|event, effects: &mut Effects| {
            if let Some(who) = says(event, "close") {
                effects.send(who, Response::Echo { data: Bytes::from("last") });
                effects.push(Effect::Close { who, after_flush: true });
                effects.send(who, Response::Echo { data: Bytes::from("too late") });
            }
        })
        .await;
    let mut peer = booth.peer().await;
    peer.echo("close").await;
    assert!(peer.rest().await.ends_with(b"last"));
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn when_the_engine_closes_because_of_what_it_was_told_about_buffers() {
    let booth = Booth::new();
    booth
        .serve(|event, effects: &mut Effects| {
            // The connection's own task tells this when it has nothing else to do, and must hear the answer.
            if let Event::Buffered { from, .. } = event {
                effects.push(Effect::Close { who: *from, after_flush: false });
            }
        })
        .await;
    let mut peer = booth.peer().await;
    peer.write(b"a line without an end").await;
    assert_eq!(peer.rest().await, b"");
    assert_closed_once(&booth);
}

#[tokio::test(start_paused = true)]
async fn no_connection_is_taken_when_the_engine_wants_none() {
    let booth = Booth::new();
    booth.serve(on_word("enough", |_| Effect::StopAccepting)).await;
    let mut peer = booth.peer().await;
    peer.echo("enough").await;
    a_while().await;
    assert!(booth.network.connect(crate::booth::HERE).await.is_err());
    peer.echo("but I am served").await;
    a_while().await;
    assert!(booth.about(1).contains(&received(1, echo("but I am served"))));
    assert_eq!(booth.count(|event| matches!(event, Event::Opened { .. })), 1);
}
