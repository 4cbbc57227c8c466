//! A trouble under turmoil.

use super::scene::{MUCH, Saw, ask, serve};
use super::sights::{End, Log, Sights, Words, words};
use super::trouble::{Trouble, Wrong};
use crate::faults::schedule::{Deed, Lanes, Outcome};
use crate::history::Actor;
use crate::network::rehearsal::{FIRST, ONLY, PEER, Rehearsal, SECOND, SERVER};
use crate::network::{Fate, NetworkState, Pace, SERVER_ADDRESS, SimNetwork, Toward};
use crate::stage::toward;
use gearman_protocol::Time;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Longer than anything lasts here.
const LATE: Time = Time::from_millis(1_000_000);
/// How many steps of the simulation it takes until nothing moves any more.
const REST: usize = 100;
/// How many bytes may be under way where no reader is slow: all that are ever written.
const WINDOW: usize = 2 * MUCH;

/// What both ends see.
pub(super) fn see(trouble: &Trouble) -> Sights {
    let mut stage = Stage::new(trouble);
    let mut sights = Sights::default();
    sights.push(stage.rest());
    if trouble.habit.is_early() {
        stage.open_gate();
        sights.push(stage.rest());
    }
    begin(&mut stage.rehearsal, trouble);
    stage.rehearsal.step(2);
    if trouble.opens_when_it_happens() {
        stage.open_gate();
    }
    sights.push(stage.rest());
    end(&mut stage.rehearsal, trouble);
    stage.open_gate();
    sights.push(stage.rest());
    sights
}

struct Stage {
    rehearsal: Rehearsal,
    log: Arc<Mutex<Log>>,
    gates: watch::Sender<usize>,
}

