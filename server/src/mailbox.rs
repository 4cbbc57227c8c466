//! Where the engine leaves what a connection shall do.

use gearman_net::sync::{Mutex, MutexGuard};
use gearman_protocol::{Outward, Response};
use std::task::Waker;

/// How a connection shall end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// When everything that was sent before is written.
    AfterFlush,
    /// At once.
    Now,
}

/// What stands until it is called back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    /// Whether nothing shall be read.
    pub(crate) paused: bool,
    /// Whether the connection shall end.
    pub(crate) closing: Option<Closing>,
}

/// One connection's share of the effects, encoded, until its task collects them.
///
/// Its lock is only ever taken last and held for a few instructions: whoever turns the engine fills it, the
/// connection's own task empties it, and neither waits for a socket meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Post>);

#[derive(Debug, Default)]
struct Post {
    outward: Outward,
    orders: Orders,
    /// Whether something came in since the last collection.
    news: bool,
    /// The connection's task, while it sleeps.
    sleeper: Option<Waker>,
}

impl Mailbox {
    /// Puts a response at the end of what goes to the peer.
    pub(crate) fn send(&self, response: Response) {
        let mut post = self.lock();
        // Nothing follows what the peer was to hear last.
        if post.orders.closing.is_none() {
            response.encode_by_parts(&mut post.outward);
            post.has_news();
        }
    }

    /// Stops or resumes reading.
    pub(crate) fn pause(&self, paused: bool) {
        let mut post = self.lock();
        post.orders.paused = paused;
        post.has_news();
    }

    /// Ends the connection; what ends it sooner wins.
    pub(crate) fn close(&self, closing: Closing) {
        let mut post = self.lock();
        if post.orders.closing != Some(Closing::Now) {
            post.orders.closing = Some(closing);
        }
        post.has_news();
    }

    /// Whether the connection was told to end.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().orders.closing.is_some()
    }

    /// Moves what came in to the end of `outward`.
    pub(crate) fn collect(&self, outward: &mut Outward) -> Orders {
        let mut post = self.lock();
        if std::mem::take(&mut post.news) {
            outward.append(&mut post.outward);
        }
        post.orders
    }

    /// Leaves word whom to wake, unless something has come in: then nothing is left and the answer is `false`.
    pub(crate) fn sleep(&self, sleeper: &Waker) -> bool {
        let mut post = self.lock();
        if !post.news {
            post.sleeper = Some(sleeper.clone());
        }
        !post.news
    }

    fn lock(&self) -> MutexGuard<'_, Post> {
        self.0.lock().expect("no panic happens under this lock")
    }
}

impl Post {
    /// Notes that something came in, and wakes whoever sleeps: it takes its turn after all that are awake.
    fn has_news(&mut self) {
        self.news = true;
        if let Some(sleeper) = self.sleeper.take() {
            sleeper.wake();
        }
    }
}
