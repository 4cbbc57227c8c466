//! Gearman clients and workers, generic over the network.
//!
//! A [`Client`] submits jobs and asks about them; a [`Worker`] does them. Both are deterministic given a network
//! that is: they draw no chance, read no clock, and wait with tokio's timers.

mod client;
mod error;
mod link;
mod worker;

pub use client::{Client, Submission, Watcher};
pub use error::{Error, Loss};
pub use gearman_protocol::{Grab, Handle, JobStatus, Priority, Report, UniqueStatus};
pub use link::Reach;
pub use worker::{Backoff, Disconnected, Failure, IntoOutcome, Job, Stop, Worker, WorkerConfig};
