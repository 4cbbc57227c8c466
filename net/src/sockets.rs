//! Everything that a program on this machine can listen at: TCP, Unix-domain sockets, sockets handed over.

mod connection;
mod unix;

use crate::tcp::{TcpConnection, TcpDoor, everywhere, named};
use crate::{Listener, Network, Tcp};
pub use connection::SocketConnection;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use unix::UnixDoor;

/// The machine's sockets. Addresses to listen at are
///
/// * `HOST:PORT`, where the host may be a bracketed IPv6 address, or a name, of which every address is taken;
/// * `*:PORT`, every address of the machine;
/// * `unix:PATH`, a Unix-domain socket, which is removed when the listener goes;
/// * `inherited:NUMBER`, one of the sockets given to [`with_inherited`](Self::with_inherited), from 0.
#[derive(Clone, Debug)]
pub struct Sockets {
    backlog: u32,
    inherited: Arc<Mutex<Vec<Option<Inherited>>>>,
}

/// A listening socket that another process has opened for us.
#[derive(Debug)]
pub enum Inherited {
    /// At a TCP address.
    Tcp(std::net::TcpListener),
    /// At a path.
    Unix(std::os::unix::net::UnixListener),
}

/// What listens at one address. A name may stand for several sockets.
#[derive(Debug)]
pub struct SocketDoor {
    sockets: Vec<Single>,
    /// Which socket is asked first, so that a busy one does not keep the others waiting.
    first: usize,
}

#[derive(Debug)]
enum Single {
    Tcp(TcpDoor),
    Unix(UnixDoor),
}

impl Sockets {
    /// Sockets at which up to `backlog` connections may wait to be accepted. The system may allow fewer.
    #[must_use]
    pub fn new(backlog: u32) -> Self {
        Self { backlog, inherited: Arc::default() }
    }

    /// The same, with sockets that were opened by somebody else. Each can be listened at once.
    #[must_use]
    pub fn with_inherited(self, sockets: impl IntoIterator<Item = Inherited>) -> Self {
        let inherited = sockets.into_iter().map(Some).collect();
        Self { inherited: Arc::new(Mutex::new(inherited)), ..self }
    }

    async fn open(&self, address: &str) -> io::Result<Vec<Single>> {
        if let Some(number) = address.strip_prefix("inherited:") {
            return Ok(vec![self.inherit(number)?]);
        }
        if let Some(path) = address.strip_prefix("unix:") {
            return Ok(vec![Single::Unix(UnixDoor::bind(path, self.backlog)?)]);
        }
        let doors = match address.strip_prefix("*:") {
            Some(port) => vec![everywhere(port, self.backlog)?],
            None => named(address, self.backlog).await?,
        };
        Ok(doors.into_iter().map(Single::Tcp).collect())
    }

    fn inherit(&self, number: &str) -> io::Result<Single> {
        let index: Option<usize> = number.parse().ok();
        let mut inherited = self.inherited.lock().expect("no panic happens under this lock");
        let socket = index.and_then(|index| inherited.get_mut(index)?.take());
        match socket {
            Some(Inherited::Tcp(listener)) => TcpDoor::inherited(listener).map(Single::Tcp),
            Some(Inherited::Unix(listener)) => UnixDoor::inherited(listener).map(Single::Unix),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such socket was handed over")),
        }
    }
}

impl Network for Sockets {
    type Stream = SocketConnection;
    type Listener = SocketDoor;

    async fn bind(&self, address: &str) -> io::Result<SocketDoor> {
        let about = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
        let sockets = self.open(address).await.map_err(about)?;
        Ok(SocketDoor { sockets, first: 0 })
    }

    async fn connect(&self, address: &str) -> io::Result<SocketConnection> {
        match address.strip_prefix("unix:") {
            Some(path) => unix::connect(path).await.map(SocketConnection::Unix),
            None => Tcp.connect(address).await.map(SocketConnection::Tcp),
        }
    }
}

impl SocketDoor {
    /// The next peer at any of the sockets.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(SocketConnection, String)>> {
        let count = self.sockets.len();
        for index in (self.first..count).chain(0..self.first) {
            if let Poll::Ready(accepted) = self.sockets[index].poll_accept(cx) {
                self.first = (index + 1) % count;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl Listener for SocketDoor {
    type Stream = SocketConnection;

    async fn accept(&mut self) -> io::Result<(SocketConnection, String)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Several addresses are joined by ` and `.
    fn address(&self) -> io::Result<String> {
        let addresses: Vec<String> = self.sockets.iter().map(Single::address).collect::<io::Result<_>>()?;
        Ok(addresses.join(" and "))
    }
}

impl Single {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(SocketConnection, String)>> {
        Poll::Ready(match self {
            Self::Tcp(door) => {
                let (stream, peer): (TcpConnection, String) = ready!(door.poll_accept(cx))?;
                Ok((SocketConnection::Tcp(stream), peer))
            }
            Self::Unix(door) => {
                let stream = ready!(door.poll_accept(cx))?;
                // Peers at a path have no address of their own.
                Ok((SocketConnection::Unix(stream), "unix".to_owned()))
            }
        })
    }

    fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(door) => door.address(),
            Self::Unix(door) => Ok(door.address()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tokio::io::AsyncReadExt;

    /// A door of two sockets, as a name with two addresses gives it.
    async fn two() -> (SocketDoor, Vec<String>) {
        let network = Sockets::new(8);
        let mut sockets = Vec::new();
        for _ in 0..2 {
            sockets.append(&mut network.open("127.0.0.1:0").await.unwrap());
        }
        let door = SocketDoor { sockets, first: 0 };
        let address = door.address().unwrap();
        (door, address.split(" and ").map(str::to_owned).collect())
    }

    #[tokio::test]
    async fn a_busy_socket_does_not_keep_the_other_waiting() {
        let (mut door, addresses) = two().await;
        let mut peers = Vec::new();
        for (address, mark) in [(0, b'a'), (0, b'a'), (0, b'a'), (1, b'b')] {
            let mut peer = std::net::TcpStream::connect(&addresses[address]).unwrap();
            peer.write_all(&[mark]).unwrap();
            peers.push(peer);
        }
        let mut served = Vec::new();
        for _ in &peers {
            let (mut stream, _) = door.accept().await.unwrap();
            served.push(stream.read_u8().await.unwrap());
        }
        let of_the_other = served.iter().position(|&mark| mark == b'b');
        assert!(of_the_other < Some(3), "{served:?}");
    }
}
