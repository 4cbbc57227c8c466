//! The state of every connection and path, shared by both ends of each connection and by the stage.

mod ends;
mod mishaps;

use super::lane::{Lane, Pace, Toward};
use super::paths::Paths;
use super::pauses::Pauses;
use super::servers::Servers;
use super::stream::End;
use super::{Home, now};
use crate::chance::{self, Chance};
use crate::faults::FaultClass;
use crate::faults::schedule::{Last, Reception};
use crate::history::{Actor, Closing, Connection, ServerId};
use crate::journal::Journal;
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use turmoil::net::TcpStream;

/// A connection, by its number in the order of dialling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CableId(pub(crate) usize);

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Bytes may pass.
    Open,
    /// Both ends get an error.
    Broken,
    /// The peer has closed its end in the middle of whatever it did.
    Left,
    /// The end that writes in this direction gets an error; what the other one gets, its lane says.
    CutOff(Toward),
}

#[derive(Debug)]
struct Cable {
    /// Known once the dialler has its end, which may be after the server has.
    dialled: Option<Dialled>,
    /// Whose the server's end is.
    server: ServerId,
    /// Whether the server's end is over.
    ended: bool,
    /// Whether the server died before the dialler knew that it was connected: to the dialler, and in the history,
    /// it then looks like a connection to the server's next life.
    is_posthumous: bool,
    /// Whether the peer's end is.
    closed: bool,
    fate: Fate,
    /// Whether the server's host has gone dark at its other end.
    is_dark: bool,
    to_server: Lane,
    to_peer: Lane,
}

impl Cable {
    const fn lane(&mut self, toward: Toward) -> &mut Lane {
        match toward {
            Toward::Server => &mut self.to_server,
            Toward::Peer => &mut self.to_peer,
        }
    }

    fn wake(&mut self) {
        self.to_server.wake();
        self.to_peer.wake();
    }
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug)]
struct Dialled {
    home: Home,
    /// How many connections that actor had dialled before.
    nth: u64,
    connection: Connection,
}

/// The faults of single reads and writes, and the window.
#[derive(Clone, Debug)]
pub(crate) struct ByteFaults {
    pub(crate) seed: u64,
    pub(crate) tick: Duration,
    /// How many bytes may be written in one direction and not yet be read.
    pub(crate) window: usize,
    /// How many of a thousand reads or writes a class of faults hits.
    pub(crate) per_mille: BTreeMap<FaultClass, u32>,
}

/// The shared state; cloning gives another hold on it.
#[derive(Clone)]
pub(crate) struct Cables(Arc<Mutex<NetworkState>>);

/// All connections and paths.
pub(crate) struct NetworkState {
    bytes: ByteFaults,
    cables: Vec<Cable>,
    by_port: BTreeMap<SocketAddr, CableId>,
    dials: BTreeMap<Actor, u64>,
    servers: Servers,
    paths: Paths,
    pauses: Pauses,
    /// The lanes that move slowly.
    slow: Vec<(CableId, Toward)>,
    /// Whether the programs of a host are being killed just now, and the sockets they leave behind.
    dying: bool,
    buried: Vec<TcpStream>,
    /// Whether the servers are other processes, behind relays on the servers' hosts.
    relayed: bool,
    journal: Journal,
}

impl Cables {
    pub(crate) fn new(bytes: ByteFaults, servers: Servers, journal: Journal) -> Self {
        Self(Arc::new(Mutex::new(NetworkState {
            bytes,
            cables: Vec::new(),
            by_port: BTreeMap::new(),
            dials: BTreeMap::new(),
            servers,
            paths: Paths::default(),
            pauses: Pauses::default(),
            slow: Vec::new(),
            dying: false,
            buried: Vec::new(),
            relayed: false,
            journal,
        })))
    }

    /// A panic elsewhere already fails the seed, so a poisoned lock is of no further interest.
    pub(crate) fn lock(&self) -> MutexGuard<'_, NetworkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a connection from there to a server could be made.
    ///
    /// # Errors
    /// The server's process is down: its host refuses.
    pub(super) async fn path(&self, home: Home, server: ServerId) -> io::Result<()> {
        poll_fn(|cx| self.lock().paths.poll(home, server, cx)).await
    }

    /// Waits until the programs of a host do not stand still.
    pub(crate) async fn running(&self, host: usize) {
        poll_fn(|cx| self.lock().pauses.poll(host, cx)).await;
    }

    /// Polls this only while the programs of its host do not stand still.
    pub(crate) async fn on<F: Future + Unpin>(self, host: usize, mut program: F) -> F::Output {
        poll_fn(move |cx| {
            ready!(self.lock().pauses.poll(host, cx));
            Pin::new(&mut program).poll(cx)
        })
        .await
    }

