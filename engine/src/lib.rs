//! What does a Gearman job server do?
//!
//! The engine is a pure state machine: an [`Event`] goes in at one door, [`Effect`]s come out at the
//! other, and time, hash seeds and limits are arguments. It does no I/O, reads no clock, starts no thread and
//! draws no chance, so what it did once it does again. All policy of a job server is decided here; a driver
//! only carries.
//!
//! Inside, *verbs* (one file for each chapter of the protocol, under `engine`) call *tables* (under `tables`), which
//! know nothing of each other. What must be true of the tables together is stated once, in [`Engine::check`].
//!
//! # How long a call takes
//!
//! No call depends on how many jobs there are, and no table pauses to grow: each grows and shrinks by steps. A
//! deadline costs the logarithm of how many there are, and of very many that pass at one moment 512 jobs become due and
//! 512 timers go off in each millisecond. These calls take longer, in proportion to something:
//!
//! | call | takes time for each |
//! |---|---|
//! | a grab, PRE_SLEEP, a worker's change between asleep, woken and awake | function of that worker |
//! | a report that is passed on, `cancel job` | watcher of that job |
//! | a submit, when many workers sleep and all shall be woken | sleeper of the function |
//! | CANT_DO, RESET_ABILITIES | job that it holds, function it can do |
//! | the end of a connection | function it can do, and job that it holds or watches, of which a call takes 512 at most |
//! | GET_STATUS_UNIQUE | function of the server |
//! | `status`, `prioritystatus`, `show jobs`, `show unique jobs` | row, of which a call tells 1,024 at most |
//! | `workers` | connection and function it can do |
//! | [`Event::Stored`] | job of the same queue that was submitted later and stored earlier |

mod check;
mod config;
mod doors;
mod engine;
mod figures;
mod handles;
mod numerals;
mod refusal;
mod tables;
mod vitals;

pub use check::Violation;
pub use config::{
    ABILITY_OVERHEAD, CONNECTION_OVERHEAD, Compat, Config, ConfigError, FUNCTION_OVERHEAD, JOB_OVERHEAD,
    MAX_HANDLE_PREFIX, WATCHER_OVERHEAD,
};
pub use doors::{
    Buffered, ConnectionId, Doors, Effect, Effects, Event, ExitCode, RecordId, StoreError, StoredJob,
};
pub use engine::Engine;
pub use figures::{Counts, Figures, FunctionFigures, FunctionPage, Refusals, Refused};
pub use vitals::Vitals;
