//! One end of a connection: what the program on a host reads from and writes to.

mod incoming;
mod outgoing;

use super::{CableId, Cables, Fate, Toward};
use crate::history::Closing;
use incoming::Incoming;
use outgoing::Outgoing;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::TcpStream;

/// One end of a connection.
pub(crate) struct SimStream {
    /// The socket below, until this end is closed.
    inner: Option<TcpStream>,
    end: End,
    incoming: Incoming,
    outgoing: Outgoing,
}

/// Which end of which connection.
#[derive(Clone)]
pub(super) struct End {
    cables: Cables,
    pub(super) id: CableId,
    /// Where bytes written here go.
    pub(super) toward: Toward,
}

impl SimStream {
    /// The end that has dialled.
    pub(super) fn dialled(inner: TcpStream, id: CableId, cables: Cables) -> Self {
        Self::new(inner, End { cables, id, toward: Toward::Server })
    }

    /// The end that has accepted.
    pub(super) fn accepted(inner: TcpStream, id: CableId, cables: Cables) -> Self {
        Self::new(inner, End { cables, id, toward: Toward::Peer })
    }

    fn new(inner: TcpStream, end: End) -> Self {
        Self { inner: Some(inner), end, incoming: Incoming::default(), outgoing: Outgoing::default() }
    }

    /// An error if this end is closed or has just been made to; wakes the reader if that changes.
    fn fail_if_severed(&mut self) -> io::Result<()> {
        let fate = self.end.cables.lock().fate(self.end.id);
        let error = match (fate, self.end.toward) {
            (Fate::Open, _) | (Fate::Left, Toward::Peer) if self.inner.is_some() => return Ok(()),
            (Fate::Left, _) => io::ErrorKind::ConnectionAborted,
            (Fate::Open | Fate::Broken, _) => io::ErrorKind::ConnectionReset,
        };
        let how = if fate == Fate::Left { Closing::ByPeer } else { Closing::Reset };
        self.close(how);
        Err(error.into())
    }

    /// Closes the socket; what was written before still goes out, as it does from a kernel.
    fn close(&mut self, how: Closing) {
        let Some(inner) = self.inner.take() else { return };
        let held = self.outgoing.held();
        let alive = self.end.cables.lock().bury(inner, self.end.id, self.end.toward, held);
        if let Some(inner) = alive {
            self.end.over(how);
            if turmoil::in_simulation() {
                self.outgoing.send_held_from(&inner);
            }
        }
    }
}

impl End {
    /// Tells the journal that this end is over.
    fn over(&self, how: Closing) {
        let mut state = self.cables.lock();
        match self.toward {
            Toward::Server => state.closed(self.id, how),
            Toward::Peer => state.ended(self.id),
        }
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.fail_if_severed()?;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        this.outgoing.poll_held(inner, cx)?;
        let lane = this.end.toward.opposite();
        if this.end.cables.lock().is_still(this.end.id, lane, cx) {
            return Poll::Pending;
        }
        let read = ready!(this.incoming.poll_read(inner, cx, buffer, &this.end));
        match &read {
            Ok(0) => this.end.over(Closing::ByServer),
            Err(_) => this.close(Closing::Reset),
            Ok(_) => {}
        }
        Poll::Ready(read.map(drop))
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.fail_if_severed()?;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let written = ready!(this.outgoing.poll_write(inner, cx, bytes, &this.end));
        if written.is_err() {
            this.close(Closing::Reset);
        }
        Poll::Ready(written)
    }

    /// A kernel takes all pieces at once, so they travel as one write.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match pieces {
            [piece] => self.poll_write(cx, piece),
            pieces => {
                let together: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
                self.poll_write(cx, &together)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// As on a real socket, nothing waits for a flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.fail_if_severed()?;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        this.outgoing.send_held_from(inner);
        this.end.over(Closing::HalfClosed);
        Pin::new(inner).poll_shutdown(cx)
    }
}

impl gearman_net::Stream for SimStream {
    /// A simulated host that is gone has closed its connections, so there is nothing to ask.
    fn watch_liveness(&self, _: &gearman_net::Liveness) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.close(Closing::ByPeer);
    }
}