    /// The connection that an actor has dialled from this local address to a server.
    pub(super) fn dialled(&self, local: SocketAddr, home: Home, server: ServerId) -> CableId {
        let mut state = self.lock();
        let id = state.at(local, server);
        let dials = state.dials.entry(home.actor).or_default();
        let nth = *dials;
        *dials += 1;
        let connection = state.journal.connected(now(), home.actor, server);
        let is_down = state.paths.down.contains(&server);
        let cable = &mut state.cables[id.0];
        cable.dialled = Some(Dialled { home, nth, connection });
        // A server that ends by itself is down before its host is.
        cable.is_posthumous |= is_down;
        if cable.ended {
            state.journal.ended(now(), connection);
        }
        if state.paths.door(home.actor) == Some(Reception::Closes) {
            state.cut_off(id, Toward::Peer, Last::Fin);
        }
        id
    }

    /// The connection that a server has accepted from this address.
    pub(super) fn accepted(&self, peer: SocketAddr, server: ServerId) -> CableId {
        self.lock().at(peer, server)
    }
}

impl NetworkState {
    /// Both ends come here, in either order, with the dialler's address, which is never used twice in a seed.
    fn at(&mut self, dialler: SocketAddr, server: ServerId) -> CableId {
        let next = CableId(self.cables.len());
        let id = *self.by_port.entry(dialler).or_insert(next);
        if id == next {
            self.cables.push(Cable {
                dialled: None,
                server,
                ended: false,
                is_posthumous: false,
                closed: false,
                fate: Fate::Open,
                is_dark: false,
                to_server: Lane::default(),
                to_peer: Lane::default(),
            });
        }
        id
    }

    fn lane(&mut self, id: CableId, toward: Toward) -> &mut Lane {
        self.cables[id.0].lane(toward)
    }

    pub(crate) const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    pub(crate) fn fate(&self, id: CableId) -> Fate {
        self.cables[id.0].fate
    }

    /// Whether it is not the server's doing when nothing more comes in this direction.
    pub(super) fn is_lost(&self, id: CableId, toward: Toward) -> bool {
        let cable = &self.cables[id.0];
        cable.is_posthumous || cable.fate == Fate::CutOff(toward.opposite())
    }

    /// The same, once the program at the end that writes in this direction does not stand still.
    pub(super) fn poll_fate(&mut self, id: CableId, toward: Toward, cx: &Context<'_>) -> Poll<Fate> {
        let host = match toward {
            Toward::Peer => Some(self.servers.host(self.cables[id.0].server)),
            Toward::Server => self.cables[id.0].dialled.map(|dialled| dialled.home.host),
        };
        if let Some(host) = host {
            ready!(self.pauses.poll(host, cx));
        }
        Poll::Ready(self.fate(id))
    }

