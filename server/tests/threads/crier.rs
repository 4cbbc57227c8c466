//! Doors that say a number to everybody, their clock, and their peers.

use gearman_engine::{ConnectionId, Doors, Effect, Effects, Event};
use gearman_net::{Clock, Memory, MemoryStream, Network};
use gearman_protocol::{Decoder, Frame, Limits, Outward, Request, Response, Time, UnixMillis};
use gearman_server::{Config, Control, serve};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Where every test listens.
pub(crate) const HERE: &str = "here";

/// Tells all who are there each word that one of them says, with a number before it. Clones are the same.
///
/// Its lock is the standard library's: it is only taken while the server holds the doors, or when all is over.
#[derive(Clone, Default)]
pub(crate) struct Crier(Arc<Mutex<Cries>>);

#[derive(Default)]
struct Cries {
    there: Vec<ConnectionId>,
    number: usize,
    /// When there is something to do.
    due: BTreeSet<Time>,
    /// When there is something to do because of the next word; of the one after it; and so on, from the end.
    brought: Vec<Time>,
    /// What was due, and when that was noticed.
    noticed: Vec<(Time, Time)>,
}

impl Crier {
    pub(crate) async fn serve(&self, network: &Memory) -> Control {
        serve(network, Still::new(), self.clone(), Config::at(HERE)).await.unwrap()
    }

    /// How many are there.
    pub(crate) fn there(&self) -> usize {
        self.0.lock().unwrap().there.len()
    }

    /// One that has something to do at a moment, and at these because of the next words.
    pub(crate) fn with_plans(due: Time, brought: &[Time]) -> Self {
        let brought = brought.iter().rev().copied().collect();
        Self(Arc::new(Mutex::new(Cries { due: BTreeSet::from([due]), brought, ..Cries::default() })))
    }

    /// What was due, and when that was noticed.
    pub(crate) fn noticed(&self) -> Vec<(Time, Time)> {
        self.0.lock().unwrap().noticed.clone()
    }
}

impl Doors for Crier {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut cries = self.0.lock().unwrap();
        while let Some(due) = cries.due.first().copied().filter(|&due| due <= now) {
            cries.due.remove(&due);
            cries.noticed.push((due, now));
        }
        if let Event::Opened { from, .. } = event {
            cries.there.push(from);
        } else if let Event::Received { request: Request::Echo { data }, .. } = event {
            cries.number += 1;
            let brought = cries.brought.pop();
            cries.due.extend(brought);
            let data = format!("{} {}", cries.number, data.escape_ascii());
            cries.there.iter().for_each(|&to| effects.send(to, Response::Echo { data: data.clone().into() }));
        } else if let Event::HalfClosed { from } = event {
            effects.push(Effect::Close { who: from, after_flush: true });
        } else if let Event::Closed { from } = event {
            cries.there.retain(|&other| other != from);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.0.lock().unwrap().due.first().copied()
    }
}

/// tokio's time, which stands still unless a test moves it.
#[derive(Clone)]
pub(crate) struct Still(Instant);

impl Still {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Still {
    fn now(&self) -> Time {
        Time::ZERO + self.0.elapsed()
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis::new(self.now().as_millis().try_into().unwrap())
    }
}

/// One who speaks to the crier.
pub(crate) struct Peer {
    stream: MemoryStream,
    decoder: Decoder,
    heard: Vec<String>,
    /// How many bytes went each way.
    pub(crate) written: usize,
    pub(crate) read: usize,
}

impl Peer {
    /// Fails if nobody listens.
    pub(crate) async fn connect(network: &Memory) -> io::Result<Self> {
        let stream = network.connect(HERE).await?;
        let decoder = Decoder::new(Limits::default());
        Ok(Self { stream, decoder, heard: Vec::new(), written: 0, read: 0 })
    }

    /// Says a word; what becomes of it is heard, or not.
    pub(crate) async fn say(&mut self, word: &str) {
        let mut out = Outward::new();
        Request::Echo { data: word.to_owned().into() }.encode(&mut out);
        // It fails when the server has gone.
        if self.stream.write_all(&out.to_vec()).await.is_ok() {
            self.written += out.len();
        }
    }

    /// Listens until this word has come.
    pub(crate) async fn hear(&mut self, word: &str) {
        while !self.heard.iter().any(|heard| heard.ends_with(word)) {
            assert!(self.listen().await, "the end came before {word}");
        }
    }

    /// Listens to the end.
    pub(crate) async fn stay(&mut self) {
        while self.listen().await {}
    }

    /// Says no more and listens to the end. Gives the numbers that it has heard.
    pub(crate) async fn leave(&mut self) -> Vec<usize> {
        let _ = self.stream.shutdown().await;
        self.stay().await;
        let number = |heard: &String| heard.split(' ').next().unwrap().parse().unwrap();
        self.heard.iter().map(number).collect()
    }

    /// Whether there may be more to hear.
    async fn listen(&mut self) -> bool {
        let mut buffer = [0; 512];
        let count = self.stream.read(&mut buffer).await.unwrap();
        self.read += count;
        let mut input = &buffer[..count];
        while let Some(frame) = self.decoder.decode(&mut input).unwrap() {
            self.heard.push(echoed(frame));
        }
        count > 0
    }
}

fn echoed(frame: Frame) -> String {
    let Ok(Response::Echo { data }) = Response::parse(frame) else { panic!("that was no echo") };
    data.escape_ascii().to_string()
}
