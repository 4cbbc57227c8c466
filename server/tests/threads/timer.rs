//! What is due is noticed when it is due, whatever the timer was set for.

use crate::crier::{Crier, Peer};
use gearman_net::Memory;
use gearman_net::sync::{explore, pass};
use gearman_protocol::Time;
use shuttle::future::{block_on, spawn};
use shuttle::thread::yield_now;
use std::time::Duration;

/// What is due while the words are said.
const EARLY: Time = Time::from_millis(1);

/// What each of the words makes due: sooner than what the one before it did.
const SOONER: [Time; 3] = [Time::from_millis(140), Time::from_millis(80), Time::from_millis(20)];

/// By how much a timer may be late: chance alone says whether the keeper goes on in each of these.
const LATE: Duration = Duration::from_millis(50);

/// How often others have their turn until all have done what they can.
const LONG: usize = 64;

const MOMENT: Duration = Duration::from_millis(1);

/// Says as many words, each when the one before was heard. Who leaves is noticed too, so it stays.
async fn speak(network: Memory) -> Peer {
    let mut peer = Peer::connect(&network).await.unwrap();
    for word in ["a", "b", "c"] {
        peer.say(word).await;
        peer.hear(word).await;
    }
    peer
}

#[test]
fn what_is_due_soon_is_not_slept_over() {
    explore(|| {
        let (network, crier) = (Memory::new(), Crier::with_plans(EARLY, &SOONER));
        let _server = block_on(crier.serve(&network));
        let speaker = spawn(speak(network));
        pass(MOMENT);
        let _peer = block_on(speaker).unwrap();
        (0..LONG).for_each(|_| yield_now());
        while crier.noticed().len() <= SOONER.len() {
            pass(MOMENT);
        }
        for (due, noticed) in crier.noticed() {
            assert!(noticed.since(due) < LATE, "what was due at {due:?} was noticed at {noticed:?}");
        }
    });
}
