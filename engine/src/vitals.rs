//! How much the engine holds, for whoever watches over it.

use crate::Engine;

/// How many records each table has. An engine whose jobs have ended and whose peers have gone holds nothing but
/// functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Connections that the driver has not told to be gone.
    pub connections: usize,
    /// Functions that are known.
    pub functions: usize,
    /// Jobs that are live or wait for the store.
    pub jobs: usize,
    /// Attached foreground submits.
    pub watchers: usize,
    /// Pairs of a worker and a function.
    pub abilities: usize,
    /// Timers that are set.
    pub timers: usize,
    /// Jobs in the calendar.
    pub scheduled: usize,
    /// Records that the store has not answered.
    pub storing: usize,
    /// Bytes that count against the memory limit.
    pub memory: usize,
}

impl Engine {
    /// How much the engine holds now.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        Vitals {
            connections: self.connections.len(),
            functions: self.functions.slab.len(),
            jobs: self.jobs.slab.len(),
            watchers: self.watchers.len(),
            abilities: self.abilities.slab.len(),
            timers: self.deadlines.timers(),
            scheduled: self.deadlines.scheduled(),
            storing: self.stores.len(),
            memory: self.memory,
        }
    }
}
