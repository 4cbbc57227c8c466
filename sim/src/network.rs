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
pub(crate) mod rehearsal;
mod servers;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use cables::{ByteFaults, CableId, Cables, Fate, NetworkState};
pub(crate) use lane::{Pace, Toward};
pub(crate) use servers::Servers;
#[cfg(test)]
pub(crate) use stream::Carried;
pub(crate) use stream::SimStream;

use crate::faults::FaultClass;
use crate::history::{Actor, ServerId};
use gearman_net::{Listener, Network};
use gearman_protocol::Time;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// Whom clients and workers dial: the next server of their list.
pub(crate) const SERVER_ADDRESS: &str = "server:4730";
/// How long an actor that knows other servers waits for one.
const DIALS_FOR: Duration = Duration::from_millis(250);

/// The network as one actor of one host sees it.
#[derive(Clone)]
pub(crate) struct SimNetwork {
    cables: Cables,
    home: Home,
    /// Whom to dial in spite of the list.
    only: Option<ServerId>,
}

/// On whose behalf connections are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// The host's index.
    pub(crate) host: usize,
    /// The actor.
    pub(crate) actor: Actor,
}

impl SimNetwork {
    pub(crate) const fn new(cables: Cables, home: Home) -> Self {
        Self { cables, home, only: None }
    }

    /// The state behind it.
    pub(crate) const fn cables(&self) -> &Cables {
        &self.cables
    }

    /// The same network, on which this server is dialled in spite of the list.
    pub(crate) fn to(&self, server: ServerId) -> Self {
        Self { only: Some(server), ..self.clone() }
    }

    /// Another server than the one that is dialled next, if there is one.
    pub(crate) fn another(&self) -> Option<ServerId> {
        let mut state = self.cables.lock();
        let servers = state.servers();
        let (next, _) = servers.next(self.home.actor);
        servers.all().find(|&server| server != next)
    }

    /// Waits until a server of the list can be dialled; one of several is not waited for for long.
    async fn reach(&self) -> io::Result<ServerId> {
        let (server, has_others) = match self.only {
            Some(server) => (server, false),
            None => self.cables.lock().servers().next(self.home.actor),
        };
        let path = self.cables.path(self.home, server);
        let reached = if has_others {
            timeout(DIALS_FOR, path).await.unwrap_or_else(|late| Err(late.into()))
        } else {
            path.await
        };
        match reached {
            Ok(()) => self.cables.lock().servers().reached(self.home.actor),
            Err(_) => self.cables.lock().servers().missed(self.home.actor),
        }
        reached.map(|()| server)
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
    host: usize,
    server: ServerId,
    /// Connections that were made while the server's process stood still.
    backlog: VecDeque<(SimStream, String)>,
}

impl Network for SimNetwork {
    type Stream = SimStream;
    type Listener = SimListener;

    async fn bind(&self, address: &str) -> io::Result<SimListener> {
        let inner = turmoil::net::TcpListener::bind(address).await?;
        let (cables, host) = (self.cables.clone(), self.home.host);
        let server = cables.lock().server_at(host).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(SimListener { inner, cables, host, server, backlog: VecDeque::new() })
    }

    /// Any address is the next server of the list.
    async fn connect(&self, _: &str) -> io::Result<SimStream> {
        let server = self.reach().await?;
        let dialled = turmoil::net::TcpStream::connect(format!("{server}:4730")).await;
        let inner = dialled.inspect_err(|_| self.cables.lock().servers().missed(self.home.actor))?;
        let cable = self.cables.dialled(inner.local_addr()?, self.home, server);
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
                () = self.cables.running(self.host), if !self.backlog.is_empty() => None,
                accepted = self.inner.accept() => Some(accepted?),
            };
            if let Some((inner, peer)) = accepted {
                let cable = self.cables.accepted(peer, self.server);
                let stream = SimStream::accepted(inner, cable, self.cables.clone());
                self.backlog.push_back((stream, peer.ip().to_string()));
            }
            let is_paused = self.cables.lock().paused_until(self.host).is_some();
            if let Some(next) = self.backlog.pop_front_if(|_| !is_paused) {
                return Ok(next);
            }
        }
    }

    fn address(&self) -> io::Result<String> {
        self.inner.local_addr().map(|address| address.to_string())
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        for (stream, _) in &self.backlog {
            self.cables.lock().turn_away(stream.cable());
        }
    }
}

/// The current moment of the host that runs; the seed's beginning outside of hosts.
pub(crate) fn now() -> Time {
    Time::ZERO + turmoil::sim_elapsed().unwrap_or_default()
}
