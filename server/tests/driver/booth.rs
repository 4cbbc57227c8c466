//! The double at the doors, its clock, and its peers.

use bytes::Bytes;
use gearman_engine::{ConnectionId, Doors, Effect, Effects, Event};
use gearman_net::{Clock, Memory, MemoryStream, Network};
use gearman_protocol::{Outward, Request, Response, Time, UnixMillis};
use gearman_server::{Config, Control, serve};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Where every test listens.
pub(crate) const HERE: &str = "here";

/// No deadline.
const NEVER: u64 = u64::MAX;

/// A double at the doors. Clones see the same.
#[derive(Clone)]
pub(crate) struct Booth {
    log: Arc<Mutex<Vec<(Time, Event)>>>,
    deadline: Arc<AtomicU64>,
    pub(crate) clock: TestClock,
    pub(crate) network: Memory,
}

/// tokio's own time, and a wall clock that can be set.
#[derive(Clone)]
pub(crate) struct TestClock {
    start: Instant,
    pub(crate) wall_lead: Arc<AtomicI64>,
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    fn wall(&self) -> UnixMillis {
        let now = i64::try_from(self.now().as_millis()).unwrap();
        UnixMillis::new(now + self.wall_lead.load(Ordering::Relaxed))
    }
}

/// What stands at the doors: the booth's ears, and what a test lets it say.
pub(crate) struct Double<F> {
    booth: Booth,
    react: F,
}

impl<F: FnMut(&Event, &mut Effects)> Doors for Double<F> {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        (self.react)(&event, effects);
        self.booth.log.lock().unwrap().push((now, event));
    }

    fn deadline(&self) -> Option<Time> {
        let deadline = self.booth.deadline.load(Ordering::Relaxed);
        (deadline != NEVER).then(|| Time::from_millis(deadline))
    }
}

impl Booth {
    pub(crate) fn new() -> Self {
        Self {
            log: Arc::default(),
            deadline: Arc::new(AtomicU64::new(NEVER)),
            clock: TestClock { start: Instant::now(), wall_lead: Arc::default() },
            network: Memory::new(),
        }
    }

    /// Doors that answer events as `react` says.
    pub(crate) fn doors<F: FnMut(&Event, &mut Effects)>(&self, react: F) -> Double<F> {
        Double { booth: self.clone(), react }
    }

    /// A server whose doors answer as `react` says.
    pub(crate) async fn serve<F>(&self, react: F) -> Control
    where
        F: FnMut(&Event, &mut Effects) + Send + 'static,
    {
        let doors = self.doors(react);
        serve(&self.network, self.clock.clone(), doors, Config::at(HERE)).await.unwrap()
    }

    pub(crate) async fn peer(&self) -> Peer {
        Peer(self.network.connect(HERE).await.unwrap())
    }

    /// What [`Doors::deadline`] says from now on.
    pub(crate) fn set_deadline(&self, deadline: Option<Time>) {
        self.deadline.store(deadline.map_or(NEVER, Time::as_millis), Ordering::Relaxed);
    }

    /// All events so far, and when they were told.
    pub(crate) fn log(&self) -> Vec<(Time, Event)> {
        self.log.lock().unwrap().clone()
    }

    /// All events so far that are about a connection.
    pub(crate) fn about(&self, number: u64) -> Vec<Event> {
        let about = |event: &Event| whom(event) == Some(ConnectionId::new(number));
        self.log().into_iter().map(|(_, event)| event).filter(about).collect()
    }

    /// How often an event has come that `wanted` says yes to.
    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.log().iter().filter(|(_, event)| wanted(event)).count()
    }
}

/// Which connection an event is about.
fn whom(event: &Event) -> Option<ConnectionId> {
    match event {
        Event::Opened { from, .. }
        | Event::Received { from, .. }
        | Event::Malformed { from, .. }
        | Event::HalfClosed { from }
        | Event::Closed { from }
        | Event::Buffered { from, .. } => Some(*from),
        Event::Wall { .. }
        | Event::Elapsed
        | Event::Stored { .. }
        | Event::Replayed { .. }
        | Event::Verbosity { .. }
        | Event::Drain => None,
    }
}

/// Time in which everything happens that can: it passes only when nothing is left to do.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// Waits for what must come. Time passes only when nothing else can happen, so a day is over at once.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(86_400), what).await.expect("it never comes")
}

/// An end of a connection that writes and reads bytes.
pub(crate) struct Peer(pub(crate) MemoryStream);

impl Peer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.0.write_all(bytes)).await.unwrap();
    }

    pub(crate) async fn echo(&mut self, data: &'static str) {
        self.write(&encoded(&echo(data))).await;
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        soon(self.0.read_to_end(&mut bytes)).await.unwrap();
        bytes
    }

    pub(crate) async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        soon(self.0.read_exact(&mut bytes)).await.unwrap();
        bytes
    }
}

pub(crate) fn echo(data: impl Into<Bytes>) -> Request {
    Request::Echo { data: data.into() }
}

pub(crate) fn encoded(request: &Request) -> Vec<u8> {
    let mut out = Outward::new();
    request.encode(&mut out);
    out.to_vec()
}

pub(crate) fn received(number: u64, request: Request) -> Event {
    Event::Received { from: ConnectionId::new(number), request }
}

/// Who says this word, if the event is somebody saying it.
pub(crate) fn says(event: &Event, word: &'static str) -> Option<ConnectionId> {
    let Event::Received { from, request } = event else { return None };
    (*request == echo(word)).then_some(*from)
}

/// Doors that send every echo back, and close when the peer leaves.
pub(crate) fn echoing(event: &Event, effects: &mut Effects) {
    if let Event::Received { from, request: Request::Echo { data } } = event {
        effects.send(*from, Response::Echo { data: data.clone() });
    } else if let Event::HalfClosed { from } = event {
        effects.push(Effect::Close { who: *from, after_flush: true });
    }
}
