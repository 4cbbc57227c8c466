//! The proxy: one listener before one server, and one lock around whoever misbehaves.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::notes::Notes;
use super::wire::{Ended, Framed, Frames, Message};
use super::{Act, Breakage, Desk, Id, Trick};

/// How long a message may stay in parts before its beginning is let go.
const PATIENCE: Duration = Duration::from_millis(30);

/// How many bytes a peer may be sent until it says something again: how much it has read nobody here can see.
const STALLED: usize = 1024 * 1024;

/// A proxy before a server; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Listens on a free port, before the server on this one.
    pub(crate) async fn start(breakage: Breakage, upstream: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let core = Arc::new(Core::new(breakage.trick(), upstream));
            let mut next = 0;
            while let Ok((peer, _)) = listener.accept().await {
                if core.is_dead() {
                    break;
                }
                next += 1;
                join(&core, next, peer).await;
            }
        });
        Ok(Self { address, task })
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

/// What is written to one side of a connection.
enum Write {
    Bytes(Vec<u8>),
    End(Ended),
}

struct Ends {
    up: UnboundedSender<Write>,
    down: UnboundedSender<Write>,
    /// Bytes that the peer was sent since it last said something.
    owed: usize,
}

struct Core {
    inner: Mutex<Inner>,
    upstream: u16,
}

struct Inner {
    trick: Box<dyn Trick>,
    notes: Notes,
    ends: BTreeMap<Id, Ends>,
    own: Option<UnboundedSender<Write>>,
    is_dead: bool,
}

impl Core {
    fn new(trick: Box<dyn Trick>, upstream: u16) -> Self {
        let inner =
            Inner { trick, notes: Notes::default(), ends: BTreeMap::new(), own: None, is_dead: false };
        Self { inner: Mutex::new(inner), upstream }
    }

    fn is_dead(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).is_dead
    }

    /// Lets the trick look at something, and does what it asks for.
    fn tell(self: &Arc<Self>, look: impl FnOnce(&mut dyn Trick, &mut Desk<'_>)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { trick, notes, ends, .. } = &mut *inner;
        let stalled = ends.iter().find(|(_, ends)| ends.owed > STALLED);
        let mut desk = Desk { acts: Vec::new(), notes, stalled: stalled.map(|(id, _)| *id) };
        look(trick.as_mut(), &mut desk);
        for act in desk.acts {
            self.act(&mut inner, act);
        }
    }

    fn act(self: &Arc<Self>, inner: &mut Inner, act: Act) {
        match act {
            Act::Up(at, message) => {
                inner.notes.heard(at, &message);
                if let Some(ends) = inner.ends.get(&at) {
                    let _ = ends.up.send(Write::Bytes(message.bytes()));
                }
            }
            Act::Down(at, message) => {
                if let Some(ends) = inner.ends.get_mut(&at) {
                    let bytes = message.bytes();
                    ends.owed += bytes.len();
                    let _ = ends.down.send(Write::Bytes(bytes));
                }
            }
            Act::EndUp(at, how) => {
                if let Some(ends) = inner.ends.get(&at) {
                    let _ = ends.up.send(Write::End(how));
                }
            }
            Act::EndDown(at, how) => {
                if let Some(ends) = inner.ends.get(&at) {
                    let _ = ends.down.send(Write::End(how));
                }
            }
            Act::Own(line) => {
                let own = inner.own.get_or_insert_with(|| self.own());
                let _ = own.send(Write::Bytes([&line[..], b"\r\n"].concat()));
            }
            Act::After(millis, at, what) => {
                let core = Arc::clone(self);
                tokio::spawn(async move {
                    sleep(Duration::from_millis(millis)).await;
                    core.tell(|trick, desk| trick.timer(at, what, desk));
                });
            }
            Act::Die => {
                inner.is_dead = true;
                inner.ends.clear();
            }
        }
    }

    /// A connection of the proxy's own, whose answers nobody reads.
    fn own(&self) -> UnboundedSender<Write> {
        let (sender, receiver) = unbounded_channel();
        let upstream = self.upstream;
        tokio::spawn(async move {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
            let (mut reading, writing) = stream.into_split();
            tokio::spawn(write(writing, receiver));
            let mut buffer = [0; 4096];
            while reading.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        });
        sender
    }
}

/// Joins a peer to a connection of its own to the server.
async fn join(core: &Arc<Core>, id: Id, peer: TcpStream) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", core.upstream)).await else {
        // The peer sees what it would see at the server: nobody takes its connection.
        let _ = peer.set_zero_linger();
        return;
    };
    let _ = (peer.set_nodelay(true), server.set_nodelay(true));
    let (from_peer, to_peer) = peer.into_split();
    let (from_server, to_server) = server.into_split();
    let (up, up_receiver) = unbounded_channel();
    let (down, down_receiver) = unbounded_channel();
    let ends = Ends { up, down, owed: 0 };
    core.inner.lock().unwrap_or_else(PoisonError::into_inner).ends.insert(id, ends);
    tokio::spawn(write(to_server, up_receiver));
    tokio::spawn(write(to_peer, down_receiver));
    tokio::spawn(read(Arc::clone(core), id, from_peer, true));
    tokio::spawn(read(Arc::clone(core), id, from_server, false));
}

async fn write(mut to: OwnedWriteHalf, mut what: UnboundedReceiver<Write>) {
    while let Some(next) = what.recv().await {
        match next {
            Write::Bytes(bytes) => {
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Write::End(Ended::Fin) => {
                let _ = to.shutdown().await;
                return;
            }
            Write::End(Ended::Reset) => {
                let _ = to.as_ref().set_zero_linger();
                return;
            }
        }
    }
}

async fn read(core: Arc<Core>, id: Id, mut from: OwnedReadHalf, is_peer: bool) {
    let mut frames = Frames::default();
    let mut buffer = vec![0; 64 * 1024];
    let ended = loop {
        let count = if frames.is_partial() {
            match timeout(PATIENCE, from.read(&mut buffer)).await {
                Ok(count) => count,
                Err(_) => {
                    if let Some(raw) = frames.release() {
                        pass(&core, id, Framed { message: raw, pieces: 1, is_behind: false }, is_peer);
                        continue;
                    }
                    from.read(&mut buffer).await
                }
            }
        } else {
            from.read(&mut buffer).await
        };
        match count {
            Ok(0) => break Ended::Fin,
            Err(_) => break Ended::Reset,
            Ok(count) => {
                for framed in frames.extend(&buffer[..count]) {
                    pass(&core, id, framed, is_peer);
                }
                if is_peer && frames.is_partial() {
                    core.tell(|trick, desk| trick.partial(id, desk));
                }
            }
        }
    };
    if let Some(message) = frames.remains() {
        pass(&core, id, Framed { message, pieces: 1, is_behind: false }, is_peer);
    }
    core.tell(
        |trick, desk| {
            if is_peer { trick.peer_ended(id, ended, desk) } else { trick.server_ended(id, ended, desk) }
        },
    );
}

fn pass(core: &Arc<Core>, id: Id, framed: Framed, is_peer: bool) {
    if is_peer {
        if let Some(ends) = core.inner.lock().unwrap_or_else(PoisonError::into_inner).ends.get_mut(&id) {
            ends.owed = 0;
        }
        core.tell(|trick, desk| trick.up(id, framed, desk));
        return;
    }
    core.inner.lock().unwrap_or_else(PoisonError::into_inner).notes.said(id, &framed.message);
    core.tell(|trick, desk| {
        let message: Message = framed.message;
        trick.down(id, message, desk);
    });
}
