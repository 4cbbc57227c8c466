//! By what one task hands something to another, and how tasks are started.
//!
//! Server and client take these from here, so that all of them can be exchanged at once: built with `--cfg shuttle`,
//! a scheduler of tests decides after each step who goes on, and `explore` tries many schedules. `cargo xtask threads`
//! builds them so.
//!
//! Channels are tokio's either way. To that scheduler whatever is not from here is one step; that it is right inside
//! is for tokio's own tests to see.

#[cfg(shuttle)]
mod scheduled;

#[cfg(shuttle)]
pub use scheduled::{Notify, explore, pass, spawn};
#[cfg(shuttle)]
pub use shuttle::{
    sync::{Mutex, MutexGuard, atomic},
    thread_local,
};

#[cfg(not(shuttle))]
pub use std::{
    sync::{Mutex, MutexGuard, atomic},
    thread_local,
};
#[cfg(not(shuttle))]
pub use tokio::{spawn, sync::Notify};
