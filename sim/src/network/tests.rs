//! Each fault of the network, seen from both ends.

mod watched;

use watched::{ECHO, Got, Seen, Watched, ask_and_read, ask_later, note, read_all, write_hello};

use super::rehearsal::{FIRST, ONLY, PEER, SERVER, TICK};
use super::{Fate, Pace, SERVER_ADDRESS, SimNetwork, Toward};
use crate::faults::FaultClass;
use crate::faults::schedule::{Last, Reception};
use crate::history::Actor;
use gearman_net::Network;
use gearman_protocol::Time;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

#[test]
fn without_faults_a_write_arrives_whole_after_its_hops() {
    let mut rehearsal = Watched::new(&[], 1 << 16, write_hello);
    rehearsal.step(10);
    let whole = Got::Bytes(b"hello, this is a peer with a lot to say".to_vec());
    assert_eq!(rehearsal.at_server(), [(20, whole)]);
}

#[test]
fn a_split_write_arrives_in_pieces_at_different_times() {
    let mut rehearsal = Watched::new(&[(FaultClass::SplitWrite, 1000)], 1 << 16, write_hello);
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
    let mut rehearsal = Watched::new(&[(FaultClass::MergeWrite, 1000)], 1 << 16, write_thrice);
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
    let mut rehearsal = Watched::new(&[(FaultClass::MergeWrite, 1000)], 1 << 16, write_and_close);
    rehearsal.step(10);
    let gots: Vec<Got> = rehearsal.at_server().into_iter().map(|(_, got)| got).collect();
    assert_eq!(gots, [Got::Bytes(b"last words".to_vec()), Got::End]);
}

#[test]
fn a_short_read_returns_less_than_a_header() {
    let mut rehearsal = Watched::new(&[(FaultClass::ShortRead, 1000)], 1 << 16, write_hello);
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
    let mut rehearsal = Watched::new(&[], 1 << 16, keep_talking);
    rehearsal.step(10);
    let before = rehearsal.read_by_server().0;
    assert!(!before.is_empty());
    rehearsal.state().stall(ONLY, Toward::Server);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, before);
    rehearsal.state().release(ONLY, Toward::Server);
    rehearsal.step(30);
    assert_eq!(rehearsal.read_by_server().0, (b'a'..=b'z').collect::<Vec<u8>>());
}

#[test]
fn only_the_answer_is_held_back_when_the_other_direction_stalls() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(2);
    rehearsal.state().stall(ONLY, Toward::Peer);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, b"how are you?");
    assert_eq!(rehearsal.at_peer(), []);
    rehearsal.state().release(ONLY, Toward::Peer);
    rehearsal.step(1);
    assert_eq!(rehearsal.at_peer(), [(120, Got::Bytes(b"!".to_vec()))]);
}

#[test]
fn a_broken_connection_fails_at_both_ends() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(10);
    rehearsal.state().sever(ONLY, Fate::Broken);
    rehearsal.step(1);
    let reset = Got::Failed(io::ErrorKind::ConnectionReset);
    assert_eq!(rehearsal.at_server().last(), Some(&(100, reset.clone())));
    assert_eq!(rehearsal.at_peer().last(), Some(&(100, reset)));
    assert!(rehearsal.lines().ends_with(&["c0 has ended at the server".to_owned(), "c0 reset".to_owned()]));
}

#[test]
fn a_peer_that_is_made_to_leave_closes_in_order() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(10);
    rehearsal.state().sever(ONLY, Fate::Left);
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
    let mut rehearsal = Watched::new(&[], 64, write_too_much);
    rehearsal.step(2);
    rehearsal.state().stall(ONLY, Toward::Server);
    rehearsal.step(10);
    assert_eq!(rehearsal.at_peer(), [(10, Got::Wrote(64))]);
    rehearsal.state().release(ONLY, Toward::Server);
    rehearsal.step(4);
    assert_eq!(rehearsal.at_peer().len(), 2);
    assert_eq!(rehearsal.read_by_server().0, vec![b'x'; 100]);
}

