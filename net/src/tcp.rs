//! TCP behind the abstract network.

mod options;

use crate::{Listener, Liveness, Network, Stream};
use options::{listen, watch};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, lookup_host};

/// How many connections may wait to be accepted, unless [`Tcp::with_backlog`] says otherwise. The system may
/// allow fewer.
const BACKLOG: u32 = 1024;

/// The machine's TCP. Addresses are `HOST:PORT`, where the host may be a name, an IPv4 or a bracketed IPv6
/// address, or, to listen at, `*` for every address of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

/// [`Tcp`] with another length of the queue of connections that wait to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct TcpWithBacklog(u32);

/// A listening TCP socket.
#[derive(Debug)]
pub struct TcpDoor(TcpListener);

/// A TCP connection.
#[derive(Debug)]
pub struct TcpConnection(TcpStream);

impl Tcp {
    /// The same network, where up to `backlog` connections may wait to be accepted.
    #[must_use]
    pub const fn with_backlog(backlog: u32) -> TcpWithBacklog {
        TcpWithBacklog(backlog)
    }
}

impl Network for Tcp {
    type Stream = TcpConnection;
    type Listener = TcpDoor;

    async fn bind(&self, address: &str) -> io::Result<TcpDoor> {
        Self::with_backlog(BACKLOG).bind(address).await
    }

    async fn connect(&self, address: &str) -> io::Result<TcpConnection> {
        let stream = TcpStream::connect(address).await.map_err(|error| about(address, &error))?;
        stream.set_nodelay(true)?;
        Ok(TcpConnection(stream))
    }
}

impl Network for TcpWithBacklog {
    type Stream = TcpConnection;
    type Listener = TcpDoor;

    async fn bind(&self, address: &str) -> io::Result<TcpDoor> {
        let listener = match address.strip_prefix("*:") {
            Some(port) => self.bind_everywhere(port),
            None => self.bind_one(address).await,
        };
        listener.map(TcpDoor).map_err(|error| about(address, &error))
    }

    async fn connect(&self, address: &str) -> io::Result<TcpConnection> {
        Tcp.connect(address).await
    }
}

impl TcpWithBacklog {
    /// One IPv6 socket that takes IPv4 as well; where the machine has no IPv6, an IPv4 socket.
    fn bind_everywhere(self, port: &str) -> io::Result<TcpListener> {
        let port = port.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not a port"))?;
        let (every_v6, every_v4) = (([0u16; 8], port).into(), ([0u8; 4], port).into());
        match listen(every_v6, self.0, options::Family::Both) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                listen(every_v4, self.0, options::Family::Own)
            }
            outcome => outcome,
        }
    }

    /// The first of the name's addresses that can be listened at.
    async fn bind_one(self, address: &str) -> io::Result<TcpListener> {
        let mut refusal = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        for candidate in resolve(address).await? {
            match listen(candidate, self.0, options::Family::Own) {
                Ok(listener) => return Ok(listener),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host(address).await?.collect())
}

fn about(address: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{address}: {error}"))
}

impl Listener for TcpDoor {
    type Stream = TcpConnection;

    async fn accept(&mut self) -> io::Result<(TcpConnection, String)> {
        let (stream, peer) = self.0.accept().await?;
        // This fails only when the peer is gone already, which the first read will tell.
        let _ = stream.set_nodelay(true);
        Ok((TcpConnection(stream), peer.ip().to_canonical().to_string()))
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
