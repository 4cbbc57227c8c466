//! A server on the machine's own network, and everything that its peers may do to it.
//!
//! Nothing here is timed: what is waited for has a deadline so far away that only a hang reaches it.

mod jobs;
mod life;
#[cfg(test)]
mod metrics;
mod peers;
#[cfg(test)]
mod stage;
