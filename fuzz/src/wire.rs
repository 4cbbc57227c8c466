//! Any bytes from several peers, through decoder, engine and encoder.

use crate::decoder::only_frame;
use crate::observer::Observer;
use bytes::Bytes;
use gearman_engine::{
    Config, ConnectionId, Doors, Effect, Effects, Engine, Event, MAX_HANDLE_PREFIX, RecordId, StoreError,
};
use gearman_protocol::{
    Assignment, Decoder, Frame, Handle, Limits, MAX_FUNCTION_NAME, MAX_HANDLE, MAX_UNIQUE, Request, Response,
    Submit, Time,
};
use std::collections::VecDeque;
use std::time::Duration;

/// Whatever peers send, the engine goes on, its tables agree, and what it says back can be read: responses that
/// are what was meant, jobs that are byte for byte what somebody has submitted, and nothing after a close.
///
/// The first byte says how long the handles' prefix is and whether there is a store. Then come turns: a byte that
/// says who does what, a length, and so many bytes.
pub fn wire(input: &[u8]) {
    let Some((&first, mut input)) = input.split_first() else { return };
    let mut wire = Wire::new(first);
    while let [what, length, rest @ ..] = input {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        wire.turn(usize::from(*what), *length, bytes);
        let observer = Observer::new(&mut wire.engine, wire.now).expect("there is room for all");
        observer.check();
        input = rest;
    }
}

struct Wire {
    engine: Engine,
    now: Time,
    peers: [Option<Peer>; 3],
    opened: u64,
    submitted: Vec<Submit>,
    storing: VecDeque<RecordId>,
}

struct Peer {
    id: ConnectionId,
    decoder: Decoder,
    /// Whether it sends no more, or nobody reads it any more.
    is_silent: bool,
}

impl Wire {
    fn new(first: u8) -> Self {
        let prefix = "H".repeat(1 + usize::from(first >> 1) % MAX_HANDLE_PREFIX);
        let config = Config { handle_prefix: prefix, store: first % 2 == 1, ..Config::default() };
        config.check().expect("a prefix that is not too long");
        let engine = Engine::new(config, 1);
        Self {
            engine,
            now: Time::ZERO,
            peers: [None, None, None],
            opened: 0,
            submitted: Vec::new(),
            storing: VecDeque::new(),
        }
    }

    fn turn(&mut self, what: usize, length: u8, bytes: &[u8]) {
        let who = what % 3;
        match what / 3 % 16 {
            12 => self.close(who),
            13 => self.half_close(who),
            14 => {
                self.now = self.now + Duration::from_millis(100 * u64::from(length));
                self.tell(Event::Elapsed);
            }
            15 => self.answer_store(length),
            _ => self.deliver(who, bytes),
        }
    }

    fn deliver(&mut self, who: usize, mut bytes: &[u8]) {
        self.open(who);
        while let Some(peer) = self.peers[who].as_mut().filter(|peer| !peer.is_silent) {
            let from = peer.id;
            match peer.decoder.decode(&mut bytes) {
                Ok(Some(frame)) => self.hear(from, frame),
                Ok(None) => return,
                Err(error) => {
                    peer.is_silent = true;
                    self.tell(Event::Malformed { from, error });
                }
            }
        }
    }

    fn open(&mut self, who: usize) {
        if self.peers[who].is_none() {
            self.opened += 1;
            let from = ConnectionId::new(self.opened);
            let decoder = Decoder::new(Limits { packet: 1 << 20, ..Limits::default() });
            self.peers[who] = Some(Peer { id: from, decoder, is_silent: false });
            self.tell(Event::Opened { from, peer: "::1".to_owned() });
        }
    }

    fn hear(&mut self, from: ConnectionId, frame: Frame) {
        match Request::parse(frame) {
            Ok(request) => {
                if let Request::Submit(submit) = &request {
                    self.submitted.push(submit.clone());
                }
                self.tell(Event::Received { from, request });
            }
            Err(error) => {
                assert!(!error.is_fatal(), "the end of a frame is known: {error}");
                self.tell(Event::Malformed { from, error });
            }
        }
    }

    fn close(&mut self, who: usize) {
        if let Some(peer) = self.peers[who].take() {
            self.tell(Event::Closed { from: peer.id });
        }
    }

    fn half_close(&mut self, who: usize) {
        if let Some(peer) = self.peers[who].as_mut().filter(|peer| !peer.is_silent) {
            peer.is_silent = true;
            let from = peer.id;
            self.tell(Event::HalfClosed { from });
        }
    }

    fn answer_store(&mut self, length: u8) {
        if let Some(record) = self.storing.pop_front() {
            let outcome = if length == 0 { Err(StoreError) } else { Ok(()) };
            self.tell(Event::Stored { record, outcome });
        }
    }

    fn tell(&mut self, event: Event) {
        let mut effects = Effects::new();
        self.engine.handle(self.now, event, &mut effects);
        self.engine.check().expect("the tables agree");
        let closed: Vec<ConnectionId> = effects.drain().filter_map(|effect| self.carry_out(effect)).collect();
        for id in closed {
            let who = self.peers.iter().position(|peer| peer.as_ref().is_some_and(|peer| peer.id == id));
            self.close(who.expect("it was open"));
        }
    }

    /// Does what shall be done; gives the connection that is to be closed.
    fn carry_out(&mut self, effect: Effect) -> Option<ConnectionId> {
        match effect {
            Effect::Send { to, response } => {
                assert!(self.is_open(to), "{response:?} to one who is gone");
                self.check_response(&response);
                None
            }
            Effect::Close { who, .. } => {
                assert!(self.is_open(who), "closed twice");
                Some(who)
            }
            Effect::Store { job } => {
                self.storing.push_back(job.record);
                None
            }
            Effect::PauseReading { .. }
            | Effect::ResumeReading { .. }
            | Effect::Forget { .. }
            | Effect::StopAccepting
            | Effect::Draining { .. }
            | Effect::Exit { .. } => None,
        }
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.peers.iter().flatten().any(|peer| peer.id == id)
    }

    /// The peer can read it, and it holds nothing that is not the peer's.
    fn check_response(&self, response: &Response) {
        // Tables are several lines, whose layout the text target looks at.
        if !matches!(response, Response::Admin(_)) {
            let said = only_frame(|out| response.encode(out));
            let heard = Response::parse(said.clone()).expect("a response");
            assert_eq!(only_frame(|out| heard.encode(out)), said);
        }
        match response {
            Response::JobAssign(assignment) => self.check_assignment(assignment),
            Response::JobCreated { handle } => check_handle(handle),
            _ => {}
        }
    }

    fn check_assignment(&self, job: &Assignment) {
        check_handle(&job.handle);
        assert!((1..=MAX_FUNCTION_NAME).contains(&job.function.as_bytes().len()));
        assert!(job.unique.as_bytes().len() <= MAX_UNIQUE && job.reducer.as_bytes().len() <= MAX_UNIQUE);
        let submitted = self.submitted.iter().any(|submit| {
            let reducer = submit.reducer.as_ref().map_or_else(Bytes::new, |reducer| reducer.to_bytes());
            let same_job = submit.function == job.function && submit.workload == job.workload;
            same_job && submit.unique == job.unique && reducer == job.reducer.to_bytes()
        });
        assert!(submitted, "nobody has submitted {job:?}");
    }
}

fn check_handle(handle: &Handle) {
    assert!((1..=MAX_HANDLE).contains(&handle.as_bytes().len()), "{handle}");
}
