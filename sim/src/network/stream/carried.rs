//! A connection of a transcript: a program that waits on one connection, and leaves its others to the kernel.

use super::SimStream;
use crate::history::Closing;
use crate::network::{Pace, Toward};
use gearman_conformance::play::Carrier;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that wait for company are sent by a task, whatever the program waits for.
pub(crate) struct Carried(Arc<Mutex<SimStream>>);

impl Carried {
    /// This connection, which moves so slowly in both directions, if it shall.
    pub(crate) fn new(stream: SimStream, pace: Option<Pace>) -> Self {
        if let Some(pace) = pace {
            let mut state = stream.end.cables.lock();
            for toward in [Toward::Server, Toward::Peer] {
                state.slow_down(stream.end.id, toward, pace);
            }
        }
        Self(Arc::new(Mutex::new(stream)))
    }

    fn lock(&self) -> MutexGuard<'_, SimStream> {
        lock(&self.0)
    }
}

/// A panic elsewhere already fails the test.
fn lock(stream: &Mutex<SimStream>) -> MutexGuard<'_, SimStream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimStream {
    /// Ready when no bytes wait for company any more.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(()) };
        let sent = self.outgoing.poll_held(inner, cx);
        if sent.is_ok() && self.outgoing.held() > 0 { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Carrier for Carried {
    fn reset_on_close(&mut self) {
        let mut stream = self.lock();
        if let Some(inner) = stream.inner.take() {
            stream.end.over(Closing::Reset);
            stream.end.cables.lock().close_unread(inner, stream.end.id, stream.end.toward);
        }
    }
}

impl AsyncRead for Carried {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Carried {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.lock()).poll_write(cx, bytes);
        if self.lock().outgoing.held() > 0 {
            let stream = Arc::clone(&self.0);
            tokio::spawn(poll_fn(move |cx| lock(&stream).poll_sent(cx)));
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        self.lock().close(Closing::ByPeer);
    }
}
