//! A network other than the machine's own, such as a simulator's, and the time there.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use gearman_protocol::UnixMillis;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where the server is, if it is not on this machine's network.
pub trait World: fmt::Debug + Sync {
    /// Connects to the server; whoever waits for it may give up.
    fn dial(&self) -> Dialling<'_>;

    /// What the wall clock says there.
    fn wall(&self) -> UnixMillis;
}

/// A connection that is being made.
pub type Dialling<'w> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Carrier>>> + Send + 'w>>;

/// A connection in such a world. Dropping it closes it.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {
    /// Makes the close a reset.
    fn reset_on_close(&mut self);
}

/// A connection in such a world, of which one can ask what is there.
pub(super) struct Carried {
    carrier: Box<dyn Carrier>,
    arrived: VecDeque<u8>,
    over: Option<Over>,
}

/// How it has ended.
#[derive(Clone, Copy, Debug)]
enum Over {
    Closed,
    Failed(io::ErrorKind),
}

impl Carried {
    pub(super) fn new(carrier: Box<dyn Carrier>) -> Self {
        Self { carrier, arrived: VecDeque::new(), over: None }
    }

    pub(super) fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.arrived.is_empty() && self.over.is_none() {
            let mut space = [0; 16 * 1024];
            let mut space = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.carrier).poll_read(context, &mut space)) {
                Ok(()) if space.filled().is_empty() => self.over = Some(Over::Closed),
                Ok(()) => self.arrived.extend(space.filled()),
                Err(error) => self.over = Some(Over::Failed(error.kind())),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whoever waits asks again with [`Carried::poll_read_ready`], so nobody need be woken from here.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.poll_read_ready(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match self.over {
            Some(Over::Failed(kind)) if self.arrived.is_empty() => Err(kind.into()),
            // Nothing is the end.
            _ => self.arrived.read(buffer),
        }
    }

    pub(super) fn carrier(&mut self) -> &mut dyn Carrier {
        &mut *self.carrier
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("arrived", &self.arrived.len()).field("over", &self.over).finish()
    }
}
