//! TCP behind the abstract network.

mod options;

use crate::{Listener, Liveness, Network, Stream};
use options::{Family, listen, watch};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, lookup_host};

/// How many connections may wait to be accepted at [`Tcp`]. The system may allow fewer.
const BACKLOG: u32 = 1024;

/// The machine's TCP. Addresses are `HOST:PORT`, where the host may be a name, an IPv4 or a bracketed IPv6
/// address, or, to listen at, `*` for every address of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

/// A listening TCP socket.
#[derive(Debug)]
pub struct TcpDoor(TcpListener);

/// A TCP connection.
#[derive(Debug)]
pub struct TcpConnection(TcpStream);

impl Network for Tcp {
    type Stream = TcpConnection;
    type Listener = TcpDoor;

    /// Where a name has several addresses, the first of them that can be listened at.
    async fn bind(&self, address: &str) -> io::Result<TcpDoor> {
        let bound = match address.strip_prefix("*:") {
            Some(port) => everywhere(port, BACKLOG),
            None => one_of(address).await,
        };
        bound.map_err(|error| about(address, &error))
    }

    async fn connect(&self, address: &str) -> io::Result<TcpConnection> {
        let stream = TcpStream::connect(address).await.map_err(|error| about(address, &error))?;
        stream.set_nodelay(true)?;
        Ok(TcpConnection(stream))
    }
}

/// One IPv6 socket that takes IPv4 as well; where the machine has no IPv6, an IPv4 socket.
pub(crate) fn everywhere(port: &str, backlog: u32) -> io::Result<TcpDoor> {
    let port = port.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not a port"))?;
    let (every_v6, every_v4) = (([0u16; 8], port).into(), ([0u8; 4], port).into());
    match listen(every_v6, backlog, Family::Both) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => listen(every_v4, backlog, Family::Own),
        outcome => outcome,
    }
    .map(TcpDoor)
}

async fn one_of(address: &str) -> io::Result<TcpDoor> {
    let mut refusal = no_address();
    for candidate in lookup_host(address).await? {
        match listen(candidate, BACKLOG, Family::Own) {
            Ok(listener) => return Ok(TcpDoor(listener)),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Every address of a name, all at one port. Those that this machine does not have are left out, if there are
/// others: `localhost` is two addresses even where there is no IPv6.
pub(crate) async fn named(address: &str, backlog: u32) -> io::Result<Vec<TcpDoor>> {
    let mut doors: Vec<TcpDoor> = Vec::new();
    let mut refusal = no_address();
    // The same address may stand there twice.
    let candidates: BTreeSet<SocketAddr> = lookup_host(address).await?.collect();
    for mut candidate in candidates {
        if let (0, Some(TcpDoor(first))) = (candidate.port(), doors.first()) {
            candidate.set_port(first.local_addr()?.port());
        }
        match listen(candidate, backlog, Family::Own) {
            Ok(listener) => doors.push(TcpDoor(listener)),
            Err(error) if is_missing(&error) => refusal = error,
            Err(error) => return Err(error),
        }
    }
    if doors.is_empty() { Err(refusal) } else { Ok(doors) }
}

/// Whether the machine lacks the address, or its whole family.
fn is_missing(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(97)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")
}

fn about(address: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{address}: {error}"))
}

impl TcpDoor {
    /// Takes over a socket that listens already.
    pub(crate) fn inherited(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self)
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpConnection, String)>> {
        let (stream, peer) = ready!(self.0.poll_accept(cx))?;
        // This fails only when the peer is gone already, which the first read will tell.
        let _ = stream.set_nodelay(true);
        Poll::Ready(Ok((TcpConnection(stream), peer.ip().to_canonical().to_string())))
    }
}

impl Listener for TcpDoor {
    type Stream = TcpConnection;

    async fn accept(&mut self) -> io::Result<(TcpConnection, String)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn address(&self) -> io::Result<String> {
        self.0.local_addr().map(|address| address.to_string())
    }
}

impl Stream for TcpConnection {
    fn watch_liveness(&self, liveness: &Liveness) -> io::Result<()> {
        watch(&self.0, liveness)
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_packets_are_sent_at_once() {
        let mut door = Tcp.bind("127.0.0.1:0").await.unwrap();
        let peer = Tcp.connect(&door.address().unwrap()).await.unwrap();
        let (accepted, _) = door.accept().await.unwrap();
        assert!(accepted.0.nodelay().unwrap() && peer.0.nodelay().unwrap());
    }
}
