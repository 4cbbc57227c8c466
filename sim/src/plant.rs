//! Faults of the simulator's own kind, planted to see that they are noticed: what a rule cannot see.

use gearman_engine::{Doors, Effect, Effects, Event};
use gearman_protocol::{Response, Time};
use std::collections::HashSet;

/// A fault that is no misbehaviour of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Plant {
    /// The server panics at its first job.
    Panic,
    /// The server reads the machine's wall clock.
    WallClock,
    /// What the server does follows from the keys of a hash table.
    HashOrder,
}

impl Plant {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::WallClock => "wall-clock",
            Self::HashOrder => "hash-order",
        }
    }

    /// A server with the fault.
    pub(crate) fn into(self, inner: Box<dyn Doors + Send>) -> Box<dyn Doors + Send> {
        Box::new(Planted { plant: self, inner })
    }
}

struct Planted {
    plant: Plant,
    inner: Box<dyn Doors + Send>,
}

impl Doors for Planted {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut said = Effects::new();
        self.inner.handle(now, event, &mut said);
        for mut effect in said.drain() {
            if matches!(&effect, Effect::Send { response: Response::JobCreated { .. }, .. }) {
                self.plant.strike();
            }
            if let Effect::Send { response: Response::StatusUnique(status), .. } = &mut effect
                && self.plant == Plant::HashOrder
            {
                // No rule knows how many watchers a job has.
                status.watchers += lot();
            }
            effects.push(effect);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.inner.deadline()
    }
}

impl Plant {
    #[expect(
        clippy::disallowed_methods,
        reason = "reading the clock where none may be read is what is planted"
    )]
    fn strike(self) {
        match self {
            Self::Panic => panic!("this panic was planted"),
            Self::WallClock => drop(std::hint::black_box(std::time::SystemTime::now())),
            Self::HashOrder => {}
        }
    }
}

/// One of two, as the keys of a new hash table will have it.
fn lot() -> u32 {
    let table: HashSet<u32> = [0, 1].into();
    table.into_iter().next().unwrap_or(0)
}
