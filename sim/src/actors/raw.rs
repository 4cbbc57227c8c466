//! An actor that speaks in frames and bytes: a pure machine over a connection.

use crate::faults::FaultClass;
use crate::history::Actor;
use crate::network::{SERVER_ADDRESS, SimNetwork, SimStream, now};
use crate::workload::{Machine, Output};
use gearman_net::{Network, Wire};
use gearman_protocol::{Limits, Response, Time};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::time::{Sleep, sleep};

/// What outlives the program: the machine, and what it wants done.
pub(crate) struct RawActor {
    actor: Actor,
    machine: RefCell<Machine>,
    wanted: RefCell<Vec<Output>>,
    player: RefCell<Option<Waker>>,
}

impl RawActor {
    pub(super) fn new(actor: Actor, machine: Machine) -> Self {
        Self {
            actor,
            machine: RefCell::new(machine),
            wanted: RefCell::new(Vec::new()),
            player: RefCell::new(None),
        }
    }

    pub(super) fn storm_over(&self) {
        self.machine.borrow_mut().storm_over(&mut self.wanted.borrow_mut());
        if let Some(player) = self.player.borrow_mut().take() {
            player.wake();
        }
    }

    pub(super) fn overrun(&self, takes_ms: u32) {
        self.machine.borrow_mut().hold_next(takes_ms);
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.machine.borrow().is_at_rest()
    }
}

/// Plays it on the host that runs, for ever.
pub(super) async fn play(raw: Rc<RawActor>, network: SimNetwork) {
    // Whatever a former life had open died with it.
    raw.wanted.borrow_mut().clear();
    raw.machine.borrow_mut().closed(now());
    let mut player = Player { raw, network, link: Link::Down, closing: Vec::new(), timer: None };
    poll_fn(|cx| player.poll(cx)).await;
}

enum Link {
    Down,
    Connecting(Pin<Box<dyn Future<Output = io::Result<SimStream>>>>),
    Open { wire: Box<Wire<SimStream>>, half_closing: bool },
}

struct Player {
    raw: Rc<RawActor>,
    network: SimNetwork,
    link: Link,
    /// Connections that are closed once what was written is taken.
    closing: Vec<Wire<SimStream>>,
    /// Set for the machine's next moment.
    timer: Option<(Time, Pin<Box<Sleep>>)>,
}

impl Player {
    /// Never ready: a host whose program ends is not stepped any more.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        *self.raw.player.borrow_mut() = Some(cx.waker().clone());
        while self.carry_out() | self.poll_link(cx) | self.poll_timer(cx) {}
        self.closing.retain_mut(|wire| wire.poll_flush(cx).is_pending());
        Poll::Pending
    }

    /// Does what the machine wants; says whether it wanted anything.
    fn carry_out(&mut self) -> bool {
        let wanted = std::mem::take(&mut *self.raw.wanted.borrow_mut());
        let any = !wanted.is_empty();
        for output in wanted {
            match (output, &mut self.link) {
                (Output::Connect, link) => {
                    let network = self.network.clone();
                    *link = Link::Connecting(Box::pin(async move { network.connect(SERVER_ADDRESS).await }));
                }
                (Output::Request(request), Link::Open { wire, .. }) => request.encode(wire.outward()),
                (Output::Bytes(bytes), Link::Open { wire, .. }) => wire.outward().put_slice(&bytes),
                (Output::HalfClose, Link::Open { half_closing, .. }) => *half_closing = true,
                (Output::GaveUp, _) => self.network.bit(FaultClass::CallTimeout),
                (Output::Close, link) => {
                    if let Link::Open { wire, .. } = std::mem::replace(link, Link::Down) {
                        self.closing.push(*wire);
                    }
                }
                (
                    Output::Request(_) | Output::Bytes(_) | Output::HalfClose,
                    Link::Down | Link::Connecting(_),
                ) => {
                    unreachable!("{} speaks without a connection", self.raw.actor)
                }
            }
        }
        any
    }

    /// Moves the connection on; says whether anything happened.
    fn poll_link(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.link {
            Link::Down => false,
            Link::Connecting(connecting) => match connecting.as_mut().poll(cx) {
                Poll::Pending => false,
                Poll::Ready(Ok(stream)) => {
                    let wire = Box::new(Wire::new(stream, Limits::default()));
                    self.link = Link::Open { wire, half_closing: false };
                    self.raw.machine.borrow_mut().opened(now(), &mut self.raw.wanted.borrow_mut());
                    true
                }
                Poll::Ready(Err(_)) => self.lost(),
            },
            Link::Open { wire, half_closing } => {
                let flushed = wire.poll_flush(cx);
                if flushed.is_ready() && *half_closing {
                    *half_closing = false;
                    // If it fails, so does reading.
                    let _ = wire.poll_shutdown(cx);
                }
                match read(wire, cx) {
                    Poll::Pending => false,
                    Poll::Ready(Ok(responses)) => self.heard(&responses),
                    Poll::Ready(Err(_)) => self.lost(),
                }
            }
        }
    }

    fn heard(&self, responses: &[Response]) -> bool {
        for response in responses {
            self.raw.machine.borrow_mut().read(now(), response, &mut self.raw.wanted.borrow_mut());
        }
        true
    }

    fn lost(&mut self) -> bool {
        self.link = Link::Down;
        self.raw.machine.borrow_mut().closed(now());
        true
    }

    /// Wakes the machine when its time has come; says whether it had.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let (now, at) = (now(), self.raw.machine.borrow().wake_at());
        let Some(at) = at else { return false };
        if at <= now {
            self.raw.machine.borrow_mut().woke(now, &mut self.raw.wanted.borrow_mut());
            return true;
        }
        let set = match &mut self.timer {
            Some((set, timer)) if *set == at => timer,
            other => &mut other.insert((at, Box::pin(sleep(at - now)))).1,
        };
        if set.as_mut().poll(cx).is_ready() {
            self.timer = None;
            return true;
        }
        false
    }
}

/// Reads once; the end of the stream is an error here.
fn read(wire: &mut Wire<SimStream>, cx: &mut Context<'_>) -> Poll<io::Result<Vec<Response>>> {
    let mut responses = Vec::new();
    // What is no response is in the history, and the judge's business.
    let read = wire.poll_read(cx, |frame| responses.extend(frame.and_then(Response::parse)));
    read.map(|count| match count? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(responses),
    })
}
