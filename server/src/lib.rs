//! A Gearman engine on a network.
//!
//! [`serve`] owns the sockets and nothing else: it reads what is there, decodes all of it, hands each event to
//! the engine, encodes each effect into its connection's one buffer, and writes once per turn. There is one
//! task per connection, which locks the engine for what it has read; one per listener; and one that keeps the
//! time. What a job server *does* is the engine's to say.
//!
//! On a runtime with one thread it is deterministic, given a network and a [`Clock`] that are: nothing here
//! draws chance, and tokio's timers are the only ones.

mod connection;
mod control;
mod declined;
mod hub;
mod keeper;
mod listening;
mod mailbox;
mod metrics;
mod phase;
mod store;
mod watch;

pub use control::Control;
pub use metrics::serve_metrics;
pub use phase::Finish;
pub use store::{Outcome, Store};
pub use watch::Traffic;

use gearman_engine::{Doors, StoredJob};
use gearman_net::sync::spawn;
use gearman_net::{Clock, Listener, Liveness, Network};
use gearman_protocol::Limits;
use hub::Hub;
use listening::Treatment;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a server needs to know besides its engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; what an address looks like is the network's to say.
    pub listen: Vec<String>,
    /// How large a message may be; all by default.
    pub limits: Limits,
    /// When a silent peer is asked whether it lives; `None` is never.
    pub liveness: Option<Liveness>,
}

impl Config {
    /// Listens at one address, with the defaults for everything else.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self { listen: vec![address.into()], limits: Limits::default(), liveness: Some(Liveness::default()) }
    }
}

/// Starts a server whose jobs end with the process. It runs on the tokio runtime of the caller.
///
/// # Errors
/// If one of the addresses cannot be listened at; the text names it.
pub async fn serve<N, C, D>(network: &N, clock: C, doors: D, config: Config) -> io::Result<Control>
where
    N: Network,
    C: Clock,
    D: Doors + Send + 'static,
{
    serve_with_store(network, clock, doors, config, store::NoStore, []).await
}

/// Starts a server whose background jobs are kept in a store; `kept` is what an earlier server left there, in
/// the order of submission.
///
/// # Errors
/// If one of the addresses cannot be listened at; the text names it.
pub async fn serve_with_store<N, C, D>(
    network: &N,
    clock: C,
    doors: D,
    config: Config,
    store: impl Store,
    kept: impl IntoIterator<Item = StoredJob>,
) -> io::Result<Control>
where
    N: Network,
    C: Clock,
    D: Doors + Send + 'static,
{
    let mut listeners = Vec::with_capacity(config.listen.len());
    for address in &config.listen {
        listeners.push(network.bind(address).await?);
    }
    let addresses = listeners.iter().map(Listener::address).collect::<io::Result<_>>()?;
    let (orders, heard) = mpsc::unbounded_channel();
    let hub = Arc::new(Hub::new(clock, doors, Box::new(store), orders.clone()));
    hub.begin(kept);
    let treatment = Treatment { limits: config.limits, liveness: config.liveness };
    for listener in listeners {
        spawn(listening::accept(listener, Arc::clone(&hub), treatment));
    }
    let (life, watched) = (Arc::clone(&hub.life), Arc::clone(&hub));
    spawn(keeper::keep(hub, heard));
    Ok(Control { addresses, orders, life, watched })
}