impl Stage {
    fn new(trouble: &Trouble) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (gates, opened) = watch::channel(0);
        let rates = match trouble.what {
            Wrong::Each(class) => vec![(class, 1000)],
            Wrong::Once(_) => Vec::new(),
        };
        let notes = |end: End| {
            let log: Arc<Mutex<Log>> = Arc::clone(&log);
            Arc::new(move |nth: usize, saw: Saw| {
                log.lock().unwrap_or_else(PoisonError::into_inner).push((end, nth, saw));
            })
        };
        let (at_server, at_peer) = (notes(End::Server), notes(End::Peer));
        let habit = trouble.habit;
        let rehearsal = Rehearsal::new(
            (&rates, WINDOW),
            Box::new(|_| {}),
            move |network| {
                let notes = Arc::clone(&at_server);
                async move { serve(network, "0.0.0.0:4730", notes).await }
            },
            move |network: SimNetwork| {
                let (gates, notes) = (opened.clone(), Arc::clone(&at_peer));
                async move {
                    ask(network, SERVER_ADDRESS, habit, gates, notes).await;
                    Ok(())
                }
            },
        );
        Self { rehearsal, log, gates }
    }

    fn open_gate(&self) {
        self.gates.send_modify(|opened| *opened += 1);
    }

    /// What is seen until nothing moves any more.
    fn rest(&mut self) -> Words {
        self.rehearsal.step(REST);
        words(&std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn begin(rehearsal: &mut Rehearsal, trouble: &Trouble) {
    let Wrong::Once(deed) = &trouble.what else { return };
    let id = ONLY;
    match deed {
        Deed::ServerCrash { .. } => return rehearsal.kill(SERVER),
        Deed::WorkerCrash { .. } => return rehearsal.kill(PEER),
        Deed::Stall { .. }
        | Deed::Dribble { .. }
        | Deed::SlowReader { .. }
        | Deed::HalfOpen { .. }
        | Deed::Cut { .. }
        | Deed::Door { .. }
        | Deed::ReconnectStorm { .. }
        | Deed::ServerPause { .. }
        | Deed::WorkerPause { .. }
        | Deed::Partition { .. }
        | Deed::ServerPowerLoss { .. }
        | Deed::ServerDrain { .. }
        | Deed::Leave { .. }
        | Deed::Overrun { .. }
        | Deed::ClockStep { .. }
        | Deed::Impatience { .. } => {}
    }
    let mut state = rehearsal.state();
    match deed {
        Deed::Stall { lanes, .. } => toward(*lanes).iter().for_each(|&toward| state.stall(id, toward)),
        Deed::Dribble { lanes, bytes, .. } => {
            let bytes = *bytes as usize;
            let pace = Pace { bytes, every: 1, window: usize::MAX, left: 0, wait: 1 };
            toward(*lanes).iter().for_each(|&toward| state.slow_down(id, toward, pace));
        }
        Deed::SlowReader { bytes, every, window, .. } => {
            let (bytes, window) = (*bytes as usize, *window as usize);
            let pace = Pace { bytes, every: *every, window, left: 0, wait: *every };
            state.slow_down(id, Toward::Peer, pace);
        }
        Deed::HalfOpen { .. } => state.forsake(id),
        Deed::Cut { lanes, last, .. } => {
            toward(*lanes).iter().for_each(|&toward| state.cut_next(id, toward, *last));
        }
        Deed::Door { reception, .. } => {
            state.shut(Actor::new(0), *reception);
            state.sever(id, Fate::Broken);
        }
        Deed::ReconnectStorm { .. } => {
            block(&mut state, Lanes::Both);
            [ONLY, SECOND].into_iter().for_each(|id| state.sever(id, Fate::Broken));
        }
        Deed::Partition { lanes, .. } => block(&mut state, *lanes),
        Deed::ServerPause { .. } => state.pause(SERVER, LATE),
        Deed::WorkerPause { .. } => state.pause(PEER, LATE),
        Deed::Leave { .. } => state.sever(id, Fate::Left),
        Deed::ServerCrash { .. }
        | Deed::WorkerCrash { .. }
        | Deed::ServerPowerLoss { .. }
        | Deed::ServerDrain { .. }
        | Deed::Overrun { .. }
        | Deed::ClockStep { .. }
        | Deed::Impatience { .. } => {}
    }
}

fn block(state: &mut NetworkState, lanes: Lanes) {
    toward(lanes).iter().for_each(|&toward| state.block(PEER, FIRST, toward));
}

fn end(rehearsal: &mut Rehearsal, trouble: &Trouble) {
    let Wrong::Once(deed) = &trouble.what else { return };
    let id = ONLY;
    if let Deed::ServerCrash { .. } = deed {
        return rehearsal.restart_server();
    }
    let mut state = rehearsal.state();
    if let Deed::Stall { then: Outcome::Breaks, .. }
    | Deed::Partition { then: Outcome::Breaks, .. }
    | Deed::HalfOpen { .. } = deed
    {
        state.sever(id, Fate::Broken);
    }
    match deed {
        Deed::Stall { lanes, .. } => toward(*lanes).iter().for_each(|&toward| state.release(id, toward)),
        Deed::Dribble { lanes, .. } => {
            toward(*lanes).iter().for_each(|&toward| state.speed_up(id, toward));
        }
        Deed::SlowReader { .. } => state.speed_up(id, Toward::Peer),
        Deed::Door { reception, .. } => state.reopen(Actor::new(0), *reception),
        Deed::ReconnectStorm { .. } => unblock(&mut state, Lanes::Both),
        Deed::Partition { lanes, .. } => unblock(&mut state, *lanes),
        Deed::ServerPause { .. } => state.resume(SERVER, LATE),
        Deed::WorkerPause { .. } => state.resume(PEER, LATE),
        Deed::HalfOpen { .. }
        | Deed::Cut { .. }
        | Deed::Leave { .. }
        | Deed::ServerCrash { .. }
        | Deed::WorkerCrash { .. }
        | Deed::ServerPowerLoss { .. }
        | Deed::ServerDrain { .. }
        | Deed::Overrun { .. }
        | Deed::ClockStep { .. }
        | Deed::Impatience { .. } => {}
    }
}

fn unblock(state: &mut NetworkState, lanes: Lanes) {
    toward(lanes).iter().for_each(|&toward| state.unblock(PEER, FIRST, toward));
}
