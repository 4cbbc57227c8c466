//! What stands on a server's host in place of the server: it carries bytes between the simulated network and the
//! machine's own sockets, and says when a connection is over at the server.
//!
//! A hang-up has no reply, and between the moment at which a server may have been told of one and the moment at which
//! it certainly has, nobody can say whether its worker's job is back. So for that while nothing that the server says
//! is passed on to anybody: whatever it does about the end is then seen after the end. What is held back arrives late,
//! which a network may do to any bytes at any time.
//!
//! A server has been told when its own end of the connection is over, because it tells its engine first: after the end
//! of a stream it closes, which is read here; after a reset it closes its descriptor, which the system shows.

use super::{Refusal, descriptors};
use crate::history::ServerId;
use crate::network::{CableId, Cables, Fate, SimNetwork, SimStream, now};
use bytes::{Buf, BytesMut};
use gearman_net::{Listener, Network};
use gearman_protocol::{DecodeError, Decoder, Limits, Request};
use socket2::SockRef;
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

/// So many bytes may wait here in one direction; the rest waits where it comes from.
const MOST: usize = 64 * 1024;
/// How many bytes are taken at a time.
const PIECE: usize = 16 * 1024;

/// The process behind a server's host.
#[derive(Clone)]
pub(super) struct Backend {
    /// Where it listens.
    pub(super) at: SocketAddr,
    /// Its process's number, which is another in each of its lives.
    pub(super) process: Rc<Cell<u32>>,
    /// Whether it was told to end.
    pub(super) is_leaving: Rc<Cell<bool>>,
    /// How often its sockets are looked at.
    pub(super) turn: Duration,
    /// Where it is told what the system does not say.
    pub(super) refusal: Refusal,
}

/// How many ends a server may have been told of and may not: while there are any, nothing that it says is passed on.
#[derive(Clone, Default)]
struct Hush(Rc<Cell<u32>>);

impl Hush {
    fn begin(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn end(&self) {
        self.0.set(self.0.get() - 1);
    }

    fn is_on(&self) -> bool {
        self.0.get() > 0
    }
}

/// The program of a server's host, for one life of the server.
pub(super) async fn serve(network: SimNetwork, id: ServerId, backend: Backend) -> turmoil::Result {
    let mut door = network.bind("0.0.0.0:4730").await?;
    {
        let mut state = network.cables().lock();
        state.server_is_up(id);
        state.journal().server_up(now(), id);
    }
    let hush = Hush::default();
    loop {
        let (peer, _) = door.accept().await?;
        let cables = network.cables().clone();
        match dial(backend.at) {
            Ok(server) => {
                let relay = Relay::new(peer, server, (backend.clone(), hush.clone()), cables);
                tokio::task::spawn_local(relay.run());
            }
            // The machine has no more to give, or the server has just ended by itself: a peer gets a reset, for which
            // nobody blames a server.
            Err(_) => {
                cables.lock().sever(peer.cable(), Fate::Broken);
            }
        }
    }
}

fn dial(at: SocketAddr) -> io::Result<TcpStream> {
    let server = TcpStream::connect(at)?;
    server.set_nonblocking(true)?;
    server.set_nodelay(true)?;
    Ok(server)
}

/// How far a connection's end has come.
///
/// ```text
///   Open -- the peer closes, or says nonsense --> Told ------- the server closes ----------> Over
///     |                                                                                       ^ ^
///     +---- it breaks --> Breaking -- the server has taken it --> Reset -- it has let go -----+ |
///     +---- the server closes ------------------------------------------------------------------+
/// ```
/// In `Told` and `Reset` there is a hush. One that is open when a server ends that was told to stays so until its host is
/// taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Told,
    Breaking,
    /// With the number of the socket at the server's end.
    Reset(u64),
    Over,
}

/// One connection.
struct Relay {
    peer: Option<SimStream>,
    server: Option<TcpStream>,
    id: CableId,
    cables: Cables,
    backend: Backend,
    hush: Hush,
    end: End,
    /// What is under way.
    to_server: BytesMut,
    to_peer: BytesMut,
    /// What the server makes of what the peer says.
    decoder: Decoder,
    /// Whether the peer has said something after which the server hangs up.
    is_nonsense: bool,
    /// Whether the peer says nothing more, and whether the server has been told.
    peer_is_done: bool,
    is_shut: bool,
    /// Whether the server's last word was a reset, and whether the peer has been told of the end.
    is_reset: bool,
    has_told_peer: bool,
}

impl Relay {
    fn new(peer: SimStream, server: TcpStream, (backend, hush): (Backend, Hush), cables: Cables) -> Self {
        Self {
            id: peer.cable(),
            peer: Some(peer),
            server: Some(server),
            cables,
            backend,
            hush,
            end: End::Open,
            to_server: BytesMut::new(),
            to_peer: BytesMut::new(),
            decoder: Decoder::new(Limits::default()),
            is_nonsense: false,
            peer_is_done: false,
            is_shut: false,
            is_reset: false,
            has_told_peer: false,
        }
    }

    async fn run(mut self) {
        while !poll_fn(|cx| Poll::Ready(self.turn(cx))).await {
            sleep(self.backend.turn).await;
        }
    }

    /// Moves whatever can be moved; says whether all is over.
    fn turn(&mut self, cx: &mut Context<'_>) -> bool {
        self.hear_peer(cx);
        self.tell_server();
        self.hear_server();
        self.tell_peer(cx);
        self.end == End::Over && (self.peer.is_none() || self.peer_is_done && self.has_told_peer)
    }