#[test]
fn a_connection_through_a_blocked_path_waits_until_it_opens() {
    for toward in [Toward::Server, Toward::Peer] {
        let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
        rehearsal.state().block(PEER, FIRST, toward);
        rehearsal.step(10);
        assert_eq!(rehearsal.at_server(), []);
        rehearsal.state().unblock(PEER, FIRST, toward);
        rehearsal.step(10);
        assert_eq!(rehearsal.read_by_server().0, b"how are you?");
        assert_eq!(rehearsal.at_peer().len(), 1);
    }
}

#[test]
fn a_path_that_is_blocked_later_holds_the_bytes_of_its_direction() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(2);
    rehearsal.state().block(PEER, FIRST, Toward::Peer);
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, b"how are you?");
    assert_eq!(rehearsal.at_peer(), []);
    rehearsal.state().unblock(PEER, FIRST, Toward::Peer);
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
    let mut rehearsal = Watched::new(&[], 1 << 16, call_twice);
    rehearsal.step(10);
    rehearsal.kill(SERVER);
    rehearsal.step(3);
    let gots: Vec<Got> = rehearsal.at_peer().into_iter().map(|(_, got)| got).collect();
    assert_eq!(gots, [Got::Bytes(b"!".to_vec()), Got::End, Got::Failed(io::ErrorKind::ConnectionRefused)]);
}

/// The server has accepted, and the peer, which has called, stands still and does not know it.
fn called_and_standing_still() -> Watched {
    async fn stand_still_when_told(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let cables = network.cables.clone();
        cables.on(PEER, Box::pin(ask_and_read(network, seen))).await
    }
    let mut rehearsal = Watched::new(&[], 1 << 16, stand_still_when_told);
    rehearsal.step(1);
    rehearsal.state().pause(PEER, Time::from_millis(300));
    rehearsal.step(5);
    rehearsal
}

#[test]
fn who_learns_that_it_is_connected_when_the_server_is_dead_was_not_closed_by_the_next_one() {
    let mut rehearsal = called_and_standing_still();
    assert_eq!(rehearsal.lines(), [""; 0]);
    rehearsal.kill(SERVER);
    rehearsal.state().resume(PEER, Time::from_millis(300));
    rehearsal.step(5);
    let lines = ["server down", "c0 is a0, connected", "c0 has ended at the server", "c0 closed on the way"];
    assert_eq!(rehearsal.lines(), lines);
}

#[test]
fn who_learns_so_of_a_server_that_has_ended_by_itself_was_not_closed_by_the_next_one_either() {
    let mut rehearsal = called_and_standing_still();
    // It has said its last, and its host is not taken down yet when the peer learns that it is connected.
    rehearsal.state().leaves(Time::from_millis(6), FIRST);
    rehearsal.state().resume(PEER, Time::from_millis(300));
    rehearsal.step(1);
    assert_eq!(rehearsal.lines()[..3], ["server ends", "server down", "c0 is a0, connected"]);
    assert!(rehearsal.state().is_lost(ONLY, Toward::Server));
}

#[test]
fn what_the_peer_writes_and_reads_is_in_the_history() {
    async fn ask_for_the_version(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        stream.write_all(b"\0REQ\0\0\0\x10\0\0\0\x02hi\0XXXversion?\n").await?;
        read_all(stream, seen).await;
        Ok(())
    }
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_for_the_version);
    rehearsal.step(10);
    let seen = rehearsal.lines();
    assert_eq!(seen[0], "c0 is a0, connected");
    assert_eq!(seen[1], "c0 > ECHO_REQ \"hi\"");
    assert!(seen[2].starts_with("c0 > garbage"), "{}", seen[2]);
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn a_dribbling_direction_passes_a_few_bytes_in_each_step_until_it_moves_as_ever() {
    let mut rehearsal = Watched::new(&[], 1 << 16, write_hello);
    rehearsal.step(2);
    let pace = Pace { bytes: 3, every: 1, window: usize::MAX, left: 0, wait: 1 };
    rehearsal.state().slow_down(ONLY, Toward::Server, pace);
    rehearsal.step(5);
    let (bytes, reads) = rehearsal.read_by_server();
    assert_eq!((&*bytes, reads), (&b"hello, this is "[..], 5));
    rehearsal.state().speed_up(ONLY, Toward::Server);
    rehearsal.step(1);
    assert_eq!(rehearsal.read_by_server().0, b"hello, this is a peer with a lot to say");
}

