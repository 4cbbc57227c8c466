//! One connection: what is read becomes events, what the engine left in the mailbox is written.

use crate::hub::{Hub, Turn};
use crate::mailbox::{Closing, Mailbox, Orders};
use crate::phase::Phase;
use gearman_engine::{Buffered, ConnectionId, Doors, Event};
use gearman_net::{Clock, Stream, Wire};
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
    /// Whether something was read that is not answered yet.
    has_read: bool,
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
    /// Bytes came, or the end of the stream.
    Came,
    /// Nothing is there, or nothing shall be read.
    Nothing,
    /// The connection is no more.
    Gone,
}

/// Whether there may be more to write.
#[derive(PartialEq, Eq)]
enum Writing {
    GoesOn,
    /// The connection ends here.
    Last,
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
            has_read: false,
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

    /// Turn after turn: read, and if nothing is there, write what the engine left, until there is nothing to do.
    ///
    /// Whoever has read lets the others come first and writes in its next turn: all that are ready are read
    /// before any is written to, so that what many cause for one peer is one write. Nobody reads more than
    /// [`READ_SIZE`](gearman_net::READ_SIZE) bytes, or [`TURN`](gearman_net::TURN) of one message, before it is the
    /// others' turn.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.orders = self.mailbox.collect(self.wire.outward());
            let answers = std::mem::take(&mut self.has_read);
            if !answers {
                match self.read(cx) {
                    Reading::Came => {
                        self.has_read = true;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Reading::Nothing => {}
                    Reading::Gone => return Poll::Ready(()),
                }
            }
            if self.write(cx) == Writing::Last {
                return Poll::Ready(());
            }
            if !answers && self.outbound == Half::Open && self.mailbox.sleep(cx.waker()) {
                return Poll::Pending;
            }
        }
    }

    /// Writes what waits, as far as the peer takes it, and tells the engine how much is left.
    fn write(&mut self, cx: &mut Context<'_>) -> Writing {
        let is_flushed = self.flush(cx);
        match self.orders.closing {
            Some(Closing::Now) => return Writing::Last,
            Some(Closing::AfterFlush) if is_flushed => return Writing::Last,
            Some(Closing::AfterFlush) | None => self.tell_fill(),
        }
        Writing::GoesOn
    }

    /// Whether nothing waits to be written any more.
    fn flush(&mut self, cx: &mut Context<'_>) -> bool {
        if self.outbound == Half::Open {
            let before = self.wire.outward().len();
            let flushed = self.wire.poll_flush(cx);
            self.hub.tally.sent(before - self.wire.outward().len());
            match flushed {
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
        let (from, mut turn) = (self.id, None);
        let (hub, mailbox) = (&self.hub, &self.mailbox);
        let mut tell = |event| {
            let turn = turn.get_or_insert_with(|| hub.begin_turn());
            // Nothing counts after the event by which the engine decides to close the connection.
            if !mailbox.is_closing() {
                turn.tell(event);
            }
        };
        let count = match self.wire.poll_read(cx, |frame| tell(event(from, frame))) {
            Poll::Pending => return nothing,
            Poll::Ready(Err(_)) => return Reading::Gone,
            Poll::Ready(Ok(count)) => count,
        };
        self.hub.tally.received(count);
        if count == 0 {
            self.inbound = Half::Ended;
            tell(Event::HalfClosed { from });
        }
        let ended_one = turn.is_some();
        turn.into_iter().for_each(Turn::end);
        self.note_partial(ended_one);
        Reading::Came
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
