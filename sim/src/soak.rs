//! Long times on one engine, so that what leaks a little leaks much.
//!
//! [`load`] is one heavy load, the same for hours; [`day`] is mixed work, judged as it goes.
//! Both run on the bare engine, keep no trace, and compare what the engine holds at the end with what it held at the
//! start: bytes, connections, timers and every table's length.

pub mod day;
pub mod load;
mod shift;

use gearman_engine::Vitals;
use gearman_protocol::Time;

/// What a soak found that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// When, in simulated time.
    pub at: Time,
    /// What, in one sentence.
    pub what: String,
}

/// Whether the engine holds at the end what it held at the start.
fn compare(at: Time, start: Vitals, end: Vitals) -> Result<(), Wrong> {
    if start == end {
        return Ok(());
    }
    Err(Wrong { at, what: format!("the engine held {start:?} at the start and holds {end:?} at the end") })
}
