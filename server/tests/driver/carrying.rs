//! Requests in, responses out, and how full the buffers are meanwhile.

use crate::booth::{Booth, HERE, a_while, echo, echoing, encoded, received, says};
use crate::prepared::Prepared;
use gearman_engine::{Buffered, ConnectionId, Effect, Effects, Event};
use gearman_protocol::{Outward, Request, Response, Time};
use gearman_server::{Config, serve};

#[tokio::test(start_paused = true)]
async fn events_come_in_the_order_of_the_bytes() {
    let booth = Booth::new();
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    let pipelined = [encoded(&echo("a")), b"status\n".to_vec(), encoded(&echo("b"))].concat();
    peer.write(&pipelined).await;
    drop(peer);
    a_while().await;
    let from = ConnectionId::new(1);
    let status = Request::Admin(gearman_protocol::AdminRequest::Status);
    let expected = [
        Event::Opened { from, peer: "memory".to_owned() },
        received(1, echo("a")),
        received(1, status),
        received(1, echo("b")),
        Event::HalfClosed { from },
        Event::Closed { from },
    ];
    assert_eq!(booth.about(1), expected);
}

#[tokio::test(start_paused = true)]
async fn responses_to_one_peer_keep_the_order_of_the_effects() {
    let booth = Booth::new();
    // Everything goes to the first connection, whoever causes it.
    booth
        .serve(|event, effects: &mut Effects| {
            if let Event::Received { request: Request::Echo { data }, .. } = event {
                effects.send(ConnectionId::new(1), Response::Echo { data: data.clone() });
            }
        })
        .await;
    let (mut one, mut other) = (booth.peer().await, booth.peer().await);
    a_while().await;
    let mut expected = Vec::new();
    for round in 0..50_u8 {
        let peer = if round % 3 == 0 { &mut one } else { &mut other };
        // Small ones are gathered, large ones are passed on as they are.
        let data = vec![round; if round % 5 == 0 { 40_000 } else { 10 }];
        peer.write(&encoded(&echo(data.clone()))).await;
        let mut out = Outward::new();
        Response::Echo { data: data.into() }.encode(&mut out);
        expected.extend(out.to_vec());
        if round % 10 == 0 {
            a_while().await;
            let count = expected.len();
            assert!(one.read(count).await == std::mem::take(&mut expected));
        } else {
            tokio::task::yield_now().await;
            a_while().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_grows_is_told_in_steps() {
    let booth = Booth::new();
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    let bytes = encoded(&echo(vec![7; 300_000]));
    let (most, last) = bytes.split_at(bytes.len() - 1);
    a_while().await;
    let begun = Time::from_millis(10);
    for piece in most.chunks(10_000) {
        peer.write(piece).await;
        a_while().await;
    }
    let fills = |booth: &Booth| -> Vec<Buffered> {
        let fill = |event| if let Event::Buffered { fill, .. } = event { Some(fill) } else { None };
        booth.about(1).into_iter().filter_map(fill).collect()
    };
    let growing = fills(&booth);
    // The first tells that a message is partial, and each later one that a step was crossed.
    assert!(growing.len() > 2 && growing.len() <= 1 + 300_000 / 65_536 + 1, "{growing:?}");
    assert!(growing.iter().all(|fill| fill.partial_since == Some(begun)), "{growing:?}");
    assert!(growing.is_sorted_by_key(|fill| fill.inbound) && growing.last().unwrap().inbound >= 299_000);

    peer.write(last).await;
    a_while().await;
    let whole = fills(&booth)[growing.len()];
    assert_eq!((whole.inbound, whole.partial_since), (0, None));
}

#[tokio::test(start_paused = true)]
async fn each_message_is_partial_since_its_own_beginning() {
    let booth = Booth::new();
    booth.serve(echoing).await;
    let mut peer = booth.peer().await;
    a_while().await;
    peer.write(b"stat").await;
    a_while().await;
    // One read ends a message and begins the next.
    peer.write(b"us\nvers").await;
    a_while().await;
    peer.write(b"ion\n").await;
    a_while().await;
    let since =
        |event| if let Event::Buffered { fill, .. } = event { Some(fill.partial_since) } else { None };
    let told: Vec<_> = booth.about(1).into_iter().filter_map(since).collect();
    assert_eq!(told, [Some(Time::from_millis(10)), Some(Time::from_millis(20)), None]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_reader_is_told_when_it_grows_and_when_it_shrinks() {
    let booth = Booth::new();
    let control = booth.serve(echoing).await;
    let (mut slow, mut other) = (booth.peer().await, booth.peer().await);
    for _ in 0..10 {
        slow.write(&encoded(&echo(vec![7; 50_000]))).await;
        a_while().await;
    }
    let told = |booth: &Booth| -> Vec<usize> {
        let fill = |event| if let Event::Buffered { fill, .. } = event { Some(fill.outward) } else { None };
        booth.about(1).into_iter().filter_map(fill).collect()
    };
    // All but what the network takes, whenever it comes to another step.
    let steps: Vec<usize> = told(&booth).into_iter().map(|waiting| waiting.div_ceil(65_536)).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7]);
    other.echo("still served").await;
    other.read(12 + 12).await;
    slow.read(10 * 50_012).await;
    a_while().await;
    assert_eq!(told(&booth).last(), Some(&0));
    // Each byte is counted once, in however many pieces it was taken.
    let bytes = 10 * 50_012 + 24;
    assert_eq!((control.traffic().received, control.traffic().sent), (bytes, bytes));
}

#[tokio::test(start_paused = true)]
async fn reading_pauses_and_resumes_as_told() {
    let booth = Booth::new();
    let paused = ConnectionId::new(1);
    booth
        .serve(move |event, effects: &mut Effects| {
            if let Some(who) = says(event, "pause") {
                effects.push(Effect::PauseReading { who });
            } else if says(event, "go on").is_some() {
                effects.push(Effect::ResumeReading { who: paused });
            }
        })
        .await;
    let (mut one, mut other) = (booth.peer().await, booth.peer().await);
    one.echo("pause").await;
    a_while().await;
    one.echo("later").await;
    a_while().await;
    let heard = |booth: &Booth| booth.about(1).contains(&received(1, echo("later")));
    assert!(!heard(&booth));
    other.echo("go on").await;
    a_while().await;
    assert!(heard(&booth));
}

#[tokio::test(start_paused = true)]
async fn one_turn_of_a_peer_is_64_kib_and_then_others_have_theirs() {
    let booth = Booth::new();
    let (many, one) = (encoded(&echo("x")).repeat(100_000), encoded(&echo("me")));
    let network = Prepared::new([many, one]);
    serve(&network, booth.clock.clone(), booth.doors(|_, _| {}), Config::at(HERE)).await.unwrap();
    a_while().await;
    let log = booth.log();
    let place = log.iter().position(|(_, event)| *event == received(2, echo("me"))).unwrap();
    assert_eq!(booth.count(|event| *event == received(1, echo("x"))), 100_000);
    // A turn, perhaps two that had begun, but not all that was there to be read.
    assert!(place < 3 * 65_536 / 13, "{place}");
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_give_the_same_events() {
    async fn run() -> Vec<(Time, Event)> {
        let booth = Booth::new();
        let control = booth.serve(echoing).await;
        let mut peers = Vec::new();
        for _ in 0..5 {
            peers.push(booth.peer().await);
        }
        for round in 0..200_usize {
            let peer = &mut peers[round * 7 % 5];
            peer.write(&encoded(&echo(vec![7; round * 37 % 3000]))).await;
        }
        peers.truncate(3);
        a_while().await;
        control.stop();
        control.finished().await;
        booth.log()
    }
    assert_eq!(run().await, run().await);
}

#[tokio::test(start_paused = true)]
async fn all_that_are_ready_are_read_before_any_is_written_to() {
    let booth = Booth::new();
    // Everything goes to the first connection, whoever causes it.
    let doors = booth.doors(|event, effects: &mut Effects| {
        if let Event::Received { request: Request::Echo { data }, .. } = event {
            effects.send(ConnectionId::new(1), Response::Echo { data: data.clone() });
        }
    });
    let words = ["one", "two", "three"];
    let network = Prepared::new(words.map(|word| encoded(&echo(word))));
    serve(&network, booth.clock.clone(), doors, Config::at(HERE)).await.unwrap();
    a_while().await;
    let mut expected = Outward::new();
    words.into_iter().for_each(|word| Response::Echo { data: word.into() }.encode(&mut expected));
    assert_eq!(*network.written.lock().unwrap(), [expected.to_vec()]);
}
