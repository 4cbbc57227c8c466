//! A network within the process.

use crate::{Listener, Liveness, Network, Stream};
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many bytes are under way in each direction before a writer waits.
const WINDOW: usize = 64 * 1024;

/// A network within the process: what was bound in one clone can be reached from all. Any text is an address.
///
/// It is for tests and for programs that are their own clients. Nothing in it depends on time or chance.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<HashMap<String, UnboundedSender<MemoryStream>>>>);

/// A place in a [`Memory`] network.
#[derive(Debug)]
pub struct MemoryDoor {
    address: String,
    arrivals: UnboundedReceiver<MemoryStream>,
}

/// A connection in a [`Memory`] network.
#[derive(Debug)]
pub struct MemoryStream(DuplexStream);

impl Memory {
    /// A network without a place.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<String, UnboundedSender<MemoryStream>>> {
        self.0.lock().expect("no panic happens under this lock")
    }
}

impl Network for Memory {
    type Stream = MemoryStream;
    type Listener = MemoryDoor;

    async fn bind(&self, address: &str) -> io::Result<MemoryDoor> {
        let (arrive, arrivals) = unbounded_channel();
        let mut places = self.places();
        if places.get(address).is_some_and(|place| !place.is_closed()) {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{address}: is bound already")));
        }
        places.insert(address.to_owned(), arrive);
        Ok(MemoryDoor { address: address.to_owned(), arrivals })
    }

    async fn connect(&self, address: &str) -> io::Result<MemoryStream> {
        let (ours, theirs) = duplex(WINDOW);
        let refused =
            || io::Error::new(io::ErrorKind::ConnectionRefused, format!("{address}: nobody is there"));
        let arrive = self.places().get(address).cloned().ok_or_else(refused)?;
        arrive.send(MemoryStream(theirs)).map_err(|_| refused())?;
        Ok(MemoryStream(ours))
    }
}

impl Listener for MemoryDoor {
    type Stream = MemoryStream;

    async fn accept(&mut self) -> io::Result<(MemoryStream, String)> {
        match self.arrivals.recv().await {
            Some(stream) => Ok((stream, "memory".to_owned())),
            // The network and all its places are gone, and nobody can come any more.
            None => std::future::pending().await,
        }
    }

    fn address(&self) -> io::Result<String> {
        Ok(self.address.clone())
    }
}

impl Stream for MemoryStream {
    /// A peer within the process cannot be silently gone.
    fn watch_liveness(&self, _liveness: &Liveness) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
