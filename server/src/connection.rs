//! One connection: what is read becomes events, what the engine left in the mailbox is written.

use crate::hub::Hub;
use crate::mailbox::{Closing, Mailbox, Orders};
use crate::phase::Phase;
use gearman_engine::{Buffered, ConnectionId, Doors, Event};
use gearman_net::{Clock, READ_SIZE, Stream, Wire};
use gearman_protocol::{DecodeError, Frame, Limits, Outward, Request, Time};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// How long a peer that the engine hung up on may go on sending before the socket is closed under it.
///
/// Closing at once would make the system answer what still arrives with a reset, which can destroy our last
/// words before the peer has read them.
const LINGER: Duration = Duration::from_secs(2);

/// The engine is told how full the buffers are when they cross a multiple of this, or become empty.
const STEP: usize = 64 * 1024;

pub(crate) struct Connection<S, D, C> {
    id: ConnectionId,
    wire: Wire<S>,
    hub: Arc<Hub<D, C>>,
    mailbox: Arc<Mailbox>,
    orders: Orders,
    /// Whether the peer may still send.
    inbound: Half,
    /// Whether the peer may still be written to.
    outbound: Half,
    partial_since: Option<Time>,
    told: Buffered,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Open,
    Ended,
}

/// What became of an attempt to read.
enum Reading {
    /// So many bytes came, or 0 at the end of the stream.
    Came(usize),
    /// Nothing is there, or nothing shall be read.
    Nothing,
    /// The connection is no more.
    Gone,
}

impl<S: Stream, D: Doors + Send + 'static, C: Clock> Connection<S, D, C> {
    pub(crate) fn new(
        stream: S,
        limits: Limits,
        hub: Arc<Hub<D, C>>,
        (id, mailbox): (ConnectionId, Arc<Mailbox>),
    ) -> Self {
        Self {
            id,
            wire: Wire::new(stream, limits),
            hub,
            mailbox,
            orders: Orders::default(),
            inbound: Half::Open,
            outbound: Half::Open,
            partial_since: None,
            told: Buffered::default(),
        }
    }

    /// Serves the peer until one of the two leaves.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| self.poll_end(cx)).await;
        self.hub.close(self.id);
        let peer_may_send = self.inbound == Half::Open && self.outbound == Half::Open;
        let by_engine = self.orders.closing == Some(Closing::AfterFlush);
        if peer_may_send && by_engine && self.hub.life.phase() < Phase::Ending(crate::Finish::Stopped) {
            let _ = timeout(LINGER, poll_fn(|cx| self.poll_linger(cx))).await;
        }
    }

    /// Turn after turn: collect, write, read, until there is nothing to do. After [`READ_SIZE`] bytes it is
    /// the others' turn.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut budget = READ_SIZE;
        loop {
            self.orders = self.mailbox.collect(self.wire.outward());
            let is_flushed = self.flush(cx);
            match self.orders.closing {
                Some(Closing::Now) => return Poll::Ready(()),
                Some(Closing::AfterFlush) if is_flushed => return Poll::Ready(()),
                Some(Closing::AfterFlush) | None => self.tell_fill(),
            }
            match self.read(cx) {
                Reading::Came(count) if count < budget => budget -= count,
                Reading::Came(_) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Reading::Nothing if self.mailbox.sleep(cx.waker()) => return Poll::Pending,
                Reading::Nothing => {}
                Reading::Gone => return Poll::Ready(()),
            }
        }
    }

    /// Whether nothing waits to be written any more.
    fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        if self.outbound == Half::Open {
            match self.wire.poll_flush(cx) {
                Poll::Pending => return false,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => self.outbound = Half::Ended,
            }
        }
        if self.outbound == Half::Ended {
            *self.wire.outward() = Outward::new();
        }
        true
    }

    /// Reads once and tells the engine.
    fn read(&mut self, cx: &mut Context<'_>) -> Reading {
        // A peer that cannot be written to has left, but what it sent before that counts.
        let nothing = if self.outbound == Half::Open { Reading::Nothing } else { Reading::Gone };
        if self.orders.paused || self.orders.closing.is_some() || self.inbound == Half::Ended {
            return nothing;
        }
        let (mut events, from) = (Vec::new(), self.id);
        match self.wire.poll_read(cx, |frame| events.push(event(from, frame))) {
            Poll::Pending => nothing,
            Poll::Ready(Err(_)) => Reading::Gone,
            Poll::Ready(Ok(count)) => {
                if count == 0 {
                    self.inbound = Half::Ended;
                    events.push(Event::HalfClosed { from });
                }
                self.note_partial(!events.is_empty());
                if !events.is_empty() {
                    self.hub.receive(&self.mailbox, events);
                }
                Reading::Came(count)
            }
        }
    }

    /// Notes since when the message is partial that the decoder is in the middle of.
    fn note_partial(&mut self, ended_one: bool) {
        if self.wire.decoder().partial().is_none() || self.inbound == Half::Ended {
            self.partial_since = None;
        } else if ended_one || self.partial_since.is_none() {
            self.partial_since = Some(self.hub.clock.now());
        }
    }

    /// Tells the engine how full the buffers are, if that is news.
    fn tell_fill(&mut self) {
        let fill = Buffered {
            inbound: self.wire.decoder().held(),
            outward: self.wire.outward().len(),
            partial_since: self.partial_since,
        };
        let steps =
            |fill: Buffered| (fill.inbound.div_ceil(STEP), fill.outward.div_ceil(STEP), fill.partial_since);
        if steps(fill) != steps(self.told) {
            self.told = fill;
            self.hub.turn([Event::Buffered { from: self.id, fill }]);
        }
    }

    /// Reads and forgets until the peer has understood that we left.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.wire.poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        while let Ok(1..) = ready!(self.wire.poll_read(cx, |_| {})) {}
        Poll::Ready(())
    }
}

fn event(from: ConnectionId, frame: Result<Frame, DecodeError>) -> Event {
    match frame.and_then(Request::parse) {
        Ok(request) => Event::Received { from, request },
        Err(error) => Event::Malformed { from, error },
    }
}