#[test]
fn a_slow_reader_takes_little_at_times_and_has_little_room() {
    async fn write_too_much(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        sleep(Duration::from_millis(TICK)).await;
        loop {
            let count = stream.write(&[b'x'; 100]).await?;
            note(&seen, Got::Wrote(count));
        }
    }
    let mut rehearsal = Watched::new(&[], 1 << 16, write_too_much);
    rehearsal.step(2);
    let pace = Pace { bytes: 5, every: 4, window: 16, left: 0, wait: 4 };
    rehearsal.state().slow_down(ONLY, Toward::Server, pace);
    rehearsal.step(20);
    assert_eq!(rehearsal.read_by_server(), (vec![b'x'; 25], 5));
    let wrote: Vec<Got> = rehearsal.at_peer().into_iter().map(|(_, got)| got).collect();
    assert_eq!(wrote, [16, 5, 5, 5, 5, 5].map(Got::Wrote));
}

#[test]
fn what_is_delayed_arrives_whole_and_later() {
    let mut rehearsal = Watched::new(&[(FaultClass::Delay, 1000)], 1 << 16, write_hello);
    rehearsal.step(20);
    let seen = rehearsal.at_server();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].1, Got::Bytes(b"hello, this is a peer with a lot to say".to_vec()));
    assert!(seen[0].0 > 20, "it came at {} ms, as without the fault", seen[0].0);
    assert_eq!(rehearsal.touches(FaultClass::Delay).happened, 1);
}

#[test]
fn of_a_half_open_connection_the_server_hears_nothing_until_it_is_reset() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.step(10);
    rehearsal.state().forsake(ONLY);
    rehearsal.step(20);
    let reset = Got::Failed(io::ErrorKind::ConnectionReset);
    assert_eq!(rehearsal.at_peer().last(), Some(&(100, reset.clone())));
    assert_eq!(rehearsal.at_server().len(), 1, "{:?}", rehearsal.at_server());
    assert_eq!(rehearsal.lines().last().unwrap(), "c0 reset");
    rehearsal.state().sever(ONLY, Fate::Broken);
    rehearsal.step(1);
    assert_eq!(rehearsal.at_server().last(), Some(&(300, reset)));
    assert_eq!(rehearsal.lines().last().unwrap(), "c0 has ended at the server");
}

#[test]
fn a_message_that_is_cut_passes_in_part_before_the_end() {
    for (last, end) in [(Last::Reset, Got::Failed(io::ErrorKind::ConnectionReset)), (Last::Fin, Got::End)] {
        let mut rehearsal = Watched::new(&[], 1 << 16, ask_later);
        rehearsal.step(5);
        rehearsal.state().cut_next(ONLY, Toward::Server, last);
        rehearsal.step(20);
        let gots: Vec<Got> = rehearsal.at_server().into_iter().map(|(_, got)| got).collect();
        let [Got::Bytes(part), over] = &gots[..] else { panic!("{gots:?}") };
        assert!(!part.is_empty() && part.len() < ECHO.len() && ECHO.starts_with(part), "{part:?}");
        assert_eq!(*over, end);
        let failed = Got::Failed(io::ErrorKind::ConnectionReset);
        assert_eq!(rehearsal.at_peer().first().map(|(_, got)| got), Some(&failed));
        let class = if last == Last::Fin { FaultClass::FinMidPacket } else { FaultClass::ResetMidPacket };
        assert_eq!(rehearsal.touches(class).happened, 1);
    }
}

