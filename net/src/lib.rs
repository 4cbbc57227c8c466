//! How do bytes travel, what time is it, and who goes on?
//!
//! [`Network`] and [`Clock`] are all that server and client know of the outside. Behind them stand TCP and the
//! machine's clocks ([`Tcp`], [`Sockets`], [`MachineClock`]), or the simulator's faulty network and its invented time.
//! What tasks share is in [`sync`], so that a scheduler of tests can decide who goes on.

mod machine_clock;
mod memory;
mod sockets;
pub mod sync;
mod tcp;
mod wire;

pub use machine_clock::MachineClock;
pub use memory::{Memory, MemoryDoor, MemoryStream};
pub use sockets::{Inherited, SocketConnection, SocketDoor, Sockets};
pub use tcp::{Tcp, TcpConnection, TcpDoor};
pub use wire::{READ_SIZE, TURN, Wire};

use gearman_protocol::{Time, UnixMillis};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// A way to reach peers and to be reached.
///
/// An address is text, and each network says what it takes: `HOST:PORT` for TCP.
pub trait Network: Clone + Send + Sync + 'static {
    /// A connection to a peer.
    type Stream: Stream;
    /// A place where peers connect.
    type Listener: Listener<Stream = Self::Stream>;

    /// Opens a place where peers can connect.
    ///
    /// # Errors
    /// Whatever the system says, with the address in the text.
    fn bind(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Connects to a peer. There is no time limit: callers bring their own.
    ///
    /// # Errors
    /// Whatever the system says, with the address in the text.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A place where peers connect.
pub trait Listener: Send + 'static {
    /// A connection to a peer.
    type Stream: Stream;

    /// The next peer and its address.
    ///
    /// Dropping the future before it is ready loses no peer.
    ///
    /// # Errors
    /// Whatever the system says; the listener can be asked again.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, String)>> + Send;

    /// Where peers can connect, with the port that the system chose if none was given.
    ///
    /// # Errors
    /// Whatever the system says.
    fn address(&self) -> io::Result<String>;
}

/// A connection to a peer. `shutdown` of [`AsyncWrite`] half-closes it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Makes the system notice a peer that is silently gone. A network without such a thing does nothing.
    ///
    /// # Errors
    /// Whatever the system says.
    fn watch_liveness(&self, liveness: &Liveness) -> io::Result<()>;
}

/// When a silent peer is asked whether it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// After how long a silence the first question is sent.
    pub idle: Duration,
    /// How long to wait between two questions.
    pub interval: Duration,
    /// How many questions may stay without an answer.
    pub count: u32,
}

impl Default for Liveness {
    /// 60 s of silence, then three questions 10 s apart.
    fn default() -> Self {
        Self { idle: Duration::from_secs(60), interval: Duration::from_secs(10), count: 3 }
    }
}

/// What time it is. Waiting is tokio's, which a simulator can virtualise.
pub trait Clock: Clone + Send + Sync + 'static {
    /// The moment of a monotonic clock that began when the program did.
    fn now(&self) -> Time;

    /// The moment of the wall clock.
    fn wall(&self) -> UnixMillis;
}
