//! The naive server as free as Gearman leaves a server: whoever is accused here is accused wrongly.
//!
//! The model takes lots where the protocol leaves a choice, and three things more are drawn that no peer can hold
//! against a server: its clock lags behind the hosts' by a few milliseconds, now more and now less; what one event
//! brings to several peers goes out in any order that keeps each peer's own; and a sleeper may be woken at once,
//! for nothing.

use crate::chance::{Chance, rng};
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Event};
use gearman_model::Model;
use gearman_protocol::{Request, Response, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The most by which the server's clock lags.
pub(crate) const MOST_LAG: Duration = Duration::from_millis(8);
/// How many lots the model gets; it takes them round and round.
const LOTS: u64 = 97;

/// Which server is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Server {
    /// The one that ships.
    #[default]
    Engine,
    /// The naive model, with everything drawn at random that Gearman leaves open.
    Naive,
}

impl Server {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Naive => "naive",
        }
    }

    /// By how much its clock may lag.
    pub(crate) const fn most_lag(self) -> Duration {
        match self {
            Self::Engine => Duration::ZERO,
            Self::Naive => MOST_LAG,
        }
    }
}

/// A naive server that takes every freedom, as this seed has it.
pub(crate) fn naive(config: Config, seed: u64) -> Box<dyn Doors + Send> {
    let mut chance = rng(seed, 0, "naive.lots", 0);
    let lots = (0..LOTS).map(|_| u8::try_from(chance.below(256)).expect("below 256")).collect();
    Box::new(Free {
        model: Model::with_lots(config, lots),
        chance: rng(seed, 0, "naive.freedoms", 0),
        clock: Time::ZERO,
        woken: BTreeSet::new(),
    })
}

/// What shall be done, by whose order it belongs to.
type ByPeer = BTreeMap<Option<ConnectionId>, Vec<Effect>>;

struct Free {
    model: Model,
    chance: Chance,
    /// What the server's clock says.
    clock: Time,
    /// Sleepers that were woken for nothing: what the model wakes them with is not needed any more.
    woken: BTreeSet<ConnectionId>,
}

impl Doors for Free {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        self.let_time_pass(now);
        let mut by_peer = ByPeer::new();
        // What is due comes before the event, which may put somebody to sleep anew.
        if self.model.deadline().is_some_and(|due| due <= self.clock) {
            self.tell(Event::Elapsed, &mut by_peer);
        }
        let wakes = self.wakes_at_once(&event);
        self.tell(event, &mut by_peer);
        if let Some(to) = wakes.filter(|to| !by_peer.contains_key(&Some(*to))) {
            self.woken.insert(to);
            by_peer.insert(Some(to), vec![Effect::Send { to, response: Response::Noop }]);
        }
        let mut peers: Vec<Vec<Effect>> = by_peer.into_values().collect();
        self.chance.shuffle(&mut peers);
        peers.into_iter().flatten().for_each(|effect| effects.push(effect));
    }

    fn deadline(&self) -> Option<Time> {
        self.model.deadline().map(|at| at + MOST_LAG)
    }
}

impl Free {
    /// Tells the model, and sorts what it says.
    fn tell(&mut self, event: Event, by_peer: &mut ByPeer) {
        let mut said = Effects::new();
        self.model.handle(self.clock, event, &mut said);
        for effect in said.drain() {
            let to = receiver(&effect);
            let is_noop = matches!(&effect, Effect::Send { response: Response::Noop, .. });
            if !(is_noop && to.is_some_and(|to| self.woken.contains(&to))) {
                by_peer.entry(to).or_default().push(effect);
            }
        }
    }

    /// Its clock never goes back.
    fn let_time_pass(&mut self, now: Time) {
        let most = u64::try_from(MOST_LAG.as_millis()).expect("a few milliseconds");
        let lag = self.chance.between(0..=most);
        self.clock = self.clock.max(Time::from_millis(now.as_millis().saturating_sub(lag)));
        // By the deadline that was asked for it has come.
        if now.as_millis() >= most {
            self.clock = self.clock.max(Time::from_millis(now.as_millis() - most));
        }
    }

    /// Whom the event puts to sleep, if it is woken again at once.
    fn wakes_at_once(&mut self, event: &Event) -> Option<ConnectionId> {
        match event {
            Event::Received { from, request: Request::PreSleep } => {
                self.woken.remove(from);
                self.chance.odds(1, 8).then_some(*from)
            }
            Event::Received { from, request: Request::Grab(_) } | Event::Closed { from } => {
                self.woken.remove(from);
                None
            }
            Event::Received { .. }
            | Event::Malformed { .. }
            | Event::HalfClosed { .. }
            | Event::Opened { .. }
            | Event::Buffered { .. }
            | Event::Wall { .. }
            | Event::Elapsed
            | Event::Stored { .. }
            | Event::Replayed { .. }
            | Event::Verbosity { .. }
            | Event::Drain => None,
        }
    }
}

/// Whose order the effect belongs to.
const fn receiver(effect: &Effect) -> Option<ConnectionId> {
    match effect {
        Effect::Send { to, .. } => Some(*to),
        Effect::Close { who, .. } | Effect::PauseReading { who } | Effect::ResumeReading { who } => {
            Some(*who)
        }
        Effect::Store { .. }
        | Effect::Forget { .. }
        | Effect::StopAccepting
        | Effect::Draining { .. }
        | Effect::Exit { .. } => None,
    }
}
