//! What does not fit a packet is refused on this side.

use crate::jobs::{assign, work};
use crate::server::{HERE, Place, soon};
use bytes::{Bytes, BytesMut};
use gearman_client::{Error, Failure, Job, Report, Worker};

/// As large as the address space says and as small as the pages that are touched: its zeros are never read.
fn too_much() -> Bytes {
    BytesMut::zeroed(u32::MAX as usize).freeze()
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_a_packet_is_not_asked() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    assert!(matches!(soon(client.echo(too_much())).await, Err(Error::Argument(_))));
    assert!(matches!(soon(client.job("f", too_much()).background()).await, Err(Error::Argument(_))));
    assert!(server.hears_nothing().await);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_outcome_does_not_fit_a_packet_fails_and_says_so() {
    let mut place = Place::new().await;
    let mut worker = Worker::new(place.network.clone(), HERE);
    worker.register("result", |_: Job| async { Ok(too_much()) }).unwrap();
    let fail = |_: Job| async { Err::<Bytes, _>(Failure::Exception(too_much())) };
    worker.register("exception", fail).unwrap();
    let report = |job: Job| async move { Ok(job.data(too_much()).await.map(|()| Bytes::new())?) };
    worker.register("data", report).unwrap();
    tokio::spawn(async move { worker.run().await });
    let mut server = place.accept().await;
    for _ability in 0..3 {
        server.hear().await;
    }
    let outcome = "what came out does not fit a packet";
    let data = "the server can no longer be told about this job";
    for (function, text) in [("result", outcome), ("exception", outcome), ("data", data)] {
        server.hear().await;
        server.say(&[assign("H:1", function)]).await;
        assert_eq!(server.hear().await, work("H:1", Report::Exception(text.into())));
    }
}
