//! The handle on a running server.

use crate::keeper::{Order, is_ended};
use crate::phase::{Finish, Life, Phase};
use crate::watch::{Traffic, Watched};
use gearman_engine::{Figures, FunctionPage};
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// A handle on a running server. Dropping it changes nothing: the server goes on.
#[derive(Clone)]
pub struct Control {
    pub(crate) addresses: Arc<[String]>,
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) life: Arc<Life>,
    pub(crate) watched: Arc<dyn Watched>,
}

impl Control {
    /// Where peers can connect, in the order of [`Config::listen`](crate::Config::listen), with the ports that
    /// the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Ends the server: what waits to be written is written if the peers take it within two seconds, then all
    /// connections are closed.
    pub fn stop(&self) {
        // It fails when the server has ended already.
        let _ = self.orders.send(Order::Stop);
    }

    /// Lets the server finish what it has and take nothing new; then it ends by itself.
    pub fn drain(&self) {
        let _ = self.orders.send(Order::Drain);
    }

    /// Has the text command `verbose` tell another level from now on: a word without control characters.
    pub fn tell_verbosity(&self, level: impl Into<String>) {
        // It fails when the server has ended, and then nobody asks.
        let _ = self.orders.send(Order::Verbosity(level.into()));
    }

    /// How the engine stands. Waits for its lock, as does [`Self::functions`].
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.watched.figures()
    }

    /// How some of the functions stand; see [`Doors::functions`](gearman_engine::Doors::functions).
    #[must_use]
    pub fn functions(&self, page: usize, most: usize) -> FunctionPage {
        self.watched.functions(page, most)
    }

    /// What has gone over the network.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.watched.traffic()
    }

    /// Whether new connections are taken: until the server drains, stops or ends.
    #[must_use]
    pub fn is_accepting(&self) -> bool {
        self.life.phase() == Phase::Accepting
    }

    /// Waits until the server has ended.
    pub async fn finished(&self) -> Finish {
        match self.life.reached(is_ended).await {
            Phase::Ended(finish) | Phase::Ending(finish) => finish,
            Phase::Accepting | Phase::Closed => unreachable!("these come before the end"),
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("addresses", &self.addresses)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
