//! Taking new connections.

use crate::connection::Connection;
use crate::hub::Hub;
use crate::phase::Phase;
use gearman_engine::Doors;
use gearman_net::sync::spawn;
use gearman_net::{Clock, Listener, Liveness, Stream};
use gearman_protocol::{Limits, Time};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long to wait after the system would not hand over a connection. Mostly it has no descriptors left: the
/// peers wait in its queue, and closed connections make room.
const PAUSE: Duration = Duration::from_millis(100);

/// How often it is logged that the system does not hand over connections.
const SILENCE: Duration = Duration::from_secs(1);

/// How connections are treated that come in at a listener.
#[derive(Clone, Copy)]
pub(crate) struct Treatment {
    pub(crate) limits: Limits,
    pub(crate) liveness: Option<Liveness>,
}

/// Takes connections until the server takes no more; then the listener is closed.
pub(crate) async fn accept<L, D, C>(mut listener: L, hub: Arc<Hub<D, C>>, treatment: Treatment)
where
    L: Listener,
    D: Doors + Send + 'static,
    C: Clock,
{
    let mut quiet_until = Time::ZERO;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = hub.life.reached(|phase| phase != Phase::Accepting) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => welcome(stream, peer, &hub, treatment),
            // The peer left before its turn came: the next one may be there already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                hub.tally.accept_failed();
                let now = hub.clock.now();
                if now >= quiet_until {
                    tracing::warn!("no new connections for now: {error}; see the limit of open files");
                    quiet_until = now + SILENCE;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

fn welcome<S, D, C>(stream: S, peer: String, hub: &Arc<Hub<D, C>>, treatment: Treatment)
where
    S: Stream,
    D: Doors + Send + 'static,
    C: Clock,
{
    if let Some(liveness) = &treatment.liveness
        && let Err(error) = stream.watch_liveness(liveness)
    {
        tracing::warn!("{peer}: a silent end of this connection may go unnoticed: {error}");
    }
    if let Some(opened) = hub.open(peer) {
        let connection = Connection::new(stream, treatment.limits, Arc::clone(hub), opened);
        spawn(connection.run());
    }
}
