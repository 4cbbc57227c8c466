//! Nanoseconds of the machine's monotonic clock.

use std::time::Instant;

/// Nanoseconds since the stopwatch was made.
pub(crate) type Nanos = u64;

/// A second in nanoseconds.
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Counts from the moment of its making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the engine's clock counts milliseconds; this one measures"
    )]
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Nanos {
        u64::try_from(self.0.elapsed().as_nanos()).expect("less than five hundred years")
    }
}
