//! Each fault of the network, seen from both ends.

use super::{ByteFaults, CableId, Cables, Fate, Home, SERVER_ADDRESS, SimNetwork, SimStream, Toward, now};
use crate::faults::FaultClass;
use crate::faults::tally::Touches;
use crate::history::{Actor, History, What};
use crate::journal::Journal;
use crate::lives::Lives;
use gearman_net::{Listener, Network};
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

const TICK: u64 = 10;
const ONLY: CableId = CableId(0);
const PEER: usize = 1;

/// What one end saw, each with the millisecond.
type Seen = Arc<Mutex<Vec<(u64, Got)>>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Got {
    Bytes(Vec<u8>),
    End,
    Failed(io::ErrorKind),
    Wrote(usize),
}

fn note(seen: &Seen, got: Got) {
    seen.lock().unwrap().push((now().as_millis(), got));
}

/// A server, a peer, and the faults between them.
struct Rehearsal {
    sim: turmoil::Sim<'static>,
    cables: Cables,
    entries: Arc<Mutex<Vec<What>>>,
    server: Seen,
    peer: Seen,
}

impl Rehearsal {
    /// The server notes whatever it reads; the peer does as `play` says, and notes whatever it likes.
    fn new<F>(faults: &[(FaultClass, u32)], window: usize, play: fn(SimNetwork, Seen) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + 'static,
    {
        let entries = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&entries);
        let watcher =
            Box::new(move |entry: &crate::history::Entry| into.lock().unwrap().push(entry.what.clone()));
        let bytes = ByteFaults {
            seed: 7,
            tick: Duration::from_millis(TICK),
            window,
            per_mille: faults.iter().copied().collect::<BTreeMap<_, _>>(),
        };
        let cables = Cables::new(bytes, Journal::new(History::passing(), Lives::default(), watcher));
        let mut builder = turmoil::Builder::new();
        let hop = Duration::from_millis(TICK);
        builder.tick_duration(hop).min_message_latency(hop).max_message_latency(hop).rng_seed(7);
        let mut sim = builder.build();
        let (server, peer) = (Seen::default(), Seen::default());
        let (network, seen) = (home(&cables, 0), Arc::clone(&server));
        sim.host("server", move || listen(network.clone(), Arc::clone(&seen)));
        let (network, seen) = (home(&cables, PEER), Arc::clone(&peer));
        sim.host("peer", move || {
            let playing = play(network.clone(), Arc::clone(&seen));
            async move {
                playing.await?;
                std::future::pending().await
            }
        });
        Self { sim, cables, entries, server, peer }
    }

    fn step(&mut self, ticks: usize) -> &mut Self {
        for _ in 0..ticks {
            self.sim.step().unwrap();
        }
        self
    }

    fn at_server(&self) -> Vec<(u64, Got)> {
        self.server.lock().unwrap().clone()
    }

    fn at_peer(&self) -> Vec<(u64, Got)> {
        self.peer.lock().unwrap().clone()
    }

    /// All bytes that the server read, and in how many reads.
    fn read_by_server(&self) -> (Vec<u8>, usize) {
        let reads = self.at_server().into_iter().filter_map(|(_, got)| match got {
            Got::Bytes(bytes) => Some(bytes),
            Got::End | Got::Failed(_) | Got::Wrote(_) => None,
        });
        let reads: Vec<Vec<u8>> = reads.collect();
        (reads.concat(), reads.len())
    }

    fn touches(&self, class: FaultClass) -> Touches {
        self.cables.lock().journal().take().1.of(class)
    }
}

fn home(cables: &Cables, host: usize) -> SimNetwork {
    SimNetwork::new(cables.clone(), Home { host, actor: Actor::new(0) })
}

async fn listen(network: SimNetwork, seen: Seen) -> Result<(), Box<dyn std::error::Error>> {
    let mut listener = network.bind("0.0.0.0:4730").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(read_all(stream, Arc::clone(&seen)));
    }
}

/// Reads to the end, and answers a `?` with a `!`.
async fn read_all(mut stream: SimStream, seen: Seen) {
    let mut buffer = [0; 4096];
    loop {
        let got = match stream.read(&mut buffer).await {
            Ok(0) => Got::End,
            Ok(count) => Got::Bytes(buffer[..count].to_vec()),
            Err(error) => Got::Failed(error.kind()),
        };
        let asks = matches!(&got, Got::Bytes(bytes) if bytes.contains(&b'?'));
        let over = !matches!(got, Got::Bytes(_));
        note(&seen, got);
        if over || asks && stream.write_all(b"!").await.is_err() {
            return;
        }
    }
}

async fn write_hello(network: SimNetwork, _: Seen) -> io::Result<()> {
    let mut stream = network.connect(SERVER_ADDRESS).await?;
    stream.write_all(b"hello, this is a peer with a lot to say").await?;
    std::future::pending().await
}

