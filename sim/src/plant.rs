//! Faults of the simulator's own kind, planted to see that they are noticed: what a rule cannot see.

use gearman_engine::{Doors, Effect, Effects, Event};
use gearman_protocol::{Response, Time};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// A fault that is no misbehaviour of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Plant {
    /// The server panics at its first job.
    Panic,
    /// The server reads the machine's wall clock.
    WallClock,
    /// What the server does follows from the keys of a hash table.
    HashOrder,
    /// What the server does follows from what another thread says, which has the machine's entropy.
    Thread,
    /// A task that nobody waits for panics at the server's first job.
    DetachedPanic,
    /// What the server does follows from how many servers the process has had before it.
    Static,
}

/// How many servers the process has had with [`Plant::Static`].
static SERVERS: AtomicU32 = AtomicU32::new(0);

impl Plant {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::WallClock => "wall-clock",
            Self::HashOrder => "hash-order",
            Self::Thread => "thread",
            Self::DetachedPanic => "detached-panic",
            Self::Static => "static",
        }
    }

    /// A server with the fault.
    pub(crate) fn into(self, inner: Box<dyn Doors + Send>) -> Box<dyn Doors + Send> {
        let excess = if self == Self::Static { SERVERS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        Box::new(Planted { plant: self, inner, excess })
    }
}

struct Planted {
    plant: Plant,
    inner: Box<dyn Doors + Send>,
    /// By how many watchers it says more than there are.
    excess: u32,
}

impl Doors for Planted {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        let mut said = Effects::new();
        self.inner.handle(now, event, &mut said);
        for mut effect in said.drain() {
            if matches!(&effect, Effect::Send { response: Response::JobCreated { .. }, .. }) {
                self.plant.strike();
            }
            if let Effect::Send { response: Response::StatusUnique(status), .. } = &mut effect {
                // No rule knows how many watchers a job has.
                status.watchers += self.excess + self.plant.lot();
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
            Self::DetachedPanic => drop(tokio::spawn(async { panic!("this panic was planted in a task") })),
            Self::HashOrder | Self::Thread | Self::Static => {}
        }
    }

    /// What should not be told, if anything.
    fn lot(self) -> u32 {
        match self {
            Self::HashOrder => lot(),
            // One of two would now and then be the same in two processes all the time.
            Self::Thread => thread::spawn(one_of_thousands).join().unwrap_or(0),
            Self::Panic | Self::WallClock | Self::DetachedPanic | Self::Static => 0,
        }
    }
}

/// One of two, as the keys of a new hash table will have it.
fn lot() -> u32 {
    let table: HashSet<u32> = [0, 1].into();
    table.into_iter().next().unwrap_or(0)
}

/// A number below 4,096, from the keys that a new hash table would have.
fn one_of_thousands() -> u32 {
    u32::try_from(RandomState::new().hash_one(0) % 4096).unwrap_or(0)
}
