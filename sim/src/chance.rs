//! Keyed randomness: every draw is named, so that leaving one out does not move the others.
//!
//! A stream of draws belongs to a seed, an actor, a purpose and a number: `rng(seed, 3, "worker.hold", 17)` is how
//! long actor 3 works on its 17th job, whatever else was drawn or removed before it. Only integers are used, so a
//! seed means the same plan on every platform.
//!
//! ```
//! use gearman_sim::chance;
//!
//! let mut hold = chance::rng(42, 3, "worker.hold", 17);
//! let again = chance::rng(42, 3, "worker.hold", 17).between(1..=500);
//! assert_eq!(hold.between(1..=500), again);
//! ```

use std::ops::RangeInclusive;

/// The draws of one purpose; made by [`rng`].
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

/// The draws that belong to these four keys. `purpose` is a name such as `"worker.hold"`.
#[must_use]
pub fn rng(seed: u64, actor: u64, purpose: &str, number: u64) -> Chance {
    let mut state = mix(seed ^ 0x6765_6172_6D61_6E21);
    state = mix(state ^ actor);
    state = mix(state ^ hash(purpose.as_bytes()));
    Chance { state: mix(state ^ number) }
}

/// FNV-1a: short, stable, and good enough because [`mix`] follows.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The finaliser of SplitMix64 behind its increment: each bit of the input moves about half the output.
const fn mix(value: u64) -> u64 {
    let mut bits = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

impl Chance {
    /// The draws of one side of the purpose, apart from all others.
    #[must_use]
    pub fn and(self, side: &str) -> Self {
        Self { state: mix(self.state ^ hash(side.as_bytes())) }
    }

    /// Any number.
    pub const fn draw(&mut self) -> u64 {
        let drawn = mix(self.state);
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        drawn
    }

    /// A number from 0 up to `end`, which is not reached.
    ///
    /// # Panics
    /// If `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "nothing lies below zero");
        let wide = u128::from(self.draw()) * u128::from(end);
        u64::try_from(wide >> 64).expect("a number below a u64 is one")
    }

    /// An index into a slice of `length` items.
    ///
    /// # Panics
    /// If `length` is 0.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("an index fits")
    }

    /// A number of the range, both ends included.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (start, end) = range.into_inner();
        assert!(start <= end, "the range {start}..={end} is empty");
        match (end - start).checked_add(1) {
            Some(count) => start + self.below(count),
            None => self.draw(),
        }
    }

    /// A number of the range, both ends included; each doubling in it is as likely as the others, so that small
    /// numbers come as often as great ones.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn by_magnitude(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (start, end) = range.into_inner();
        let bits = |number: u64| u64::BITS - number.leading_zeros();
        let magnitude = self.between(bits(start).into()..=bits(end).into());
        let least = magnitude.checked_sub(1).map_or(0, |places| 1 << places);
        self.between(start.max(least)..=end.min(least.saturating_mul(2).saturating_sub(1)))
    }

    /// Yes in `favourable` of `all` cases.
    pub fn odds(&mut self, favourable: u64, all: u64) -> bool {
        self.below(all) < favourable
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// One of the items, each as likely as its weight says.
    ///
    /// # Panics
    /// If all weights are 0.
    pub fn weighted<'a, T>(&mut self, items: &'a [(u64, T)]) -> &'a T {
        let mut left = self.below(items.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in items {
            match left.checked_sub(*weight) {
                None => return item,
                Some(less) => left = less,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// Puts the items in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_is_as_likely_as_the_others() {
        let mut chance = rng(1, 2, "sizes", 3);
        let mut counts = [0; 11];
        for _ in 0..11_000 {
            let size = chance.by_magnitude(0..=1000);
            assert!(size <= 1000);
            counts[(u64::BITS - size.leading_zeros()) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        assert!((0..1000).all(|_| (20..=300).contains(&chance.by_magnitude(20..=300))));
        assert_eq!((chance.by_magnitude(0..=0), chance.by_magnitude(9..=9)), (0, 9));
        assert!((0..1000).any(|_| chance.by_magnitude(0..=u64::MAX) > u64::MAX / 2));
    }

    /// The numbers a seed means must never change: saved seeds would name other plans.
    #[test]
    fn a_seed_means_the_same_numbers_for_ever() {
        let mut chance = rng(42, 3, "worker.hold", 17);
        let drawn = [chance.draw(), chance.draw(), chance.draw()];
        assert_eq!(drawn, [1_733_977_192_200_318_015, 2_766_751_837_282_902_911, 3_728_730_924_595_359_095]);
    }

    #[test]
    fn each_key_moves_the_draws() {
        let base = rng(1, 2, "x", 3).draw();
        let others = [rng(2, 2, "x", 3), rng(1, 3, "x", 3), rng(1, 2, "y", 3), rng(1, 2, "x", 4)];
        assert!(others.into_iter().all(|mut other| other.draw() != base));
        assert_eq!(rng(1, 2, "x", 3).draw(), base);
    }

    #[test]
    fn draws_cover_their_range_and_nothing_else() {
        let mut chance = rng(7, 0, "range", 0);
        let drawn: Vec<u64> = (0..1000).map(|_| chance.between(3..=6)).collect();
        for wanted in 3..=6 {
            let count = drawn.iter().filter(|&&got| got == wanted).count();
            assert!((150..350).contains(&count), "{wanted} was drawn {count} times of 1000");
        }
        assert!(drawn.iter().all(|got| (3..=6).contains(got)));
        chance.between(0..=u64::MAX);
    }

    #[test]
    fn weights_count_and_zero_never_comes() {
        let mut chance = rng(7, 0, "weights", 0);
        let items = [(1, 'a'), (0, 'b'), (3, 'c')];
        let drawn: Vec<char> = (0..1000).map(|_| *chance.weighted(&items)).collect();
        let seldom = drawn.iter().filter(|&&got| got == 'a').count();
        assert!((180..320).contains(&seldom), "a was drawn {seldom} times of 1000");
        assert!(!drawn.contains(&'b'));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        rng(7, 0, "shuffle", 0).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
