//! Finds records of a slab by what they are called.
//!
//! A hash table by linear hashing: when it grows, one bucket is split, never all of them, so no insert takes
//! long however many records there are; when it shrinks, two buckets are joined. The chains run through the
//! records themselves, so a record costs the index four bytes and its bucket four more.
//!
//! It is never iterated, so the seed shows nowhere.

use super::slab::{Key, Slab};
use std::fmt;
use std::marker::PhantomData;

/// Buckets come in segments, so that the table of buckets does not have to move either.
const SEGMENT: usize = 1024;

/// A record that an index of kind `By` can find.
pub(crate) trait Entry<By>: Sized {
    /// A number that is the same for what shall be found alike. It need not be well mixed.
    fn hash(&self) -> u64;
    /// The next record of the same bucket.
    fn chain(&self) -> Option<Key<Self>>;
    fn chain_mut(&mut self) -> &mut Option<Key<Self>>;
}

/// An index of the records of one slab. `By` says by what.
pub(crate) struct Index<T, By> {
    segments: Vec<Vec<Option<Key<T>>>>,
    /// How many buckets there are.
    width: usize,
    len: usize,
    seed: u64,
    kind: PhantomData<fn() -> By>,
}

impl<T: Entry<By>, By> Index<T, By> {
    pub(crate) fn new(seed: u64) -> Self {
        Self { segments: vec![vec![None]], width: 1, len: 0, seed, kind: PhantomData }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The record with this hash that `is_it`.
    pub(crate) fn find(&self, slab: &Slab<T>, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<Key<T>> {
        let mut at = *self.bucket(self.place(hash));
        while let Some(key) = at {
            let record = &slab[key];
            if record.hash() == hash && is_it(record) {
                return Some(key);
            }
            at = record.chain();
        }
        None
    }

    pub(crate) fn insert(&mut self, slab: &mut Slab<T>, key: Key<T>) {
        self.len += 1;
        if self.len > self.width {
            self.split(slab);
        }
        self.link(slab, key);
    }

    fn link(&mut self, slab: &mut Slab<T>, key: Key<T>) {
        let place = self.place(slab[key].hash());
        *slab[key].chain_mut() = self.bucket_mut(place).replace(key);
    }

    pub(crate) fn remove(&mut self, slab: &mut Slab<T>, key: Key<T>) {
        let place = self.place(slab[key].hash());
        let next = slab[key].chain_mut().take();
        match self.predecessor(slab, place, key) {
            Some(previous) => *slab[previous].chain_mut() = next,
            None => *self.bucket_mut(place) = next,
        }
        self.len -= 1;
        // From half of what makes it grow, so that it does not grow and shrink by turns; and two buckets for each
        // record, so that both are gone at the same time.
        for _ in 0..2 {
            if self.len < self.width / 2 {
                self.join(slab);
            }
        }
    }

    fn predecessor(&self, slab: &Slab<T>, place: usize, key: Key<T>) -> Option<Key<T>> {
        let mut at = *self.bucket(place);
        let mut previous = None;
        while at != Some(key) {
            previous = at;
            at = slab[at.expect("the record is in its bucket")].chain();
        }
        previous
    }

    /// Adds a bucket, and moves into it what belongs there from the one that it is split from.
    fn split(&mut self, slab: &mut Slab<T>) {
        if self.width.is_multiple_of(SEGMENT) {
            self.segments.push(Vec::new());
        }
        self.segments[self.width / SEGMENT].push(None);
        self.width += 1;
        let partner = self.partner();
        self.relink(slab, partner);
    }

    /// Takes the last bucket away, and moves what is in it to the one that it was split from.
    fn join(&mut self, slab: &mut Slab<T>) {
        self.width -= 1;
        let segment = &mut self.segments[self.width / SEGMENT];
        let mut at = segment.pop().flatten();
        if segment.is_empty() {
            self.segments.pop();
        }
        while let Some(key) = at {
            at = slab[key].chain();
            self.link(slab, key);
        }
    }

    /// The bucket that the last one is split from.
    const fn partner(&self) -> usize {
        let last = self.width - 1;
        last ^ (1 << last.ilog2())
    }

    fn relink(&mut self, slab: &mut Slab<T>, place: usize) {
        let mut at = self.bucket_mut(place).take();
        while let Some(key) = at {
            at = slab[key].chain();
            self.link(slab, key);
        }
    }

    /// In which bucket a hash belongs.
    const fn place(&self, hash: u64) -> usize {
        let mixed = (hash ^ self.seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32;
        let mask = self.width.next_power_of_two() - 1;
        let place = (mixed & 0xFFFF_FFFF) as usize & mask;
        if place < self.width { place } else { place & (mask >> 1) }
    }

    fn bucket(&self, place: usize) -> &Option<Key<T>> {
        &self.segments[place / SEGMENT][place % SEGMENT]
    }

    fn bucket_mut(&mut self, place: usize) -> &mut Option<Key<T>> {
        &mut self.segments[place / SEGMENT][place % SEGMENT]
    }

    /// How long the longest chain is.
    #[cfg(test)]
    fn longest_chain(&self, slab: &Slab<T>) -> usize {
        let length = |&first: &Option<Key<T>>| std::iter::successors(first, |&key| slab[key].chain()).count();
        self.segments.iter().flatten().map(length).max().unwrap_or(0)
    }
}

impl<T, By> fmt::Debug for Index<T, By> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} buckets", self.len, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item {
        name: u64,
        chain: Option<Key<Self>>,
    }
    struct Name;

    impl Entry<Name> for Item {
        fn hash(&self) -> u64 {
            self.name
        }
        fn chain(&self) -> Option<Key<Self>> {
            self.chain
        }
        fn chain_mut(&mut self) -> &mut Option<Key<Self>> {
            &mut self.chain
        }
    }

    struct Names {
        slab: Slab<Item>,
        index: Index<Item, Name>,
    }

    impl Names {
        fn new() -> Self {
            Self { slab: Slab::new(), index: Index::new(7) }
        }
        fn add(&mut self, name: u64) {
            let key = self.slab.insert(Item { name, chain: None });
            self.index.insert(&mut self.slab, key);
        }
        fn find(&self, name: u64) -> Option<Key<Item>> {
            self.index.find(&self.slab, name, |item| item.name == name)
        }
        fn drop(&mut self, name: u64) {
            let key = self.find(name).unwrap();
            self.index.remove(&mut self.slab, key);
            self.slab.remove(key);
        }
    }

    #[test]
    fn what_was_inserted_is_found_until_it_is_removed() {
        let mut names = Names::new();
        for name in 0..5000 {
            names.add(name * 3);
        }
        for name in (0..5000).step_by(2) {
            names.drop(name * 3);
        }
        for name in 0..5000 {
            assert_eq!(names.find(name * 3).is_some(), name % 2 == 1);
            assert!(names.find(name * 3 + 1).is_none());
        }
    }

    #[test]
    fn chains_stay_short_at_any_size() {
        let mut names = Names::new();
        for name in 0..100_000 {
            names.add(name << 20);
        }
        assert!(names.index.longest_chain(&names.slab) < 16);
    }

    #[test]
    fn an_emptied_index_gives_its_memory_back() {
        let mut names = Names::new();
        (0..10_000).for_each(|name| names.add(name));
        (0..10_000).for_each(|name| names.drop(name));
        assert!(names.index.width <= 2, "{:?}", names.index);
    }
}
