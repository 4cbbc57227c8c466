//! Servers that are wrong on purpose, to see whether the judge can see.
//!
//! A saboteur stands around the doors of any server and misbehaves in one named way, as some server once did or as a
//! rule of ours forbids.
//! None of it is compiled into the product: what is wrapped is the real engine.
//! Each names the rule that must catch it, and no other rule may be needed for that: a fault that two rules see more
//! often than by chance is a fault of the rules.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a trick picks the few events and effects that it spoils"
)]

mod answers;
mod coalescing;
mod endings;
mod epochs;
mod limits;
mod losses;
mod notes;
mod order;
mod results;
mod several;
mod store;
mod wake_ups;

use crate::store::Cheat;
use gearman_engine::{Config, ConnectionId, Doors, Effect, Effects, Event};
use gearman_protocol::Time;
use notes::Notes;
use std::collections::VecDeque;

/// Makes a server with a configuration.
pub type Make<'a> = &'a dyn Fn(Config) -> Box<dyn Doors + Send>;

/// One way to misbehave.
#[derive(Clone, Copy, Debug)]
pub struct Sabotage {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// The rule that must catch it.
    pub rule: &'static str,
    /// Ids of `docs/history.md` whose fault it brings back or comes near, or of `docs/semantics.md` whose statement it
    /// breaks.
    pub cites: &'static [&'static str],
    /// The things that must coincide before it shows, three or more; none if fewer do.
    pub needle: Option<&'static str>,
    means: Means,
}

/// How a sabotage is done.
#[derive(Clone, Copy, Debug)]
enum Means {
    /// The server is set up otherwise than everybody believes.
    Setup(fn(&mut Config)),
    /// Somebody sits in its doors.
    Trick(fn() -> Box<dyn Trick>),
    /// Its store is another than it believes.
    Store(Cheat),
    /// Clients submit everything to two servers, if there are several.
    SubmitToTwo,
}

impl Sabotage {
    /// How its store is wrong, if it is its store.
    pub(crate) const fn cheat(&self) -> Option<Cheat> {
        if let Means::Store(cheat) = self.means { Some(cheat) } else { None }
    }

    /// Whether it is the clients that misbehave.
    #[must_use]
    pub const fn submits_to_two(&self) -> bool {
        matches!(self.means, Means::SubmitToTwo)
    }

    /// A server that misbehaves like this.
    #[must_use]
    pub fn apply(&self, mut config: Config, make: Make<'_>) -> Box<dyn Doors + Send> {
        match self.means {
            Means::Setup(change) => {
                change(&mut config);
                make(config)
            }
            Means::Trick(trick) => {
                let notes = Notes::new(&config);
                Box::new(Saboteur { inner: make(config), said: Effects::new(), notes, trick: trick() })
            }
            Means::Store(_) | Means::SubmitToTwo => make(config),
        }
    }
}

/// Somebody who sits in the doors of a server: every event passes through it on the way in, every effect on the
/// way out.
trait Trick: Send {
    /// What to tell the server instead of the event, in order.
    fn event(&mut self, _: Time, event: Event, _: &Notes, tell: &mut Desk) {
        tell.server(event);
    }

    /// What to do instead of the effect.
    fn effect(&mut self, effect: Effect, _: &Notes, tell: &mut Desk) {
        tell.world(effect);
    }
}

/// A connection of the saboteur's own.
const OWN: ConnectionId = ConnectionId::new(u64::MAX);

/// Where a trick puts what shall be told.
#[derive(Default)]
struct Desk {
    to_server: VecDeque<Event>,
    to_world: Vec<Effect>,
}

impl Desk {
    fn server(&mut self, event: Event) {
        self.to_server.push_back(event);
    }

    fn world(&mut self, effect: Effect) {
        self.to_world.push(effect);
    }
}

struct Saboteur {
    inner: Box<dyn Doors + Send>,
    said: Effects,
    notes: Notes,
    trick: Box<dyn Trick>,
}

impl Doors for Saboteur {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut desk = Desk::default();
        self.notes.before(now, &event);
        self.trick.event(now, event.clone(), &self.notes, &mut desk);
        loop {
            for effect in desk.to_world.drain(..) {
                self.notes.effect(now, &effect);
                effects.push(effect);
            }
            let Some(event) = desk.to_server.pop_front() else { break };
            self.inner.handle(now, event, &mut self.said);
            for effect in self.said.drain() {
                self.trick.effect(effect, &self.notes, &mut desk);
                for effect in desk.to_world.drain(..) {
                    self.notes.effect(now, &effect);
                    effects.push(effect);
                }
            }
        }
        self.notes.after(now, &event);
    }

    fn deadline(&self) -> Option<Time> {
        self.inner.deadline()
    }
}

/// Every n-th time.
#[derive(Clone, Copy, Debug, Default)]
struct Every {
    count: u64,
}

impl Every {
    fn nth(&mut self, n: u64) -> bool {
        self.count += 1;
        self.count.is_multiple_of(n)
    }
}

/// All sabotages.
#[must_use]
pub fn sabotages() -> Vec<Sabotage> {
    let chapters = [
        losses::ALL,
        limits::ALL,
        coalescing::ALL,
        order::ALL,
        wake_ups::ALL,
        epochs::ALL,
        results::ALL,
        answers::ALL,
        store::ALL,
        endings::ALL,
        several::ALL,
    ];
    chapters.concat()
}

#[cfg(test)]
mod tests;
