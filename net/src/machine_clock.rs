//! The machine's own clocks.

use crate::Clock;
use gearman_protocol::{Time, UnixMillis};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The machine's monotonic clock, counted from the moment of its making, and its wall clock.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock {
    start: Instant,
}

impl MachineClock {
    /// A clock that begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clocks")]
    #[expect(clippy::new_without_default, reason = "a default that differs each time would surprise")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clocks")]
    fn wall(&self) -> UnixMillis {
        // A wall clock set to before 1970 is taken as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis::new(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
