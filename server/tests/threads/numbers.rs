//! What the engine says arrives, in its order; and what went over the network is counted.

use crate::crier::{Crier, Peer};
use gearman_net::Memory;
use gearman_net::sync::explore;
use gearman_server::Traffic;
use shuttle::future::{block_on, spawn};

/// Says two words, hears both, leaves.
async fn speak(network: Memory, words: [&'static str; 2]) -> (Peer, Vec<usize>) {
    let mut peer = Peer::connect(&network).await.unwrap();
    for word in words {
        peer.say(word).await;
    }
    peer.hear(words[1]).await;
    let numbers = peer.leave().await;
    (peer, numbers)
}

#[test]
fn every_number_is_heard_once_and_in_order() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let _server = Crier::default().serve(&network).await;
            let peers = [["a", "b"], ["c", "d"]].map(|words| spawn(speak(network.clone(), words)));
            for peer in peers {
                let (_, numbers) = peer.await.unwrap();
                let first = numbers[0];
                assert_eq!(numbers, (first..first + numbers.len()).collect::<Vec<_>>());
            }
        });
    });
}

#[test]
fn nobody_sleeps_over_a_word_that_has_come() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let _server = Crier::default().serve(&network).await;
            let mut silent = Peer::connect(&network).await.unwrap();
            // Whoever has heard himself is there.
            silent.say("here").await;
            silent.hear("here").await;
            let other = spawn(speak(network.clone(), ["a", "b"]));
            silent.hear("a").await;
            silent.hear("b").await;
            other.await.unwrap();
        });
    });
}

#[test]
fn every_byte_is_counted_once() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let server = Crier::default().serve(&network).await;
            let peers = [["a", "b"], ["c", "d"]].map(|words| spawn(speak(network.clone(), words)));
            let (mut received, mut sent) = (0, 0);
            for peer in peers {
                let (peer, _) = peer.await.unwrap();
                received += peer.written as u64;
                sent += peer.read as u64;
            }
            assert_eq!(server.traffic(), Traffic { received, sent, accept_failures: 0 });
        });
    });
}