    /// So many ticks of the simulation.
    pub(super) fn ticks(&self, count: u64) -> Duration {
        self.bytes.tick * u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The draws of a fault of the `nth` read or write at this end, if it shall happen.
    pub(super) fn draw(&self, class: FaultClass, end: &End, nth: u64) -> Option<Chance> {
        let per_mille = *self.bytes.per_mille.get(&class).filter(|_| !self.journal.is_storm_over())?;
        let mut chance = self.chance(class, end, nth)?;
        chance.odds(per_mille.into(), 1000).then_some(chance)
    }

    /// What is drawn for the `nth` read or write at this end.
    pub(super) fn chance(&self, class: FaultClass, end: &End, nth: u64) -> Option<Chance> {
        let dialled = self.cables[end.id.0].dialled?;
        let side = match end.toward {
            Toward::Server => "peer",
            Toward::Peer => "server",
        };
        let actor = dialled.home.actor.index() as u64;
        let number = dialled.nth << 40 | nth;
        Some(chance::rng(self.bytes.seed, actor, class.name(), number).and(side))
    }

    /// A fault has happened to this connection alone.
    pub(crate) fn bit(&mut self, class: FaultClass, id: CableId) {
        self.journal.happened(class);
        self.touched(class, &[id]);
    }

    /// A fault has touched these connections; says whether any job is concerned.
    pub(crate) fn touched(&mut self, class: FaultClass, ids: &[CableId]) -> bool {
        let dialled = ids.iter().filter_map(|id| self.cables[id.0].dialled);
        let connections: Vec<Connection> = dialled.map(|dialled| dialled.connection).collect();
        self.journal.touched(class, &connections)
    }

    /// The peer's end is over, or half of it.
    pub(super) fn closed(&mut self, id: CableId, how: Closing) {
        self.cables[id.0].closed |= how != Closing::HalfClosed;
        if let Some(dialled) = self.cables[id.0].dialled {
            self.journal.closed(now(), dialled.connection, how);
        }
    }

    /// From now on the servers are other processes, behind relays: what ends at a relay is not over at its server yet.
    pub(crate) const fn relay(&mut self) {
        self.relayed = true;
    }

    /// Whether the servers are behind relays, which tell by [`NetworkState::ended`] what has ended at the servers.
    pub(super) const fn is_relayed(&self) -> bool {
        self.relayed
    }

    /// The server's end is over, or half of it.
    pub(crate) fn ended(&mut self, id: CableId) {
        self.cables[id.0].ended = true;
        if let Some(dialled) = self.cables[id.0].dialled {
            self.journal.ended(now(), dialled.connection);
        }
    }

    /// Whether bytes in this direction stand still; the reader's task is woken when that changes.
    pub(super) fn is_still(&mut self, id: CableId, toward: Toward, cx: &Context<'_>) -> bool {
        let host = self.cables[id.0].dialled.map(|dialled| dialled.home.host);
        let server = self.cables[id.0].server;
        let blocked = host.is_some_and(|host| self.paths.is_blocked(host, server, toward));
        let lane = self.lane(id, toward);
        lane.remember_reader(cx);
        blocked || lane.stalls > 0 || lane.allowance() == 0
    }

    /// How many bytes may be taken from this direction now.
    pub(super) fn allowance(&mut self, id: CableId, toward: Toward) -> usize {
        self.lane(id, toward).allowance()
    }

    /// How many bytes may be written in this direction before its reader must take some; the writer's task is woken
    /// when that changes.
    pub(super) fn room(&mut self, id: CableId, toward: Toward, cx: &Context<'_>) -> usize {
        let window = self.bytes.window;
        let lane = self.lane(id, toward);
        lane.remember_writer(cx);
        lane.pace.map_or(window, |pace| pace.window.min(window)).saturating_sub(lane.in_flight)
    }

    /// The writer's socket has taken bytes, of which so many will arrive.
    pub(super) fn given(&mut self, id: CableId, toward: Toward, bytes: &[u8], arriving: usize) {
        self.lane(id, toward).in_flight += arriving;
        if let (Toward::Server, Some(dialled)) = (toward, self.cables[id.0].dialled) {
            self.journal.wrote(now(), dialled.connection, bytes);
        }
    }

    /// The reader has taken bytes from its socket.
    pub(super) fn taken(&mut self, id: CableId, toward: Toward, bytes: &[u8]) {
        self.lane(id, toward).taken(bytes.len());
        if let (Toward::Peer, Some(dialled)) = (toward, self.cables[id.0].dialled) {
            self.journal.read(now(), dialled.connection, bytes);
        }
    }

    /// A server listens: connections are made.
    pub(crate) fn server_is_up(&mut self, server: ServerId) {
        self.paths.down.remove(&server);
    }

    /// All servers.
    pub(crate) const fn servers(&mut self) -> &mut Servers {
        &mut self.servers
    }

    /// Which server lives on this host, if one does.
    pub(crate) fn server_at(&self, host: usize) -> Option<ServerId> {
        self.servers.at(host)
    }

    /// The open connections of those hosts with one server, or with all.
    pub(crate) fn of_paths(&self, hosts: &[usize], server: Option<ServerId>) -> Vec<CableId> {
        self.open(|home, other| hosts.contains(&home.host) && server.is_none_or(|server| server == other))
    }

    /// The open connection of an actor that was dialled last.
    pub(crate) fn of_actor(&self, actor: Actor) -> Option<CableId> {
        self.open(|home, _| home.actor == actor).pop()
    }

    /// Whether a server has still to learn the end of a connection of one of these.
    pub(crate) fn may_hear_of(&self, is_one: impl Fn(Actor) -> bool) -> bool {
        let lasting = self.cables.iter().filter(|cable| !cable.ended && !cable.is_posthumous);
        lasting.filter_map(|cable| cable.dialled).any(|dialled| is_one(dialled.home.actor))
    }

    /// The connection that this cable is, and whose.
    pub(crate) fn connection(&self, id: CableId) -> Option<(Connection, Actor)> {
        self.cables[id.0].dialled.map(|dialled| (dialled.connection, dialled.home.actor))
    }

    /// The cable that this connection is, and whose.
    pub(crate) fn of_connection(&self, connection: Connection) -> Option<(CableId, Actor)> {
        let mut all = self.cables.iter().enumerate();
        all.find_map(|(id, cable)| {
            let dialled = cable.dialled.filter(|dialled| dialled.connection == connection)?;
            Some((CableId(id), dialled.home.actor))
        })
    }

    fn open(&self, mut wanted: impl FnMut(Home, ServerId) -> bool) -> Vec<CableId> {
        let open = self.cables.iter().enumerate().filter(|(_, cable)| !cable.closed);
        let dialled = open.filter_map(|(id, cable)| Some((CableId(id), cable.dialled?.home, cable.server)));
        dialled.filter(|&(_, home, server)| wanted(home, server)).map(|(id, ..)| id).collect()
    }
}
