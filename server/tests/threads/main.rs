//! What threads of a server hand to each other, under many schedules of the same few steps.
//!
//! Server, engine, network and client are the real ones; who goes on after each step is decided by a scheduler, and
//! one who waits for nobody is found as a deadlock. Only `cargo xtask threads` builds this: without `--cfg shuttle`
//! nothing is here.

#![cfg(shuttle)]

mod crier;
mod endings;
mod jobs;
mod numbers;
mod timer;
