//! The handle on a running server.

use crate::keeper::{Order, is_ended};
use crate::phase::{Finish, Life, Phase};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// A handle on a running server. Dropping it changes nothing: the server goes on.
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) addresses: Arc<[String]>,
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) life: Arc<Life>,
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

    /// Waits until the server has ended.
    pub async fn finished(&self) -> Finish {
        match self.life.reached(is_ended).await {
            Phase::Ended(finish) | Phase::Ending(finish) => finish,
            Phase::Accepting | Phase::Closed => unreachable!("these come before the end"),
        }
    }
}
