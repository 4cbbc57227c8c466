//! A server, a peer, and the faults between them, stepped by hand: what a plan does by chance is done here one by one.

use super::{ByteFaults, CableId, Cables, Home, NetworkState, Servers, SimNetwork};
use crate::faults::FaultClass;
use crate::history::{Actor, History, ServerId};
use crate::journal::Journal;
use crate::lives::Lives;
use crate::stage::Watcher;
use gearman_protocol::Time;
use std::future::Future;
use std::io;
use std::sync::MutexGuard;
use std::time::Duration;

/// How long a step of the simulation is, and a hop between the two hosts, in milliseconds.
pub(crate) const TICK: u64 = 10;
/// The connection that the peer dials first.
pub(crate) const ONLY: CableId = CableId(0);
/// The one after it, if there are two.
pub(crate) const SECOND: CableId = CableId(1);
/// The hosts.
pub(crate) const SERVER: usize = 0;
pub(crate) const PEER: usize = 1;
/// The server that lives on the first.
pub(crate) const FIRST: ServerId = ServerId::new(0);

pub(crate) struct Rehearsal {
    sim: turmoil::Sim<'static>,
    cables: Cables,
}

impl Rehearsal {
    /// A server that does this and a peer that does that, over a network that hits so many of a thousand reads and
    /// writes, and has room for so many bytes; the watcher gets all that is in the history.
    pub(crate) fn new<S, P>(
        (faults, window): (&[(FaultClass, u32)], usize),
        watcher: Watcher,
        serve: impl Fn(SimNetwork) -> S + 'static,
        play: impl Fn(SimNetwork) -> P + 'static,
    ) -> Self
    where
        S: Future<Output = io::Result<()>> + 'static,
        P: Future<Output = io::Result<()>> + 'static,
    {
        let bytes = ByteFaults {
            seed: 7,
            tick: Duration::from_millis(TICK),
            window,
            per_mille: faults.iter().copied().collect(),
        };
        let cables = Cables::new(
            bytes,
            Servers::new(vec![SERVER], Vec::new()),
            Journal::new(History::passing(), Lives::default(), watcher),
        );
        let mut builder = turmoil::Builder::new();
        let hop = Duration::from_millis(TICK);
        builder.tick_duration(hop).min_message_latency(hop).max_message_latency(hop).rng_seed(7);
        // As in a run of a plan: its buffers are also its backlog.
        builder.tcp_capacity(1 << 16).simulation_duration(Duration::MAX);
        let mut sim = builder.build();
        let network = home(&cables, SERVER);
        sim.host("server", move || {
            let serving = serve(network.clone());
            async move { Ok(serving.await?) }
        });
        let network = home(&cables, PEER);
        sim.host("peer", move || {
            let playing = play(network.clone());
            async move {
                playing.await?;
                std::future::pending().await
            }
        });
        Self { sim, cables }
    }

    pub(crate) fn step(&mut self, ticks: usize) -> &mut Self {
        for _ in 0..ticks {
            self.state().step();
            self.sim.step().expect("hosts never end");
        }
        self
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, NetworkState> {
        self.cables.lock()
    }

    /// Kills the programs of a host.
    pub(crate) fn kill(&mut self, host: usize) {
        self.state().dies(Time::ZERO, host);
        self.sim.crash(if host == SERVER { "server" } else { "peer" });
        self.state().died(host);
    }

    /// Starts the server again.
    pub(crate) fn restart_server(&mut self) {
        self.sim.bounce("server");
        self.step(1);
        self.state().server_is_up(FIRST);
    }
}

fn home(cables: &Cables, host: usize) -> SimNetwork {
    SimNetwork::new(cables.clone(), Home { host, actor: Actor::new(0) })
}
