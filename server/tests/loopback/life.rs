//! The life of a server: where it listens, how it drains and how it stops.

use crate::stage::{Stage, can_do, complete, completed, noise, soon, submit};
use gearman_engine::{Config, Engine};
use gearman_net::{MachineClock, Network, Tcp};
use gearman_protocol::{Mode, Request, Response};
use gearman_server::{Finish, serve};
use std::io;

#[tokio::test]
async fn a_server_listens_at_several_addresses() {
    let listen = ["127.0.0.1:0", "127.0.0.2:0", "*:0"].map(str::to_owned);
    let config = gearman_server::Config { listen: listen.to_vec(), ..gearman_server::Config::at("") };
    let engine = Engine::new(Config::default(), 1);
    let control = serve(&Tcp, MachineClock::new(), engine, config).await.unwrap();
    let [first, second, everywhere] = control.addresses() else { panic!("three were asked for") };
    assert!(first.starts_with("127.0.0.1:") && second.starts_with("127.0.0.2:"));
    let port = everywhere.rsplit_once(':').unwrap().1;
    for address in [first, second, &format!("127.0.0.3:{port}")] {
        let client = soon(gearman_client::Client::connect(&Tcp, address)).await.unwrap();
        assert_eq!(soon(client.echo("here")).await.unwrap(), "here");
    }
}

#[tokio::test]
async fn an_address_in_use_is_refused_by_name() {
    let stage = Stage::new().await;
    let engine = Engine::new(Config::default(), 1);
    let config = gearman_server::Config::at(stage.address.clone());
    let refused = serve(&Tcp, MachineClock::new(), engine, config).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    assert!(refused.to_string().starts_with(&stage.address), "{refused}");
}

#[tokio::test]
async fn a_drain_finishes_what_is_there_and_takes_nothing_new() {
    let stage = Stage::new().await;
    let (mut client, mut worker) = (stage.peer().await, stage.peer().await);
    let running = client.submit(Mode::Foreground, "long", "a").await;
    assert_eq!(worker.grab("long").await.handle, running);
    let waiting = client.submit(Mode::Background, "long", "b").await;
    stage.control.drain();
    soon(async {
        while Tcp.connect(&stage.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.send(&[submit(Mode::Background, "long", "c")]).await;
    let Response::Error { code, .. } = client.next().await else { panic!("it was taken") };
    assert_eq!(code, "SHUTDOWN_GRACEFUL");

    worker.send(&[complete(&running, noise(1_000_000))]).await;
    assert_eq!(worker.grab("long").await.handle, waiting);
    worker.send(&[complete(&waiting, "")]).await;
    // The process may end now, but not before the client has what it waited for.
    assert!(client.next().await == completed(&running, noise(1_000_000)));
    assert_eq!(client.next_or_end().await, None);
    assert_eq!(worker.next_or_end().await, None);
    assert_eq!(soon(stage.control.finished()).await, Finish::Finished);
}

#[tokio::test]
async fn a_drain_with_nothing_to_do_ends_at_once() {
    let stage = Stage::new().await;
    let mut idle = stage.peer().await;
    idle.send(&[can_do("something"), Request::PreSleep]).await;
    stage.settled("something", [0, 0, 1]).await;
    stage.control.drain();
    assert_eq!(soon(stage.control.finished()).await, Finish::Finished);
    assert_eq!(idle.next_or_end().await, None);
}

#[tokio::test]
async fn a_stop_closes_every_connection() {
    let stage = Stage::new().await;
    let (mut client, mut worker) = (stage.peer().await, stage.peer().await);
    let running = client.submit(Mode::Foreground, "long", "a").await;
    assert_eq!(worker.grab("long").await.handle, running);
    stage.control.stop();
    assert_eq!(client.next_or_end().await, None);
    assert_eq!(worker.next_or_end().await, None);
    assert_eq!(soon(stage.control.finished()).await, Finish::Stopped);
    assert_eq!(Tcp.connect(&stage.address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    // Whoever asks later hears the same, and a second stop is harmless.
    stage.control.stop();
    assert_eq!(soon(stage.control.finished()).await, Finish::Stopped);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_one_who_never_reads() {
    let stage = Stage::new().await;
    let mut slow = stage.peer().await;
    slow.send(&vec![Request::Echo { data: noise(1_000_000) }; 20]).await;
    stage.control.stop();
    assert_eq!(soon(stage.control.finished()).await, Finish::Stopped);
}

#[tokio::test]
async fn the_text_command_that_stops_is_answered_before_it_stops() {
    let stage = Stage::with(Config { allow_shutdown: true, ..Config::default() }).await;
    let mut peer = stage.peer().await;
    peer.write(b"shutdown\n").await;
    assert_eq!(peer.line().await, "OK");
    assert_eq!(peer.next_or_end().await, None);
    assert_eq!(soon(stage.control.finished()).await, Finish::Finished);
}
