//! One raw connection to the server under test.
//!
//! On the machine's own network tokio's TCP stream is used directly: a conformance tool resets, half-closes and splits
//! writes, which the network of server and client has no reason to offer.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use gearman_protocol::Magic;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};

use super::Stage;
use super::incoming::{Ended, Incoming, Message};
use super::stream::Stream;
use super::timeline::{Timeline, Way};
use super::world::Carried;

/// A connection of a transcript.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) name: String,
    stream: Stream,
    pub(crate) incoming: Incoming,
    timeline: Timeline,
    /// Whether the transcript ended the sending half.
    half_closed: bool,
}

/// How a connection was when the transcript had let go of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The server closed in order after the transcript did, or where the transcript expected it.
    Clean,
    /// The server sent RST.
    Reset,
    /// The server closed first and the transcript did not expect it.
    WrongSide,
    /// The server had not closed its side some time after the transcript did.
    StillOpen,
    /// The transcript closed abruptly, so nobody can tell.
    Unknown,
}

impl Ending {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Reset => "reset",
            Self::WrongSide => "wrong side",
            Self::StillOpen => "still open",
            Self::Unknown => "unknown",
        }
    }
}

impl Connection {
    /// Connects; `deadline` bounds how long that may take.
    pub(crate) async fn open(
        stage: &Stage<'_>,
        name: &str,
        timeline: Timeline,
        deadline: Instant,
    ) -> io::Result<Self> {
        let stream = match stage.world {
            Some(world) => Stream::Carried(Carried::new(timeout_at(deadline, world.dial()).await??)),
            None => {
                let stream = timeout_at(deadline, TcpStream::connect(&stage.address)).await??;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
        };
        timeline.note(name, Way::Own, "open");
        Ok(Self::new(name, stream, Incoming::from_server(), timeline))
    }

    /// Takes a connection that a client under test has made.
    pub(crate) fn accepted(stream: TcpStream, name: &str, timeline: Timeline) -> Self {
        // Without it only the pace changes, and an error means that the client has gone already.
        let _ = stream.set_nodelay(true);
        timeline.note(name, Way::Own, "accept");
        Self::new(name, Stream::Tcp(stream), Incoming::from_client(), timeline)
    }

    /// Takes the standard input and output of a program under test.
    pub(crate) fn program(stream: UnixStream, name: &str, timeline: Timeline) -> Self {
        timeline.note(name, Way::Own, "start");
        Self::new(name, Stream::Program(stream), Incoming::from_program(), timeline)
    }

    fn new(name: &str, stream: Stream, incoming: Incoming, timeline: Timeline) -> Self {
        Self { name: name.to_owned(), stream, incoming, timeline, half_closed: false }
    }

    /// Whether a client has made it, so that the transcript is the server on it.
    pub(crate) fn is_accepted(&self) -> bool {
        self.incoming.usual == Magic::Request
    }

    /// Writes each piece with a write of its own and reads what comes meanwhile, so that neither side can wait
    /// for the other with full buffers.
    ///
    /// A peer that has gone is no error here: what was expected of it is asked for later.
    /// Returns false when the deadline passed before everything was written.
    pub(crate) async fn send(&mut self, pieces: &[Bytes], gap: Duration, deadline: Instant) -> bool {
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 && !gap.is_zero() {
                sleep(gap).await;
            }
            match timeout_at(deadline, self.write(piece)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return true,
                Err(_) => return false,
            }
        }
        true
    }

    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (readable, written) = poll_fn(|context| {
                let readable =
                    self.incoming.ended().is_none() && self.stream.poll_read_ready(context).is_ready();
                match self.stream.poll_write(context, rest) {
                    Poll::Ready(written) => Poll::Ready((readable, Some(written))),
                    Poll::Pending if readable => Poll::Ready((readable, None)),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await;
            if readable {
                self.read();
            }
            if let Some(written) = written {
                rest = &rest[written?..];
            }
        }
        Ok(())
    }

    /// Takes in what is there, without waiting.
    pub(crate) fn read(&mut self) {
        let mut buffer = [0; 64 * 1024];
        while self.incoming.ended().is_none() {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => self.end(Ended::Fin),
                Ok(count) => {
                    for message in self.incoming.extend(&buffer[..count]) {
                        self.timeline.note_bytes(&self.name, Way::In, message, &message.beginning());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.end(Ended::Reset),
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        self.incoming.end(ended);
        self.timeline.note(&self.name, Way::In, Message::End(ended));
    }

    /// Waits for a whole message or the end; `None` when the deadline passes first.
    pub(crate) async fn head(&mut self, deadline: Instant) -> Option<Message> {
        while self.incoming.head().is_none() {
            let mut one = [&mut *self];
            if !arrival(&mut one, deadline).await {
                return None;
            }
        }
        self.incoming.head().cloned()
    }

    /// Whether the server has ended it.
    pub(crate) fn is_ended(&mut self) -> bool {
        self.read();
        self.incoming.ended().is_some()
    }

    /// Ends the sending half.
    pub(crate) async fn shutdown(&mut self) {
        self.timeline.note(&self.name, Way::Own, "shutdown");
        self.half_closed = true;
        // An error means that the peer has already gone, which the next read shows.
        let _ = self.stream.shutdown().await;
    }

    /// Closes at once, in order.
    pub(crate) fn close(mut self) -> Ending {
        self.read();
        self.timeline.note(&self.name, Way::Own, "close");
        self.before_close().unwrap_or(Ending::Unknown)
    }

    /// Closes at once, with RST.
    pub(crate) fn reset(mut self) -> Ending {
        self.read();
        self.timeline.note(&self.name, Way::Own, "reset");
        // An error means that the peer was quicker.
        let _ = self.stream.set_zero_linger();
        self.before_close().unwrap_or(Ending::Unknown)
    }

    /// Lets go of the connection when the transcript is over: closes the sending half and waits for the server to
    /// close the other, so that the next case does not meet the remains of this one.
    pub(crate) async fn finish(mut self, deadline: Instant) -> Ending {
        self.read();
        if let Some(ending) = self.before_close() {
            return ending;
        }
        if !self.half_closed {
            self.shutdown().await;
        }
        while self.incoming.ended().is_none() {
            let mut one = [&mut self];
            if !arrival(&mut one, deadline).await {
                return Ending::StillOpen;
            }
        }
        match self.incoming.ended() {
            Some(Ended::Reset) => Ending::Reset,
            _ => Ending::Clean,
        }
    }

    /// How the server ended the connection, if it did so before the transcript.
    fn before_close(&self) -> Option<Ending> {
        match self.incoming.ended()? {
            Ended::Reset => Some(Ending::Reset),
            Ended::Fin if self.half_closed => Some(Ending::Clean),
            Ended::Fin => Some(Ending::WrongSide),
        }
    }
}

/// Waits until something arrives on one of the connections; false when the deadline passes first.
///
/// A connection that has ended never has an arrival again.
pub(crate) async fn arrival(connections: &mut [&mut Connection], deadline: Instant) -> bool {
    let readable = poll_fn(|context| {
        let ready = connections
            .iter_mut()
            .filter(|connection| connection.incoming.ended().is_none())
            .any(|connection| connection.stream.poll_read_ready(context).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    });
    let in_time = timeout_at(deadline, readable).await.is_ok();
    connections.iter_mut().for_each(|connection| connection.read());
    in_time
}
