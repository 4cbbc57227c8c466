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

/// What the SplitMix64 generator (Steele, Lea and Flood, 2014) draws at a position, counted from 0, after a seed.
const fn draw(seed: u64, position: u32) -> u64 {
    let mut z = seed.wrapping_add((position as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_two_seeds_are_those_of_splitmix64() {
        let zero = [0, 1, 2].map(|position| draw(0, position));
        assert_eq!(zero, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
        let other = [0, 1, 2].map(|position| draw(1_234_567, position));
        assert_eq!(other, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
