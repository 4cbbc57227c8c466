//! A rehearsal whose two ends note what they see, and what the peer does in it.

use super::super::rehearsal::{Rehearsal, TICK};
use super::super::{SERVER_ADDRESS, SimNetwork, SimStream, now};
use crate::faults::FaultClass;
use crate::faults::tally::Touches;
use crate::history::{Entry, What};
use gearman_net::{Listener, Network};
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

/// ECHO_RES with ten bytes.
pub(super) const ECHO: &[u8] = b"\0RES\0\0\0\x11\0\0\0\x0aten bytes.";

/// What one end saw, each with the millisecond.
pub(super) type Seen = Arc<Mutex<Vec<(u64, Got)>>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Bytes(Vec<u8>),
    End,
    Failed(io::ErrorKind),
    Wrote(usize),
}

pub(super) fn note(seen: &Seen, got: Got) {
    seen.lock().unwrap().push((now().as_millis(), got));
}

/// A rehearsal in which both ends note what they see.
pub(super) struct Watched {
    rehearsal: Rehearsal,
    entries: Arc<Mutex<Vec<What>>>,
    server: Seen,
    peer: Seen,
}

impl Watched {
    /// The server notes whatever it reads; the peer does as `play` says, and notes whatever it likes.
    pub(super) fn new<F>(faults: &[(FaultClass, u32)], window: usize, play: fn(SimNetwork, Seen) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + 'static,
    {
        let (server, peer) = (Seen::default(), Seen::default());
        let (at_server, at_peer) = (Arc::clone(&server), Arc::clone(&peer));
        let entries = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&entries);
        let rehearsal = Rehearsal::new(
            (faults, window),
            Box::new(move |entry: &Entry| into.lock().unwrap().push(entry.what.clone())),
            move |network| listen(network, Arc::clone(&at_server)),
            move |network| play(network, Arc::clone(&at_peer)),
        );
        Self { rehearsal, entries, server, peer }
    }

    /// Everything that is in the history, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        self.entries.lock().unwrap().iter().map(What::to_string).collect()
    }

    pub(super) fn touches(&self, class: FaultClass) -> Touches {
        self.state().journal().take().tally.of(class)
    }

    pub(super) fn at_server(&self) -> Vec<(u64, Got)> {
        self.server.lock().unwrap().clone()
    }

    pub(super) fn at_peer(&self) -> Vec<(u64, Got)> {
        self.peer.lock().unwrap().clone()
    }

    /// All bytes that the server read, and in how many reads.
    pub(super) fn read_by_server(&self) -> (Vec<u8>, usize) {
        let reads = self.at_server().into_iter().filter_map(|(_, got)| match got {
            Got::Bytes(bytes) => Some(bytes),
            Got::End | Got::Failed(_) | Got::Wrote(_) => None,
        });
        let reads: Vec<Vec<u8>> = reads.collect();
        (reads.concat(), reads.len())
    }
}

impl Deref for Watched {
    type Target = Rehearsal;

    fn deref(&self) -> &Rehearsal {
        &self.rehearsal
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut Rehearsal {
        &mut self.rehearsal
    }
}

async fn listen(network: SimNetwork, seen: Seen) -> io::Result<()> {
    let mut listener = network.bind("0.0.0.0:4730").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(read_all(stream, Arc::clone(&seen)));
    }
}

/// Reads to the end, and answers a `?` with a `!`, and a `*` with a packet.
pub(super) async fn read_all(mut stream: SimStream, seen: Seen) {
    let mut buffer = [0; 4096];
    loop {
        let got = match stream.read(&mut buffer).await {
            Ok(0) => Got::End,
            Ok(count) => Got::Bytes(buffer[..count].to_vec()),
            Err(error) => Got::Failed(error.kind()),
        };
        let has = |byte| matches!(&got, Got::Bytes(bytes) if bytes.contains(&byte));
        let answer: &[u8] = if has(b'?') {
            b"!"
        } else if has(b'*') {
            ECHO
        } else {
            b""
        };
        let over = !matches!(got, Got::Bytes(_));
        note(&seen, got);
        if over || !answer.is_empty() && stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

pub(super) async fn write_hello(network: SimNetwork, _: Seen) -> io::Result<()> {
    let mut stream = network.connect(SERVER_ADDRESS).await?;
    stream.write_all(b"hello, this is a peer with a lot to say").await?;
    std::future::pending().await
}

/// Connects, and writes after a while.
pub(super) async fn ask_later(network: SimNetwork, seen: Seen) -> io::Result<()> {
    let mut stream = network.connect(SERVER_ADDRESS).await?;
    sleep(Duration::from_millis(10 * TICK)).await;
    if let Err(error) = stream.write_all(ECHO).await {
        note(&seen, Got::Failed(error.kind()));
    }
    read_all(stream, seen).await;
    Ok(())
}

pub(super) async fn ask_and_read(network: SimNetwork, seen: Seen) -> io::Result<()> {
    let mut stream = network.connect(SERVER_ADDRESS).await?;
    stream.write_all(b"how are you?").await?;
    read_all(stream, seen).await;
    Ok(())
}