async fn ask_and_read(network: SimNetwork, seen: Seen) -> io::Result<()> {
    let mut stream = network.connect(SERVER_ADDRESS).await?;
    stream.write_all(b"how are you?").await?;
    read_all(stream, seen).await;
    Ok(())
}

#[test]
fn without_faults_a_write_arrives_whole_after_its_hops() {
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, write_hello);
    rehearsal.step(10);
    let whole = Got::Bytes(b"hello, this is a peer with a lot to say".to_vec());
    assert_eq!(rehearsal.at_server(), [(20, whole)]);
}

#[test]
fn a_split_write_arrives_in_pieces_at_different_times() {
    let mut rehearsal = Rehearsal::new(&[(FaultClass::SplitWrite, 1000)], 1 << 16, write_hello);
    rehearsal.step(100);
    let (bytes, reads) = rehearsal.read_by_server();
    assert_eq!(bytes, b"hello, this is a peer with a lot to say");
    assert!(reads > 2, "{reads} reads");
    let times: Vec<u64> = rehearsal.at_server().iter().map(|(at, _)| *at).collect();
    assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
    assert!(rehearsal.touches(FaultClass::SplitWrite).happened >= reads as u64 - 1);
}

#[test]
fn merged_writes_arrive_as_one_and_later() {
    async fn write_thrice(network: SimNetwork, _: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        for part in ["one ", "two ", "three"] {
            stream.write_all(part.as_bytes()).await?;
        }
        // Whoever reads lets the held bytes go when their time has come.
        stream.read_u8().await.map(drop)
    }
    let mut rehearsal = Rehearsal::new(&[(FaultClass::MergeWrite, 1000)], 1 << 16, write_thrice);
    rehearsal.step(20);
    let seen = rehearsal.at_server();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].1, Got::Bytes(b"one two three".to_vec()));
    assert!(seen[0].0 > 20, "it came at {} ms, as without the fault", seen[0].0);
    assert_eq!(rehearsal.touches(FaultClass::MergeWrite).happened, 2);
}

#[test]
fn held_bytes_go_out_when_the_program_closes() {
    async fn write_and_close(network: SimNetwork, _: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        stream.write_all(b"last words").await
    }
    let mut rehearsal = Rehearsal::new(&[(FaultClass::MergeWrite, 1000)], 1 << 16, write_and_close);
    rehearsal.step(10);
    let gots: Vec<Got> = rehearsal.at_server().into_iter().map(|(_, got)| got).collect();
    assert_eq!(gots, [Got::Bytes(b"last words".to_vec()), Got::End]);
}

#[test]
fn a_short_read_returns_less_than_a_header() {
    let mut rehearsal = Rehearsal::new(&[(FaultClass::ShortRead, 1000)], 1 << 16, write_hello);
    rehearsal.step(10);
    let (bytes, reads) = rehearsal.read_by_server();
    assert_eq!(bytes, b"hello, this is a peer with a lot to say");
    assert!(reads >= bytes.len() / 9, "{reads} reads");
    assert!(rehearsal.touches(FaultClass::ShortRead).happened > 0);
}

#[test]
fn a_stalled_direction_keeps_its_bytes_in_order_and_the_other_one_moves() {
    async fn keep_talking(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let stream = network.connect(SERVER_ADDRESS).await?;
        let (mut reading, mut writing) = tokio::io::split(stream);
        tokio::spawn(async move {
            while let Ok(byte) = reading.read_u8().await {
                note(&seen, Got::Bytes(vec![byte]));
            }
        });
        for byte in b'a'..=b'z' {
            writing.write_all(&[byte]).await?;
            sleep(Duration::from_millis(TICK)).await;
        }
        std::future::pending().await
    }
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, keep_talking);
    rehearsal.step(10);
    let before = rehearsal.read_by_server().0;
    assert!(!before.is_empty());
    rehearsal.cables.lock().stall(ONLY, Toward::Server);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, before);
    rehearsal.cables.lock().release(ONLY, Toward::Server);
    rehearsal.step(30);
    assert_eq!(rehearsal.read_by_server().0, (b'a'..=b'z').collect::<Vec<u8>>());
}

#[test]
fn only_the_answer_is_held_back_when_the_other_direction_stalls() {
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(2);
    rehearsal.cables.lock().stall(ONLY, Toward::Peer);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, b"how are you?");
    assert_eq!(rehearsal.at_peer(), []);
    rehearsal.cables.lock().release(ONLY, Toward::Peer);
    rehearsal.step(1);
    assert_eq!(rehearsal.at_peer(), [(120, Got::Bytes(b"!".to_vec()))]);
}

