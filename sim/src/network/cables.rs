//! The state of every connection and path, shared by both ends of each connection and by the stage.

use super::stream::End;
use super::{Home, now};
use crate::chance::{self, Chance};
use crate::faults::FaultClass;
use crate::history::{Actor, Closing, Connection};
use crate::journal::Journal;
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use turmoil::net::TcpStream;

/// The server's place among the hosts.
pub(crate) const SERVER: usize = 0;

/// A connection, by its number in the order of dialling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CableId(pub(crate) usize);

/// Where bytes are going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    Server,
    Peer,
}

impl Toward {
    pub(crate) const fn opposite(self) -> Self {
        match self {
            Self::Server => Self::Peer,
            Self::Peer => Self::Server,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Server => 0,
            Self::Peer => 1,
        }
    }
}

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Bytes may pass.
    Open,
    /// Both ends get an error.
    Broken,
    /// The peer has closed its end in the middle of whatever it did.
    Left,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Lane {
    /// How many faults make it stand still.
    stalls: u32,
    /// Bytes that were written and not yet read.
    in_flight: usize,
    /// Whether the writer's program died: nothing comes after what is under way.
    is_last: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

#[derive(Debug)]
struct Cable {
    /// Known once the dialler has its end, which may be after the server has.
    dialled: Option<Dialled>,
    /// Whether the server's end is over.
    ended: bool,
    fate: Fate,
    lanes: [Lane; 2],
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
    /// How many faults block the path from one host to another.
    blocked: BTreeMap<(usize, usize), u32>,
    server_is_down: bool,
    waiting_for_a_path: Vec<Waker>,
    /// Whether the programs of a host are being killed just now, and the sockets they leave behind.
    dying: bool,
    buried: Vec<TcpStream>,
    journal: Journal,
}

impl Cables {
    pub(crate) fn new(bytes: ByteFaults, journal: Journal) -> Self {
        Self(Arc::new(Mutex::new(NetworkState {
            bytes,
            cables: Vec::new(),
            by_port: BTreeMap::new(),
            dials: BTreeMap::new(),
            blocked: BTreeMap::new(),
            server_is_down: false,
            waiting_for_a_path: Vec::new(),
            dying: false,
            buried: Vec::new(),
            journal,
        })))
    }

    /// A panic elsewhere already fails the seed, so a poisoned lock is of no further interest.
    pub(crate) fn lock(&self) -> MutexGuard<'_, NetworkState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a connection from `host` to the server could be made.
    ///
    /// # Errors
    /// The server's process is down: its host refuses.
    pub(crate) async fn path_from(&self, host: usize) -> io::Result<()> {
        poll_fn(|cx| self.lock().poll_path(host, cx)).await
    }

    /// The connection that an actor has dialled from this local address.
    pub(crate) fn dialled(&self, local: SocketAddr, home: Home) -> CableId {
        let mut state = self.lock();
        let id = state.at(local);
        let dials = state.dials.entry(home.actor).or_default();
        let nth = *dials;
        *dials += 1;
        let connection = state.journal.connected(now(), home.actor);
        state.cables[id.0].dialled = Some(Dialled { home, nth, connection });
        if state.cables[id.0].ended {
            state.journal.ended(now(), connection);
        }
        id
    }

    /// The connection that the server has accepted from this address.
    pub(crate) fn accepted(&self, peer: SocketAddr) -> CableId {
        self.lock().at(peer)
    }
}

impl NetworkState {
    /// Both ends come here, in either order, with the dialler's address, which is never used twice in a seed.
    fn at(&mut self, dialler: SocketAddr) -> CableId {
        let next = CableId(self.cables.len());
        let id = *self.by_port.entry(dialler).or_insert(next);
        if id == next {
            self.cables.push(Cable {
                dialled: None,
                ended: false,
                fate: Fate::Open,
                lanes: Default::default(),
            });
        }
        id
    }

    fn poll_path(&mut self, host: usize, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.is_blocked(host, SERVER) || self.is_blocked(SERVER, host) {
            self.waiting_for_a_path.push(cx.waker().clone());
            Poll::Pending
        } else if self.server_is_down {
            Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, "server: connection refused")))
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn is_blocked(&self, from: usize, to: usize) -> bool {
        self.blocked.get(&(from, to)).is_some_and(|&faults| faults > 0)
    }

    pub(crate) const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    pub(crate) fn fate(&self, id: CableId) -> Fate {
        self.cables[id.0].fate
    }

    /// So many ticks of the simulation.
    pub(super) fn ticks(&self, count: u64) -> Duration {
        self.bytes.tick * u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The draws of a fault of the `nth` read or write at this end, if it shall happen.
    pub(super) fn draw(&self, class: FaultClass, end: &End, nth: u64) -> Option<Chance> {
        let per_mille = *self.bytes.per_mille.get(&class)?;
        let dialled = self.cables[end.id.0].dialled?;
        let side = match end.toward {
            Toward::Server => "peer",
            Toward::Peer => "server",
        };
        let actor = dialled.home.actor.index() as u64;
        let number = dialled.nth << 40 | nth;
        let mut chance = chance::rng(self.bytes.seed, actor, class.name(), number).and(side);
        chance.odds(per_mille.into(), 1000).then_some(chance)
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
        if let Some(dialled) = self.cables[id.0].dialled {
            self.journal.closed(now(), dialled.connection, how);
        }
    }

    /// The server's end is over, or half of it.
    pub(super) fn ended(&mut self, id: CableId) {
        self.cables[id.0].ended = true;
        if let Some(dialled) = self.cables[id.0].dialled {
            self.journal.ended(now(), dialled.connection);
        }
    }

    /// Whether bytes in this direction stand still.
    pub(crate) fn is_still(&self, id: CableId, toward: Toward) -> bool {
        let cable = &self.cables[id.0];
        let blocked = cable.dialled.is_some_and(|Dialled { home, .. }| match toward {
            Toward::Server => self.is_blocked(home.host, SERVER),
            Toward::Peer => self.is_blocked(SERVER, home.host),
        });
        blocked || cable.lanes[toward.index()].stalls > 0
    }

    /// Wakes the reader of this direction when something changes.
    pub(crate) fn wake_reader(&mut self, id: CableId, toward: Toward, cx: &Context<'_>) {
        remember(&mut self.cables[id.0].lanes[toward.index()].reader, cx);
    }

    /// Wakes the writer of this direction when something changes.
    pub(crate) fn wake_writer(&mut self, id: CableId, toward: Toward, cx: &Context<'_>) {
        remember(&mut self.cables[id.0].lanes[toward.index()].writer, cx);
    }

    /// How many bytes may be written in this direction before its reader must take some.
    pub(crate) fn room(&self, id: CableId, toward: Toward) -> usize {
        self.bytes.window.saturating_sub(self.cables[id.0].lanes[toward.index()].in_flight)
    }

    /// The writer's socket has taken bytes.
    pub(super) fn given(&mut self, id: CableId, toward: Toward, bytes: &[u8]) {
        let cable = &mut self.cables[id.0];
        cable.lanes[toward.index()].in_flight += bytes.len();
        if let (Toward::Server, Some(dialled)) = (toward, cable.dialled) {
            self.journal.wrote(now(), dialled.connection, bytes);
        }
    }

    /// The reader has taken bytes from its socket.
    pub(super) fn taken(&mut self, id: CableId, toward: Toward, bytes: &[u8]) {
        let cable = &mut self.cables[id.0];
        let lane = &mut cable.lanes[toward.index()];
        lane.in_flight -= bytes.len();
        if let Some(writer) = lane.writer.take() {
            writer.wake();
        }
        if let (Toward::Peer, Some(dialled)) = (toward, cable.dialled) {
            self.journal.read(now(), dialled.connection, bytes);
        }
    }

    /// Makes one direction of a connection stand still until as many [`NetworkState::release`].
    pub(crate) fn stall(&mut self, id: CableId, toward: Toward) {
        self.cables[id.0].lanes[toward.index()].stalls += 1;
    }

    pub(crate) fn release(&mut self, id: CableId, toward: Toward) {
        let lane = &mut self.cables[id.0].lanes[toward.index()];
        lane.stalls -= 1;
        lane.wake();
    }

    /// Gives both ends an error.
    pub(crate) fn sever(&mut self, id: CableId, fate: Fate) {
        let cable = &mut self.cables[id.0];
        if cable.fate == Fate::Open {
            cable.fate = fate;
            cable.lanes.iter_mut().for_each(Lane::wake);
        }
    }

    /// Blocks the path from one host to another until as many [`NetworkState::unblock`].
    pub(crate) fn block(&mut self, from: usize, to: usize) {
        *self.blocked.entry((from, to)).or_default() += 1;
    }

    pub(crate) fn unblock(&mut self, from: usize, to: usize) {
        *self.blocked.entry((from, to)).or_default() -= 1;
        self.wake_everybody();
    }

    /// The programs of a host are about to be killed.
    ///
    /// In which order a runtime drops its tasks depends on numbers that tokio counts per process, so what they
    /// leave must not: sockets are buried as they are, and [`NetworkState::died`] tells the peers in our order.
    pub(crate) fn dies(&mut self, at: Time, host: usize) {
        self.dying = true;
        if host == SERVER {
            self.server_is_down = true;
            self.journal.server_down(at);
        }
        for dialled in self.cables.iter().filter_map(|cable| cable.dialled) {
            if dialled.home.host == host {
                self.journal.closed(at, dialled.connection, Closing::ByPeer);
            }
        }
    }

    /// The programs of a host were killed: whoever they spoke with reads what is under way, and then the end.
    pub(crate) fn died(&mut self, host: usize) {
        self.dying = false;
        for cable in &mut self.cables {
            let theirs = match cable.dialled {
                _ if host == SERVER => Some(Toward::Peer),
                Some(dialled) if dialled.home.host == host => Some(Toward::Server),
                Some(_) | None => None,
            };
            if let Some(toward) = theirs {
                cable.lanes[toward.index()].is_last = true;
                cable.ended |= host == SERVER;
                cable.lanes.iter_mut().for_each(Lane::wake);
            }
        }
    }

    /// Takes a socket whose program is being killed, and forgets the bytes that waited in it; gives any other back.
    pub(super) fn bury(
        &mut self,
        socket: TcpStream,
        id: CableId,
        toward: Toward,
        held: usize,
    ) -> Option<TcpStream> {
        if !self.dying {
            return Some(socket);
        }
        self.cables[id.0].lanes[toward.index()].in_flight -= held;
        self.buried.push(socket);
        None
    }

    /// Whether the writer of this direction is dead and all that is under way has arrived.
    pub(super) fn is_all_from_the_dead(&self, id: CableId, toward: Toward, arrived: usize) -> bool {
        let lane = &self.cables[id.0].lanes[toward.index()];
        lane.is_last && lane.in_flight == arrived
    }

    /// The server listens: connections are made.
    pub(crate) fn server_is_up(&mut self) {
        self.server_is_down = false;
    }

    fn wake_everybody(&mut self) {
        self.cables.iter_mut().flat_map(|cable| &mut cable.lanes).for_each(Lane::wake);
        self.waiting_for_a_path.drain(..).for_each(Waker::wake);
    }

    /// The open connections of those hosts.
    pub(crate) fn of_hosts(&self, hosts: &[usize]) -> Vec<CableId> {
        self.open(|home| hosts.contains(&home.host))
    }

    /// The open connection of an actor that was dialled last.
    pub(crate) fn of_actor(&self, actor: Actor) -> Option<CableId> {
        self.open(|home| home.actor == actor).pop()
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

    fn open(&self, mut wanted: impl FnMut(Home) -> bool) -> Vec<CableId> {
        let open = self.cables.iter().enumerate().filter(|(_, cable)| cable.fate == Fate::Open);
        let dialled = open.filter_map(|(id, cable)| Some((CableId(id), cable.dialled?.home)));
        dialled.filter(|(_, home)| wanted(*home)).map(|(id, _)| id).collect()
    }
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(cx.waker()) => {}
        _ => *slot = Some(cx.waker().clone()),
    }
}
