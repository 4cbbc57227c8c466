//! What has arrived and was not read yet.

use super::End;
use crate::faults::FaultClass;
use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use turmoil::net::TcpStream;

/// A short read returns at most this many bytes: less than a packet's header.
const SHORT: u64 = 9;

/// The receiving buffer of a socket: where one write ended and the next began is forgotten in it, as TCP does.
#[derive(Default)]
pub(super) struct Incoming {
    arrived: BytesMut,
    over: Option<Over>,
    reads: u64,
}

#[derive(Clone, Copy)]
enum Over {
    Closed,
    Failed(io::ErrorKind),
}

impl Incoming {
    /// Takes bytes that have arrived; 0 is the end of the stream. `buffer` has room for some.
    pub(super) fn poll_read(
        &mut self,
        inner: &mut TcpStream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        end: &End,
    ) -> Poll<io::Result<usize>> {
        self.pull(inner, cx);
        if self.over.is_none()
            && end.cables.lock().is_all_from_the_dead(end.id, end.toward.opposite(), self.arrived.len())
        {
            self.over = Some(Over::Closed);
        }
        match self.over {
            _ if !self.arrived.is_empty() => Poll::Ready(Ok(self.take(buffer, end))),
            None => Poll::Pending,
            Some(Over::Closed) => Poll::Ready(Ok(0)),
            Some(Over::Failed(kind)) => Poll::Ready(Err(kind.into())),
        }
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
        let could = self.arrived.len().min(buffer.remaining());
        let mut state = end.cables.lock();
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
