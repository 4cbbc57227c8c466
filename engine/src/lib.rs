//! What does a Gearman job server do?
//!
//! The engine is a pure state machine: an [`Event`] goes in at one door, [`Effect`]s come out at the
//! other, and time, hash seeds and limits are arguments. It does no I/O, reads no clock, starts no thread and
//! draws no chance, so what it did once it does again. All policy of a job server is decided here; a driver
//! only carries.

mod check;
mod config;
mod doors;
mod engine;
mod handles;
mod numerals;
mod refusal;
mod tables;
mod vitals;

pub use check::Violation;
pub use config::{Compat, Config, ConfigError, JOB_OVERHEAD, MAX_HANDLE_PREFIX};
pub use doors::{
    Buffered, ConnectionId, Doors, Effect, Effects, Event, ExitCode, RecordId, StoreError, StoredJob,
};
pub use engine::Engine;
pub use vitals::Vitals;
