//! A connection to a server: requests go out, responses come in.

use crate::{Error, Loss};
use bytes::Bytes;
use gearman_net::{Liveness, Network, Stream, Wire};
use gearman_protocol::{DecodeError, Frame, Limits, Magic, Request, Response};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// While more bytes than this wait to be written, nothing more is taken in.
const HIGH_WATER: usize = 1 << 20;

/// How long the server may take to read our last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a server is reached and watched.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// How long connecting may take: 10 s.
    pub connect_timeout: Duration,
    /// When a silent server is asked whether it lives; `None` is never.
    pub liveness: Option<Liveness>,
}

impl Default for Reach {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), liveness: Some(Liveness::default()) }
    }
}

/// A connection to a server. Whatever future of it is dropped, nothing is lost.
pub(crate) struct Link<S> {
    wire: Wire<S>,
    arrived: VecDeque<Response>,
    loss: Option<Loss>,
}

impl<S: Stream> Link<S> {
    /// Connects.
    pub(crate) async fn open<N>(network: &N, address: &str, reach: &Reach) -> Result<Self, Error>
    where
        N: Network<Stream = S>,
    {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("{address}: no answer"));
        let stream = timeout(reach.connect_timeout, network.connect(address)).await.map_err(late);
        let stream = stream.and_then(|outcome| outcome).map_err(Error::Connect)?;
        if let Some(liveness) = &reach.liveness {
            stream.watch_liveness(liveness).map_err(Error::Connect)?;
        }
        Ok(Self { wire: Wire::new(stream, Limits::default()), arrived: VecDeque::new(), loss: None })
    }

    /// Puts a request at the end of what goes to the server; it is written while the next response is awaited.
    pub(crate) fn send(&mut self, request: &Request) {
        request.encode(self.wire.outward());
    }

    /// Whether so much waits to be written that nothing should be added.
    pub(crate) fn is_full(&mut self) -> bool {
        self.wire.outward().len() >= HIGH_WATER
    }

    /// The next response.
    pub(crate) async fn next(&mut self) -> Result<Response, Loss> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next response; `None` as soon as a link that was full has room again.
    pub(crate) fn poll_next_or_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Response>, Loss>> {
        let was_full = self.is_full();
        let polled = self.poll_next(cx);
        if polled.is_pending() && was_full && !self.is_full() {
            // Nobody else would wake a task that waits to add something.
            return Poll::Ready(Ok(None));
        }
        polled.map(|outcome| outcome.map(Some))
    }

    /// Writes what waits, and gives the next response.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response, Loss>> {
        let flushed = self.wire.poll_flush(cx);
        loop {
            if let Some(response) = self.arrived.pop_front() {
                return Poll::Ready(Ok(response));
            }
            if let Some(loss) = self.loss {
                return Poll::Ready(Err(loss));
            }
            match (self.poll_read(cx), &flushed) {
                (Poll::Ready(loss), _) => self.loss = loss,
                // A server that cannot be written to has left, and all that it said before that is read.
                (Poll::Pending, Poll::Ready(Err(error))) => self.loss = Some(Loss::from(error)),
                (Poll::Pending, _) => return Poll::Pending,
            }
        }
    }

    /// Says goodbye: what waits is written, and then the server is given the time to read it.
    pub(crate) async fn close(mut self) {
        let _ = timeout(LAST_WORDS, poll_fn(|cx| self.poll_close(cx))).await;
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let flushed = ready!(self.wire.poll_flush(cx));
        if flushed.is_err() || ready!(self.wire.poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        while let Ok(1..) = ready!(self.wire.poll_read(cx, |_| {})) {}
        Poll::Ready(())
    }

    /// Reads once; what ends the link, if it does.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Loss>> {
        let (arrived, mut malformed) = (&mut self.arrived, None);
        // Behind something that is no response nothing is believed, however the bytes were cut into reads.
        let read = ready!(self.wire.poll_read(cx, |frame| match frame.and_then(response) {
            Ok(response) if malformed.is_none() => arrived.push_back(response),
            Ok(_) => {}
            Err(error) => malformed = malformed.or(Some(Loss::Malformed(error))),
        }));
        Poll::Ready(match read {
            Ok(0) => Some(Loss::Closed),
            Ok(_) => malformed,
            Err(error) => Some(Loss::from(&error)),
        })
    }
}

/// What a frame says. One server in the field sends WORK_FAIL with the magic of a request, so the magic is not
/// looked at: whatever comes from a server is a response.
fn response(mut frame: Frame) -> Result<Response, DecodeError> {
    if let Frame::Packet(packet) = &mut frame {
        packet.magic = Magic::Response;
    }
    Response::parse(frame)
}

/// Refuses bytes that would not fit a packet, however the rest of it is used.
pub(crate) fn check_size(bytes: &Bytes) -> Result<(), DecodeError> {
    /// More than the names beside them can take.
    const ROOM: usize = 4096;
    let size = u32::try_from(bytes.len() + ROOM);
    size.map(|_| ()).map_err(|_| DecodeError::PacketTooLarge { size: u32::MAX })
}