    fn hear_peer(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; PIECE];
        while !self.peer_is_done && self.to_server.len() < MOST {
            let Some(peer) = &mut self.peer else { return };
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(peer).poll_read(cx, &mut buffer) {
                Poll::Pending => return,
                Poll::Ready(Err(_)) => self.breaks(),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.peer_is_done = true,
                // What comes after the server's end is read and forgotten, as the server does.
                Poll::Ready(Ok(())) if self.end == End::Over => {}
                Poll::Ready(Ok(())) => {
                    self.is_nonsense = self.is_nonsense || is_nonsense(&mut self.decoder, buffer.filled());
                    self.to_server.extend_from_slice(buffer.filled());
                }
            }
        }
    }

    /// The peer's end is gone; what it had said and is still here is lost.
    fn breaks(&mut self) {
        self.peer = None;
        if self.end == End::Open {
            self.end = End::Breaking;
            self.to_server.clear();
        }
    }

    fn tell_server(&mut self) {
        if self.is_nonsense {
            self.begin_to_end();
        }
        let Some(server) = &mut self.server else { return };
        while !self.to_server.is_empty() {
            match server.write(&self.to_server) {
                Ok(count) => self.to_server.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Reading tells what became of the connection.
                Err(_) => self.to_server.clear(),
            }
        }
        if self.peer_is_done && !self.is_shut {
            self.begin_to_end();
            self.is_shut = true;
            // One that is gone already needs not be told.
            let _ = self.server.iter().try_for_each(|server| server.shutdown(Shutdown::Write));
        }
    }

    /// From here on the server may have been told.
    fn begin_to_end(&mut self) {
        // A server that has ended is told nothing.
        if self.end == End::Open && self.server.is_some() {
            self.end = End::Told;
            self.hush.begin();
        }
    }

    fn hear_server(&mut self) {
        if let End::Reset(socket) = self.end {
            match descriptors::has(self.backend.process.get(), socket) {
                Ok(true) => {}
                Ok(false) => self.over(),
                // What a process has that ends is shown to root alone.
                Err(error)
                    if self.backend.is_leaving.get() && error.kind() == ErrorKind::PermissionDenied =>
                {
                    self.over()
                }
                Err(error) => self.backend.refusal.note(error.to_string()),
            }
            return;
        }
        // A connection that ends is read to its end, so that nothing that waits to be read keeps it open.
        let is_ending = matches!(self.end, End::Told | End::Breaking);
        let mut space = [0; PIECE];
        while is_ending || !self.hush.is_on() && self.to_peer.len() < MOST {
            let Some(server) = &mut self.server else { return };
            match server.read(&mut space) {
                Ok(0) => self.hung_up(),
                Ok(count) => self.to_peer.extend_from_slice(&space[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.is_reset = true;
                    self.hung_up();
                }
            }
        }
        if self.end == End::Breaking {
            self.reset();
        }
    }

    /// Resets the connection, if the server has taken it: the system would show nothing of one that it has not.
    fn reset(&mut self) {
        let Some(server) = &self.server else { return };
        let Ok(from) = server.local_addr() else { return };
        match descriptors::socket_of(self.backend.at, from) {
            Ok(None) => {}
            Ok(Some(socket)) => {
                self.hush.begin();
                // One that is gone already cannot linger.
                let _ = SockRef::from(server).set_linger(Some(Duration::ZERO));
                self.server = None;
                self.end = End::Reset(socket);
            }
            Err(error) => self.backend.refusal.note(error.to_string()),
        }
    }

    /// The server has hung up. One that was told to end and had no other reason has ended: that is told with its end.
    fn hung_up(&mut self) {
        if self.end == End::Open && self.backend.is_leaving.get() {
            self.server = None;
        } else {
            self.over();
        }
    }

    /// The server's end is over, and everybody may know.
    fn over(&mut self) {
        self.cables.lock().ended(self.id);
        if matches!(self.end, End::Told | End::Reset(_)) {
            self.hush.end();
        }
        self.end = End::Over;
        self.server = None;
        self.to_server.clear();
    }

    fn tell_peer(&mut self, cx: &mut Context<'_>) {
        if self.hush.is_on() {
            return;
        }
        while !self.to_peer.is_empty() {
            let Some(peer) = &mut self.peer else { return self.to_peer.clear() };
            match Pin::new(peer).poll_write(cx, &self.to_peer) {
                Poll::Pending => return,
                Poll::Ready(Ok(count)) => self.to_peer.advance(count),
                Poll::Ready(Err(_)) => self.breaks(),
            }
        }
        if self.end == End::Over && !self.has_told_peer {
            self.has_told_peer = true;
            self.tell_end(cx);
        }
    }

    /// The peer sees of the server's end what was seen here.
    fn tell_end(&mut self, cx: &mut Context<'_>) {
        if self.is_reset {
            self.cables.lock().sever(self.id, Fate::Broken);
        } else if let Some(peer) = &mut self.peer {
            // A peer that is gone needs not be told, and turmoil's sockets never make one wait for this.
            let _ = Pin::new(peer).poll_shutdown(cx);
        }
    }
}

/// Whether there is something in these bytes after which nothing can be understood.
fn is_nonsense(decoder: &mut Decoder, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match decoder.decode(&mut bytes) {
            Ok(None) => return false,
            Ok(Some(frame)) => {
                if Request::parse(frame).is_err_and(DecodeError::is_fatal) {
                    return true;
                }
            }
            Err(error) => return error.is_fatal(),
        }
    }
    false
}

#[cfg(test)]
mod tests;
