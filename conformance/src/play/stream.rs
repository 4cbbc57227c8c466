//! What carries a connection: a socket, or the two ends of a program's standard input and output.

use std::io;
use std::task::{Context, Poll};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixStream};

/// The carrier of a connection.
#[derive(Debug)]
pub(super) enum Stream {
    /// To a server, or from a client.
    Tcp(TcpStream),
    /// To a program that the tool started.
    Program(UnixStream),
}

impl Stream {
    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(context),
            Self::Program(stream) => stream.poll_read_ready(context),
        }
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(context),
            Self::Program(stream) => stream.poll_write_ready(context),
        }
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buffer),
            Self::Program(stream) => stream.try_read(buffer),
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Program(stream) => stream.try_write(bytes),
        }
    }

    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown().await,
            Self::Program(stream) => stream.shutdown().await,
        }
    }

    /// Makes the close an RST; what is no TCP has none.
    pub(super) fn set_zero_linger(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_zero_linger(),
            Self::Program(_) => Ok(()),
        }
    }
}
