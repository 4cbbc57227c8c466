//! What a driver and its peers know, which is what makes an event meaningful.

use crate::dice::Dice;
use gearman_engine::{
    Buffered, Compat, Config, ConnectionId, Effect, Event, RecordId, StoreError, StoredJob,
};
use gearman_protocol::{DecodeError, Handle, Request, Response, Time, UnixMillis};
use std::fmt::{self, Write};
use std::time::Duration;

/// The wall clock at the start.
const START: i64 = 1_000_000;

/// How full a buffer may be, in bytes. No sum of this and of [`requests::LARGE`](crate::requests::LARGE) lies just
/// below a limit, because how much a response counts beside its data is the engine's affair.
const LARGE_FILL: usize = 210_000;

/// Something that happens, and how long after what happened before.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) after: Duration,
    pub(crate) event: Event,
}

impl fmt::Debug for Step {
    /// One line, even where everything else is spread out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} ms {}", self.after.as_millis(), Short(&self.event))
    }
}

/// Anything without its long runs of one letter.
pub(crate) struct Short<T>(pub(crate) T);

impl<T: fmt::Debug> fmt::Display for Short<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:?}", self.0);
        for run in text.as_bytes().chunk_by(|one, next| one == next) {
            let letter = char::from(run[0]);
            if run.len() > 20 {
                write!(f, "{letter}*{}", run.len())?;
            } else {
                (0..run.len()).try_for_each(|_| f.write_char(letter))?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) now: Time,
    /// The number of the connection that was opened last.
    opened: u64,
    /// Connections that are not closed, and whether the peer has said that it sends no more.
    pub(crate) peers: Vec<(ConnectionId, bool)>,
    /// Assignments, the latest first, with the worker they went to.
    pub(crate) assigned: Vec<(ConnectionId, Handle)>,
    /// Handles that clients were told, the latest first.
    pub(crate) created: Vec<Handle>,
    /// Records that the store has not yet answered for.
    pub(crate) storing: Vec<RecordId>,
}

#[derive(Clone, Copy)]
enum Kind {
    Open,
    Receive,
    Malformed,
    HalfClose,
    Close,
    Fill,
    Wall,
    Elapsed,
    Stored,
    Replayed,
    Drain,
}

/// A configuration: each choice that changes what is said.
pub(crate) fn config(mut dice: Dice<'_>) -> Config {
    let compat = [
        Compat::Version2,
        Compat::Version1_1 { round_robin: false },
        Compat::Version1_1 { round_robin: true },
    ];
    Config {
        compat: dice.weighted(&[(6, compat[0]), (1, compat[1]), (1, compat[2])]),
        handle_prefix: "H:lap".to_owned(),
        job_retries: dice.pick(&[None, None, Some(2), Some(1), Some(0), Some(3)]),
        worker_wakeup: dice.pick(&[None, Some(1), Some(2)]),
        min_job_timeout: Duration::from_millis(dice.pick(&[1, 1000])),
        exceptions: dice.once_in(4),
        store: dice.once_in(2),
        allow_shutdown: dice.once_in(4),
        output_limit: dice.pick(&[usize::MAX, 100_000]),
        memory_limit: dice.pick(&[usize::MAX, 400_000, 1_000_000]),
        max_connections: dice.pick(&[usize::MAX, usize::MAX, 3]),
        connections_per_address: dice.pick(&[None, None, Some(2)]),
        drain_timeout: dice.pick(&[None, Some(Duration::from_secs(15))]),
        ..Config::default()
    }
}

impl World {
    /// What happens next; `deadline` is when the server wants to be called.
    pub(crate) fn step(&self, mut dice: Dice<'_>, deadline: Option<Time>) -> Step {
        let to_deadline = deadline.map_or(Duration::ZERO, |deadline| deadline.since(self.now));
        let millis = Duration::from_millis;
        let after = match dice.below(16) {
            0..=9 => Duration::ZERO,
            10 => millis(1),
            11 => millis(dice.pick(&[10, 100, 999, 1000])),
            12 => to_deadline.saturating_sub(millis(1)),
            _ => to_deadline,
        };
        let event = self.event(&mut dice);
        // From a peer that sends no more nothing can come but its end.
        let event = if self.allows(&event) { event } else { self.end_of_a_peer() };
        Step { after, event }
    }

    fn end_of_a_peer(&self) -> Event {
        let mut ending = self.peers.iter().filter(|(_, half_closed)| *half_closed);
        ending.next().map_or(Event::Elapsed, |&(from, _)| Event::Closed { from })
    }

    fn event(&self, dice: &mut Dice<'_>) -> Event {
        let from = if self.peers.is_empty() { ConnectionId::new(1) } else { dice.pick(&self.peers).0 };
        match self.kind(dice) {
            Kind::Open => Event::Opened {
                from: ConnectionId::new(self.opened + 1),
                peer: dice.pick(&["::1", "::2"]).to_owned(),
            },
            Kind::Receive => Event::Received { from, request: self.request(from, dice) },
            Kind::Malformed => Event::Malformed { from, error: malformed(dice) },
            Kind::HalfClose => Event::HalfClosed { from },
            Kind::Close => Event::Closed { from },
            Kind::Fill => Event::Buffered { from, fill: self.fill(dice) },
            Kind::Wall => Event::Wall { now: UnixMillis::new(START + dice.pick(&[0, 5000, -5000])) },
            Kind::Elapsed => Event::Elapsed,
            Kind::Stored => Event::Stored {
                record: dice.pick(&self.storing),
                outcome: if dice.once_in(4) { Err(StoreError) } else { Ok(()) },
            },
            Kind::Replayed => Event::Replayed { job: replayed(dice) },
            Kind::Drain => Event::Drain,
        }
    }

