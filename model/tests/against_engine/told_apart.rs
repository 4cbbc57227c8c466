//! Effects by who is to hear of them.
//!
//! The order of effects for one receiver is what that receiver sees; between receivers it means nothing.

use gearman_engine::{ConnectionId, Effect};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Receiver {
    Process,
    Store,
    Peer(ConnectionId),
}

/// The effects in their order for each receiver.
pub(crate) fn told_apart(effects: &[Effect]) -> BTreeMap<Receiver, Vec<&Effect>> {
    let mut receivers = BTreeMap::<_, Vec<&Effect>>::new();
    for effect in effects {
        let receiver = match effect {
            Effect::Send { to, .. } => Receiver::Peer(*to),
            Effect::Close { who, .. } | Effect::PauseReading { who } | Effect::ResumeReading { who } => {
                Receiver::Peer(*who)
            }
            Effect::Store { .. } | Effect::Forget { .. } => Receiver::Store,
            Effect::StopAccepting | Effect::Draining { .. } | Effect::Exit { .. } => Receiver::Process,
        };
        receivers.entry(receiver).or_default().push(effect);
    }
    receivers
}
