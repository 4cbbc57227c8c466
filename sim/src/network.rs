//! The network that hosts see: turmoil's sockets behind a layer of faults.
//!
//! turmoil moves whole writes between hosts with a delay, and lets hosts die. Everything that can go wrong with a
//! stream of bytes on its way is done here, because turmoil never splits, merges or delays part of a write, and
//! what it calls a partition loses bytes for ever, which TCP does not. A connection is a *cable* with one *lane* per
//! direction; a lane can stand still, a cable can break or be left, and a path between two hosts can be blocked.

mod cables;
mod lane;
mod paths;
mod pauses;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use cables::{ByteFaults, CableId, Cables, Fate, NetworkState};
pub(crate) use lane::{Pace, Toward};
pub(crate) use paths::SERVER;
pub(crate) use stream::SimStream;

use crate::faults::FaultClass;
use crate::history::Actor;
use gearman_net::{Listener, Network};
use gearman_protocol::Time;
use std::collections::VecDeque;
use std::io;

/// Where the server listens, as clients and workers dial it.
pub(crate) const SERVER_ADDRESS: &str = "server:4730";

/// The network as one actor of one host sees it.
#[derive(Clone)]
pub(crate) struct SimNetwork {
    cables: Cables,
    home: Home,
}

/// On whose behalf connections are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// The host's index; the server is host 0.
    pub(crate) host: usize,
    /// The actor.
    pub(crate) actor: Actor,
}

impl SimNetwork {
    pub(crate) const fn new(cables: Cables, home: Home) -> Self {
        Self { cables, home }
    }

    /// A fault that is a habit of an actor has happened on the connection it has.
    pub(crate) fn bit(&self, class: FaultClass) {
        let mut state = self.cables.lock();
        if let Some(id) = state.of_actor(self.home.actor) {
            state.bit(class, id);
        }
    }
}

/// The server's listening socket.
pub(crate) struct SimListener {
    inner: turmoil::net::TcpListener,
    cables: Cables,
    /// Connections that were made while the server's process stood still.
    backlog: VecDeque<(SimStream, String)>,
}

impl Network for SimNetwork {
    type Stream = SimStream;
    type Listener = SimListener;

    async fn bind(&self, address: &str) -> io::Result<SimListener> {
        let inner = turmoil::net::TcpListener::bind(address).await?;
        Ok(SimListener { inner, cables: self.cables.clone(), backlog: VecDeque::new() })
    }

    async fn connect(&self, address: &str) -> io::Result<SimStream> {
        self.cables.path_from(self.home).await?;
        let inner = turmoil::net::TcpStream::connect(address).await?;
        let cable = self.cables.dialled(inner.local_addr()?, self.home);
        Ok(SimStream::dialled(inner, cable, self.cables.clone()))
    }
}

impl Listener for SimListener {
    type Stream = SimStream;

    /// A system goes on shaking hands while the process stands still.
    async fn accept(&mut self) -> io::Result<(SimStream, String)> {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.cables.running(SERVER), if !self.backlog.is_empty() => None,
                accepted = self.inner.accept() => Some(accepted?),
            };
            if let Some((inner, peer)) = accepted {
                let cable = self.cables.accepted(peer);
                let stream = SimStream::accepted(inner, cable, self.cables.clone());
                self.backlog.push_back((stream, peer.ip().to_string()));
            }
            let is_paused = self.cables.lock().paused_until(SERVER).is_some();
            if let Some(next) = self.backlog.pop_front_if(|_| !is_paused) {
                return Ok(next);
            }
        }
    }

    fn address(&self) -> io::Result<String> {
        self.inner.local_addr().map(|address| address.to_string())
    }
}

/// The current moment of the host that runs; the seed's beginning outside of hosts.
pub(crate) fn now() -> Time {
    Time::ZERO + turmoil::sim_elapsed().unwrap_or_default()
}