    /// What kind of event: one that means something here, and most often a request.
    fn kind(&self, dice: &mut Dice<'_>) -> Kind {
        if self.opened == 0 {
            return dice.weighted(&[(6, Kind::Open), (2, Kind::Wall), (1, Kind::Replayed)]);
        }
        let peers = self.peers.len();
        let open = if peers < 2 { 100 } else { 8 * usize::from(peers < 5) };
        let some_peer = usize::from(peers > 0);
        let some_record = usize::from(!self.storing.is_empty());
        dice.weighted(&[
            (104 * some_peer, Kind::Receive),
            (open, Kind::Open),
            (20 * some_record, Kind::Stored),
            (4, Kind::Elapsed),
            (3 * some_peer, Kind::Close),
            (2 * some_peer, Kind::HalfClose),
            (2 * some_peer, Kind::Malformed),
            (10 * some_peer, Kind::Fill),
            (1, Kind::Wall),
            (1, Kind::Drain),
        ])
    }

    fn fill(&self, dice: &mut Dice<'_>) -> Buffered {
        let partial_since = dice.pick(&[None, Some(self.now)]);
        let inbound = if partial_since.is_some() { dice.pick(&[10, LARGE_FILL]) } else { 0 };
        Buffered { inbound, outward: dice.pick(&[0, 500, LARGE_FILL]), partial_since }
    }

    /// Whether a driver could say this now.
    pub(crate) fn allows(&self, event: &Event) -> bool {
        let peer = |id: &ConnectionId| self.peers.iter().find(|(peer, _)| peer == id);
        match event {
            Event::Opened { from, .. } => from.get() > self.opened,
            Event::Received { from, .. } | Event::Malformed { from, .. } | Event::HalfClosed { from } => {
                peer(from).is_some_and(|(_, half_closed)| !half_closed)
            }
            Event::Closed { from } => peer(from).is_some(),
            Event::Buffered { from, fill } => {
                peer(from).is_some() && fill.partial_since.is_none_or(|since| since <= self.now)
            }
            Event::Stored { record, .. } => self.storing.contains(record),
            Event::Replayed { .. } => self.opened == 0,
            Event::Wall { .. } | Event::Elapsed | Event::Verbosity { .. } | Event::Drain => true,
        }
    }

    /// Takes in what happened and what was done about it.
    pub(crate) fn learn(&mut self, step: &Step, effects: &[Effect]) {
        self.now = self.now + step.after;
        match &step.event {
            Event::Opened { from, .. } => {
                self.opened = from.get();
                self.peers.push((*from, false));
            }
            Event::HalfClosed { from } => self.peers.retain_mut(|(peer, half_closed)| {
                *half_closed |= peer == from;
                true
            }),
            Event::Closed { from } => self.peers.retain(|(peer, _)| peer != from),
            Event::Stored { record, .. } => self.storing.retain(|storing| storing != record),
            Event::Received { .. }
            | Event::Malformed { .. }
            | Event::Buffered { .. }
            | Event::Wall { .. }
            | Event::Elapsed
            | Event::Replayed { .. }
            | Event::Verbosity { .. }
            | Event::Drain => {}
        }
        effects.iter().for_each(|effect| self.see(effect));
        self.assigned.truncate(8);
        self.created.truncate(8);
    }

    fn see(&mut self, effect: &Effect) {
        if let Effect::Store { job } = effect {
            self.storing.push(job.record);
        }
        let Effect::Send { to, response } = effect else { return };
        if let Response::JobAssign(assignment) = response {
            self.assigned.insert(0, (*to, assignment.handle.clone()));
        }
        if let Response::JobCreated { handle } = response {
            self.created.insert(0, handle.clone());
        }
    }

    fn request(&self, from: ConnectionId, dice: &mut Dice<'_>) -> Request {
        crate::requests::request(self, from, dice)
    }
}

fn malformed(dice: &mut Dice<'_>) -> DecodeError {
    dice.pick(&[
        DecodeError::UnexpectedType(43),
        DecodeError::TooFewArguments { number: 7, wanted: 3, got: 1 },
        DecodeError::FunctionName,
        DecodeError::PacketTooLarge { size: 9 },
        DecodeError::BadMagic(*b"\0FOO"),
        DecodeError::LineTooLong { limit: 8192 },
    ])
}

fn replayed(dice: &mut Dice<'_>) -> StoredJob {
    let submit = crate::requests::submit(dice);
    StoredJob {
        record: RecordId::new(1 + dice.below(5) as u64),
        function: submit.function,
        unique: submit.unique,
        priority: submit.priority,
        reducer: submit.reducer.unwrap_or_default(),
        not_before: dice.pick(&[None, None, Some(UnixMillis::new(START + 2000))]),
        workload: submit.workload,
    }
}
