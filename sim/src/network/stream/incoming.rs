//! What has arrived and was not read yet.

use super::{End, poll_timer};
use crate::faults::FaultClass;
use crate::faults::schedule::Last;
use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};
use turmoil::net::TcpStream;

/// A short read returns at most this many bytes: less than a packet's header.
const SHORT: u64 = 9;

/// What is late is so many ticks late.
const DELAY: std::ops::RangeInclusive<u64> = 1..=12;

/// The receiving buffer of a socket: where one write ended and the next began is forgotten in it, as TCP does.
#[derive(Default)]
pub(super) struct Incoming {
    arrived: BytesMut,
    over: Option<Over>,
    /// Until when what has arrived is still under way, for its reader.
    late: Option<Pin<Box<Sleep>>>,
    arrivals: u64,
    reads: u64,
}

#[derive(Clone, Copy)]
enum Over {
    Closed,
    Failed(io::ErrorKind),
}

impl Incoming {
    /// Whether bytes are there that were not read; those that turmoil still has, it knows of itself.
    pub(super) fn is_unread(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// Takes bytes that have arrived; 0 is the end of the stream. `buffer` has room for some.
    pub(super) fn poll_read(
        &mut self,
        inner: &mut TcpStream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        end: &End,
    ) -> Poll<io::Result<usize>> {
        ready!(poll_timer(&mut self.late, cx));
        let before = self.arrived.len();
        self.pull(inner, cx);
        if self.arrived.len() > before {
            self.delay(end);
            ready!(poll_timer(&mut self.late, cx));
        }
        if self.over.is_none() {
            let last = end.cables.lock().last(end.id, end.toward.opposite(), self.arrived.len());
            self.over = last.map(|last| match last {
                Last::Fin => Over::Closed,
                Last::Reset => Over::Failed(io::ErrorKind::ConnectionReset),
            });
        }
        match self.over {
            _ if !self.arrived.is_empty() => Poll::Ready(Ok(self.take(buffer, end))),
            None => Poll::Pending,
            Some(Over::Closed) => Poll::Ready(Ok(0)),
            Some(Over::Failed(kind)) => Poll::Ready(Err(kind.into())),
        }
    }

    /// Makes what has just arrived late, if chance says so.
    fn delay(&mut self, end: &End) {
        let mut state = end.cables.lock();
        if let Some(mut chance) = state.draw(FaultClass::Delay, end, self.arrivals) {
            self.late = Some(Box::pin(sleep(state.ticks(chance.between(DELAY)))));
            state.bit(FaultClass::Delay, end.id);
        }
        self.arrivals += 1;
    }

    /// Empties the socket below.
    fn pull(&mut self, inner: &mut TcpStream, cx: &mut Context<'_>) {
        while self.over.is_none() {
            let mut space = [0; 2048];
            let mut space = ReadBuf::new(&mut space);
            match Pin::new(&mut *inner).poll_read(cx, &mut space) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) if space.filled().is_empty() => self.over = Some(Over::Closed),
                Poll::Ready(Ok(())) => self.arrived.extend_from_slice(space.filled()),
                Poll::Ready(Err(error)) => self.over = Some(Over::Failed(error.kind())),
            }
        }
    }

    fn take(&mut self, buffer: &mut ReadBuf<'_>, end: &End) -> usize {
        let mut state = end.cables.lock();
        let allowed = state.allowance(end.id, end.toward.opposite());
        let could = self.arrived.len().min(buffer.remaining()).min(allowed);
        let takes = state.draw(FaultClass::ShortRead, end, self.reads).map_or(could, |mut chance| {
            usize::try_from(chance.between(1..=SHORT)).map_or(could, |short| short.min(could))
        });
        self.reads += 1;
        if takes < could {
            state.bit(FaultClass::ShortRead, end.id);
        }
        let bytes = &self.arrived[..takes];
        buffer.put_slice(bytes);
        state.taken(end.id, end.toward.opposite(), bytes);
        self.arrived.advance(takes);
        takes
    }
}
