//! The end of a server, which comes for all and is heard of by all.

use crate::crier::{Crier, Peer};
use gearman_net::Memory;
use gearman_net::sync::explore;
use gearman_server::Finish;
use shuttle::future::{block_on, spawn};

/// Comes, if there is still somebody, says a word, and stays or leaves.
async fn come(network: Memory, stays: bool) {
    let Ok(mut peer) = Peer::connect(&network).await else { return };
    peer.say("a").await;
    if stays {
        peer.stay().await;
    } else {
        peer.leave().await;
    }
}

#[test]
fn nobody_is_there_when_the_server_has_ended() {
    explore(|| {
        block_on(async {
            let (network, crier) = (Memory::new(), Crier::default());
            let server = crier.serve(&network).await;
            let peers = [false, true].map(|stays| spawn(come(network.clone(), stays)));
            server.stop();
            assert_eq!(server.finished().await, Finish::Stopped);
            assert_eq!(crier.there(), 0);
            for peer in peers {
                peer.await.unwrap();
            }
        });
    });
}

#[test]
fn all_who_wait_for_the_end_hear_of_it() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let server = Crier::default().serve(&network).await;
            let waiting = [0, 1].map(|_| {
                let server = server.clone();
                spawn(async move { server.finished().await })
            });
            let peer = spawn(come(network.clone(), true));
            server.stop();
            for one in waiting {
                assert_eq!(one.await.unwrap(), Finish::Stopped);
            }
            peer.await.unwrap();
        });
    });
}
