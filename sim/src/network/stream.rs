//! One end of a connection: what the program on a host reads from and writes to.

#[cfg(test)]
mod carried;
mod incoming;
mod outgoing;

#[cfg(test)]
pub(crate) use carried::Carried;

use super::{CableId, Cables, Fate, Toward};
use crate::history::Closing;
use incoming::Incoming;
use outgoing::Outgoing;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use turmoil::net::TcpStream;

/// Ready when there is no timer or it has run out.
fn poll_timer(timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(sleep) = timer {
        ready!(sleep.as_mut().poll(cx));
        *timer = None;
    }
    Poll::Ready(())
}

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

    /// Which connection it is an end of.
    pub(crate) const fn cable(&self) -> CableId {
        self.end.id
    }

    fn new(inner: TcpStream, end: End) -> Self {
        Self { inner: Some(inner), end, incoming: Incoming::default(), outgoing: Outgoing::default() }
    }

    /// An error if this end is closed or has just been made to; waits while the program here stands still.
    fn poll_alive(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let fate = ready!(self.end.cables.lock().poll_fate(self.end.id, self.end.toward, cx));
        let error = match (fate, self.end.toward) {
            (Fate::Open, _) | (Fate::Left, Toward::Peer) if self.inner.is_some() => {
                return Poll::Ready(Ok(()));
            }
            (Fate::CutOff(toward), here) if toward != here && self.inner.is_some() => {
                return Poll::Ready(Ok(()));
            }
            (Fate::Left, _) => io::ErrorKind::ConnectionAborted,
            (Fate::Open | Fate::Broken | Fate::CutOff(_), _) => io::ErrorKind::ConnectionReset,
        };
        let how = if fate == Fate::Left { Closing::ByPeer } else { Closing::Reset };
        self.close(how);
        Poll::Ready(Err(error.into()))
    }

    /// Closes the socket; what was written before still goes out, as it does from a kernel.
    fn close(&mut self, how: Closing) {
        let Some(inner) = self.inner.take() else { return };
        let held = self.outgoing.held();
        if self.end.is_cut_off() {
            self.end.over(Closing::Reset);
            return self.end.cables.lock().keep(inner);
        }
        let alive = self.end.cables.lock().bury(inner, self.end.id, self.end.toward, held);
        if let Some(inner) = alive {
            self.end.over(how);
            if turmoil::in_simulation() {
                self.outgoing.send_held_from(&inner);
                if self.incoming.is_unread() {
                    self.end.cables.lock().close_unread(inner, self.end.id, self.end.toward);
                }
            }
        }
    }
}

impl End {
    /// Whether this end gets an error, and the other one is not told by this one's socket.
    fn is_cut_off(&self) -> bool {
        self.cables.lock().fate(self.id) == Fate::CutOff(self.toward)
    }

    /// How this end takes it that nothing more comes.
    fn end_of_stream(&self) -> Closing {
        let is_lost = self.cables.lock().is_lost(self.id, self.toward);
        if is_lost { Closing::OnTheWay } else { Closing::ByServer }
    }

    /// Tells the journal that this end is over.
    fn over(&self, how: Closing) {
        let mut state = self.cables.lock();
        match self.toward {
            Toward::Server => state.closed(self.id, how),
            // Of a server behind a relay that is for the relay to say.
            Toward::Peer if state.is_relayed() => {}
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
        ready!(this.poll_alive(cx))?;
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
            Ok(0) => this.end.over(this.end.end_of_stream()),
            Err(_) => this.close(Closing::Reset),
            Ok(_) => {}
        }
        Poll::Ready(read.map(drop))
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_alive(cx))?;
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
        ready!(this.poll_alive(cx))?;
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