#[test]
fn an_answer_that_is_cut_passes_in_part_and_it_is_not_the_server_that_has_closed() {
    async fn ask_for_a_packet(network: SimNetwork, seen: Seen) -> io::Result<()> {
        let mut stream = network.connect(SERVER_ADDRESS).await?;
        sleep(Duration::from_millis(10 * TICK)).await;
        stream.write_all(b"*").await?;
        read_all(stream, seen).await;
        Ok(())
    }
    for (last, end, line) in [
        (Last::Reset, Got::Failed(io::ErrorKind::ConnectionReset), "c0 reset"),
        (Last::Fin, Got::End, "c0 closed on the way"),
    ] {
        let mut rehearsal = Watched::new(&[], 1 << 16, ask_for_a_packet);
        rehearsal.step(5);
        rehearsal.state().cut_next(ONLY, Toward::Peer, last);
        rehearsal.step(20);
        let gots: Vec<Got> = rehearsal.at_peer().into_iter().map(|(_, got)| got).collect();
        let [Got::Bytes(part), over] = &gots[..] else { panic!("{gots:?}") };
        assert!(!part.is_empty() && part.len() < ECHO.len() && ECHO.starts_with(part), "{part:?}");
        assert_eq!(*over, end);
        assert_eq!(rehearsal.lines()[1..], ["c0 has ended at the server", line]);
    }
}

#[test]
fn who_dials_at_a_shut_door_is_refused_waits_or_is_closed_at_once() {
    async fn dial(network: SimNetwork, seen: Seen) -> io::Result<()> {
        match network.connect(SERVER_ADDRESS).await {
            Ok(stream) => read_all(stream, seen).await,
            Err(error) => note(&seen, Got::Failed(error.kind())),
        }
        Ok(())
    }
    let met = |reception| {
        let mut rehearsal = Watched::new(&[], 1 << 16, dial);
        rehearsal.state().shut(Actor::new(0), reception);
        rehearsal.step(10);
        (rehearsal.at_peer().into_iter().map(|(_, got)| got).collect::<Vec<Got>>(), rehearsal)
    };
    assert_eq!(met(Reception::Refuses).0, [Got::Failed(io::ErrorKind::ConnectionRefused)]);
    let (seen, rehearsal) = met(Reception::Closes);
    assert_eq!(seen, [Got::End]);
    assert!(rehearsal.lines().contains(&"c0 closed on the way".to_owned()), "{:?}", rehearsal.lines());
    let (seen, mut rehearsal) = met(Reception::Hangs);
    assert_eq!((seen, rehearsal.lines()), (vec![], vec![]));
    rehearsal.state().reopen(Actor::new(0), Reception::Hangs);
    rehearsal.step(5);
    assert_eq!(rehearsal.lines(), ["c0 is a0, connected"]);
}

#[test]
fn a_host_that_stands_still_reads_and_writes_nothing_and_its_system_goes_on() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    rehearsal.state().pause(SERVER, Time::from_millis(200));
    rehearsal.step(20);
    assert_eq!(rehearsal.lines(), ["c0 is a0, connected"], "the system shakes hands");
    assert_eq!((rehearsal.at_server(), rehearsal.at_peer()), (vec![], vec![]));
    rehearsal.state().pause(PEER, Time::from_millis(300));
    rehearsal.state().resume(SERVER, Time::from_millis(200));
    rehearsal.step(10);
    assert_eq!(rehearsal.read_by_server().0, b"how are you?");
    assert_eq!(rehearsal.at_peer(), []);
    rehearsal.state().resume(PEER, Time::from_millis(300));
    rehearsal.step(1);
    assert_eq!(rehearsal.at_peer().len(), 1);
}

#[test]
fn who_was_to_stand_still_for_longer_does_and_who_is_started_anew_does_not() {
    let mut rehearsal = Watched::new(&[], 1 << 16, ask_and_read);
    let mut state = rehearsal.state();
    state.pause(PEER, Time::from_millis(300));
    state.pause(PEER, Time::from_millis(200));
    state.resume(PEER, Time::from_millis(200));
    assert_eq!(state.paused_until(PEER), Some(Time::from_millis(300)));
    state.dies(Time::ZERO, PEER);
    assert_eq!(state.paused_until(PEER), None);
    drop(state);
    rehearsal.step(1);
}