#[test]
fn a_broken_connection_fails_at_both_ends() {
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(10);
    rehearsal.cables.lock().sever(ONLY, Fate::Broken);
    rehearsal.step(1);
    let reset = Got::Failed(io::ErrorKind::ConnectionReset);
    assert_eq!(rehearsal.at_server().last(), Some(&(100, reset.clone())));
    assert_eq!(rehearsal.at_peer().last(), Some(&(100, reset)));
    let closed =
        rehearsal.entries.lock().unwrap().iter().rev().take(2).map(What::to_string).collect::<Vec<_>>();
    assert_eq!(closed, ["c0 reset", "c0 has ended at the server"]);
}

#[test]
fn a_peer_that_is_made_to_leave_closes_in_order() {
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(10);
    rehearsal.cables.lock().sever(ONLY, Fate::Left);
    rehearsal.step(3);
    assert_eq!(rehearsal.at_peer().last(), Some(&(100, Got::Failed(io::ErrorKind::ConnectionAborted))));
    assert_eq!(rehearsal.at_server().last(), Some(&(110, Got::End)));
}

#[test]
fn a_writer_waits_when_the_window_is_full() {
    async fn write_too_much(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        let mut left = 100;
        while left > 0 {
            let count = stream.write(&vec![b'x'; left]).await?;
            note(&seen, Got::Wrote(count));
            left -= count;
        }
        std::future::pending().await
    }
    let mut rehearsal = Rehearsal::new(&[], 64, write_too_much);
    rehearsal.step(2);
    rehearsal.cables.lock().stall(ONLY, Toward::Server);
    rehearsal.step(10);
    assert_eq!(rehearsal.at_peer(), [(10, Got::Wrote(64))]);
    rehearsal.cables.lock().release(ONLY, Toward::Server);
    rehearsal.step(4);
    assert_eq!(rehearsal.at_peer().len(), 2);
    assert_eq!(rehearsal.read_by_server().0, vec![b'x'; 100]);
}

#[test]
fn a_connection_through_a_blocked_path_waits_until_it_opens() {
    for toward in [Toward::Server, Toward::Peer] {
        let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_and_read);
        rehearsal.cables.lock().block(PEER, toward);
        rehearsal.step(10);
        assert_eq!(rehearsal.at_server(), []);
        rehearsal.cables.lock().unblock(PEER, toward);
        rehearsal.step(10);
        assert_eq!(rehearsal.read_by_server().0, b"how are you?");
        assert_eq!(rehearsal.at_peer().len(), 1);
    }
}

#[test]
fn a_path_that_is_blocked_later_holds_the_bytes_of_its_direction() {
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(2);
    rehearsal.cables.lock().block(PEER, Toward::Peer);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, b"how are you?");
    assert_eq!(rehearsal.at_peer(), []);
    rehearsal.cables.lock().unblock(PEER, Toward::Peer);
    rehearsal.step(2);
    assert_eq!(rehearsal.at_peer().len(), 1);
}

#[test]
fn a_crashed_server_hangs_up_and_then_refuses() {
    async fn call_twice(network: SimNetwork, seen: Seen) -> io::Result<()> {
        ask_and_read(network.clone(), Arc::clone(&seen)).await?;
        let refused = network.connect(SERVER_ADDRESS).await.map(drop).unwrap_err();
        note(&seen, Got::Failed(refused.kind()));
        Ok(())
    }
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, call_twice);
    rehearsal.step(10);
    rehearsal.cables.lock().dies(Time::ZERO, 0);
    rehearsal.sim.crash("server");
    rehearsal.cables.lock().died(0);
    rehearsal.step(3);
    let gots: Vec<Got> = rehearsal.at_peer().into_iter().map(|(_, got)| got).collect();
    assert_eq!(gots, [Got::Bytes(b"!".to_vec()), Got::End, Got::Failed(io::ErrorKind::ConnectionRefused)]);
}

#[test]
fn what_the_peer_writes_and_reads_is_in_the_history() {
    async fn ask_for_the_version(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        stream.write_all(b"\0REQ\0\0\0\x10\0\0\0\x02hi\0XXXversion?\n").await?;
        read_all(stream, seen).await;
        Ok(())
    }
    let mut rehearsal = Rehearsal::new(&[], 1 << 16, ask_for_the_version);
    rehearsal.step(10);
    let seen: Vec<String> = rehearsal.entries.lock().unwrap().iter().map(What::to_string).collect();
    assert_eq!(seen[0], "c0 is a0, connected");
    assert_eq!(seen[1], "c0 > ECHO_REQ \"hi\"");
    assert!(seen[2].starts_with("c0 > garbage"), "{}", seen[2]);
    assert_eq!(seen.len(), 3, "{seen:?}");
}
