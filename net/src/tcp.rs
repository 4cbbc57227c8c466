//! TCP behind the abstract network.

use crate::{Listener, Liveness, Network, Stream};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The machine's TCP. Addresses are `HOST:PORT`, where the host may be a name, an IPv4 or a bracketed IPv6 address.
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

    async fn bind(&self, address: &str) -> io::Result<TcpDoor> {
        TcpListener::bind(address).await.map(TcpDoor).map_err(|error| about(address, &error))
    }

    async fn connect(&self, address: &str) -> io::Result<TcpConnection> {
        let stream = TcpStream::connect(address).await.map_err(|error| about(address, &error))?;
        stream.set_nodelay(true)?;
        Ok(TcpConnection(stream))
    }
}

fn about(address: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{address}: {error}"))
}

impl Listener for TcpDoor {
    type Stream = TcpConnection;

    async fn accept(&mut self) -> io::Result<(TcpConnection, String)> {
        let (stream, peer) = self.0.accept().await?;
        stream.set_nodelay(true)?;
        Ok((TcpConnection(stream), peer.ip().to_string()))
    }

    fn address(&self) -> io::Result<String> {
        self.0.local_addr().map(|address| address.to_string())
    }
}

impl Stream for TcpConnection {
    fn watch_liveness(&self, _liveness: &Liveness) -> io::Result<()> {
        Ok(())
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
