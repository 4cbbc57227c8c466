//! How long to wait before connecting anew.

use std::time::Duration;

/// Waits that double from failure to failure, each shortened by up to half so that many workers that lost the
/// same server do not come back at the same moment.
///
/// By how much is drawn from the seed and the number of the failure alone: give each worker its own seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure, before it is shortened: 100 ms.
    pub first: Duration,
    /// The longest wait: 10 s.
    pub longest: Duration,
    /// What the shortening is drawn from: 0.
    pub seed: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(10), seed: 0 }
    }
}

impl Backoff {
    /// The wait after so many failures in a row; 0 is a connection that had been of use.
    #[must_use]
    pub fn delay(&self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        let whole = u64::try_from(doubled.min(self.longest).as_micros()).unwrap_or(u64::MAX);
        let half = whole / 2;
        // The upper half of a product with a 64-bit number spreads evenly over 0..half.
        let off = (u128::from(half) * u128::from(draw(self.seed, failures))) >> 64;
        Duration::from_micros(whole - u64::try_from(off).unwrap_or(half))
    }
}

/// The SplitMix64 generator's number for a seed and a position.
const fn draw(seed: u64, position: u32) -> u64 {
    let mut z = seed.wrapping_add((position as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
