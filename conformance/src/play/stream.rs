//! What carries a connection: a socket, a connection in another world, or the two ends of a program's standard input
//! and output.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::world::Carried;

/// The carrier of a connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// To a server, or from a client.
    Tcp(TcpStream),
    /// To a server in another world.
    Carried(Carried),
    /// To a program that the tool started.
    Program(UnixStream),
}

impl Stream {
    pub(super) fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(context),
            Self::Carried(stream) => stream.poll_read_ready(context),
            Self::Program(stream) => stream.poll_read_ready(context),
        }
    }

    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Carried(stream) => stream.try_read(buffer),
            Self::Program(stream) => stream.try_read(buffer),
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Carried(stream) => Pin::new(stream.carrier()).poll_write(context, bytes),
            Self::Program(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown().await,
            Self::Carried(stream) => stream.carrier().shutdown().await,
            Self::Program(stream) => stream.shutdown().await,
        }
    }

    /// Makes the close an RST; what is no TCP has none.
    pub(super) fn set_zero_linger(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_zero_linger(),
            Self::Carried(stream) => {
                stream.carrier().reset_on_close();
                Ok(())
            }
            Self::Program(_) => Ok(()),
        }
    }
}
