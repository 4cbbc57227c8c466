//! Finds records by what they are called.
//!
//! A hash table by linear hashing: when it grows, one bucket is split, never all of them, so no insert takes
//! long however many records there are; when it shrinks, two buckets are joined. A bucket is a cache line of keys,
//! each with a part of its hash beside it: growing, shrinking and looking for what is not there touch no record.
//!
//! It is never iterated, so the seed shows nowhere.

use super::slab::{Key, Slab};
use std::fmt;

/// How many keys a bucket has room for. What it has no room for is in further buckets, one behind the other.
const ROOM: usize = 7;

/// How many keys a bucket has on average before there is one bucket more.
const FULL: usize = 5;

/// Buckets come in segments, so that the table of buckets does not have to move either.
const SEGMENT: usize = 256;

/// An index of the records of one slab.
pub(crate) struct Index<T> {
    segments: Vec<Vec<Bucket<T>>>,
    /// How many buckets there are, further ones not counted.
    width: usize,
    /// The bits of a tag that say where it belongs: one less than the next power of two.
    mask: usize,
    further: Slab<Bucket<T>>,
    len: usize,
    seed: u64,
}

/// The part of a hash that is kept. What is found alike has the same one; others seldom do.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Tag(u32);

/// Keys without a gap, and what follows them.
struct Bucket<T> {
    tags: [Tag; ROOM],
    keys: [Option<Key<T>>; ROOM],
    len: u32,
    next: Option<Key<Self>>,
}

/// Where a bucket is.
enum At<T> {
    Place(usize),
    Further(Key<Bucket<T>>),
}

impl<T> Index<T> {
    pub(crate) fn new(seed: u64) -> Self {
        Self { segments: vec![vec![Bucket::new()]], width: 1, mask: 0, further: Slab::new(), len: 0, seed }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The key of the record with this hash that `is_it`. The hash need not be well mixed.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(Key<T>) -> bool) -> Option<Key<T>> {
        let tag = self.tag(hash);
        let mut bucket = self.bucket(&At::Place(self.place(tag)));
        loop {
            for (&other, &key) in bucket.tags.iter().zip(&bucket.keys) {
                if other == tag
                    && let Some(key) = key
                    && is_it(key)
                {
                    return Some(key);
                }
            }
            bucket = &self.further[bucket.next?];
        }
    }

    pub(crate) fn insert(&mut self, hash: u64, key: Key<T>) {
        self.len += 1;
        if self.len > self.width * FULL {
            self.split();
        }
        self.put(self.tag(hash), key);
    }

    /// Takes a key out that was put in with this hash.
    pub(crate) fn remove(&mut self, hash: u64, key: Key<T>) {
        let place = self.place(self.tag(hash));
        // The last key of the bucket fills the gap.
        let (tag, last) = self.pop(place);
        if last != key {
            self.replace(place, key, (tag, last));
        }
        self.len -= 1;
        // From half of what makes it grow, so that it does not grow and shrink by turns.
        if self.width > 1 && self.len * 2 < self.width * FULL {
            self.join();
        }
    }

    fn put(&mut self, tag: Tag, key: Key<T>) {
        let mut at = At::Place(self.place(tag));
        while !self.bucket_mut(&at).push(tag, key) {
            at = At::Further(match self.bucket(&at).next {
                Some(next) => next,
                None => self.append(&at),
            });
        }
    }

    fn append(&mut self, at: &At<T>) -> Key<Bucket<T>> {
        let next = self.further.insert(Bucket::new());
        self.bucket_mut(at).next = Some(next);
        next
    }

    /// Takes out the last key of what is at a place; there is one.
    fn pop(&mut self, place: usize) -> (Tag, Key<T>) {
        let (mut before, mut at) = (None, At::Place(place));
        while let Some(next) = self.bucket(&at).next {
            before = Some(std::mem::replace(&mut at, At::Further(next)));
        }
        let bucket = self.bucket_mut(&at);
        let entry = bucket.pop();
        if let (true, Some(before), At::Further(empty)) = (bucket.is_empty(), before, at) {
            self.bucket_mut(&before).next = None;
            self.further.remove(empty);
        }
        entry
    }

    /// Puts an entry where another key is.
    fn replace(&mut self, place: usize, key: Key<T>, entry: (Tag, Key<T>)) {
        let mut at = At::Place(place);
        while !self.bucket_mut(&at).replace(key, entry) {
            at = At::Further(self.bucket(&at).next.expect("the key is in its bucket"));
        }
    }

    /// Adds a bucket, and moves into it what belongs there from the one that it is split from.
    fn split(&mut self) {
        if self.width.is_multiple_of(SEGMENT) {
            self.segments.push(Vec::with_capacity(SEGMENT));
        }
        self.segments[self.width / SEGMENT].push(Bucket::new());
        self.set_width(self.width + 1);
        let partner = At::Place(self.partner());
        let moved = std::mem::replace(self.bucket_mut(&partner), Bucket::new());
        self.put_all(moved);
    }

    /// Takes the last bucket away, and moves what is in it to the one that it was split from.
    fn join(&mut self) {
        self.set_width(self.width - 1);
        let segment = &mut self.segments[self.width / SEGMENT];
        let moved = segment.pop().expect("there is a bucket");
        if segment.is_empty() {
            self.segments.pop();
        }
        self.put_all(moved);
    }

    /// Puts in what was in a bucket and in those behind it.
    fn put_all(&mut self, mut bucket: Bucket<T>) {
        loop {
            bucket.entries().for_each(|(tag, key)| self.put(tag, key));
            let Some(next) = bucket.next else { return };
            bucket = self.further.remove(next);
        }
    }

    const fn set_width(&mut self, width: usize) {
        self.width = width;
        self.mask = width.next_power_of_two() - 1;
    }

    /// The bucket that the last one is split from.
    const fn partner(&self) -> usize {
        let last = self.width - 1;
        last ^ (1 << last.ilog2())
    }

    const fn tag(&self, hash: u64) -> Tag {
        let mixed = (hash ^ self.seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Tag(((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as u32)
    }

    /// In which bucket a tag belongs.
    const fn place(&self, tag: Tag) -> usize {
        let place = tag.0 as usize & self.mask;
        if place < self.width { place } else { place & (self.mask >> 1) }
    }

    fn bucket(&self, at: &At<T>) -> &Bucket<T> {
        match *at {
            At::Place(place) => &self.segments[place / SEGMENT][place % SEGMENT],
            At::Further(key) => &self.further[key],
        }
    }

    fn bucket_mut(&mut self, at: &At<T>) -> &mut Bucket<T> {
        match *at {
            At::Place(place) => &mut self.segments[place / SEGMENT][place % SEGMENT],
            At::Further(key) => &mut self.further[key],
        }
    }

    /// How many bytes a key takes here on average, further buckets not counted.
    #[cfg(test)]
    pub(crate) const SHARE: usize = size_of::<Bucket<T>>().div_ceil(FULL);

    /// How many buckets are behind one another at most.
    #[cfg(test)]
    fn longest_chain(&self) -> usize {
        self.segments.iter().flatten().map(|bucket| self.chain(bucket)).max().unwrap_or(0)
    }

    #[cfg(test)]
    fn chain(&self, bucket: &Bucket<T>) -> usize {
        1 + bucket.next.map_or(0, |next| self.chain(&self.further[next]))
    }
}

impl<T> Bucket<T> {
    const fn new() -> Self {
        Self { tags: [Tag(0); ROOM], keys: [None; ROOM], len: 0, next: None }
    }

    fn entries(&self) -> impl Iterator<Item = (Tag, Key<T>)> {
        self.tags.iter().zip(self.keys.iter()).map_while(|(&tag, &key)| Some((tag, key?)))
    }

    const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there was room.
    fn push(&mut self, tag: Tag, key: Key<T>) -> bool {
        let free = self.len as usize;
        if free >= ROOM {
            return false;
        }
        (self.tags[free], self.keys[free]) = (tag, Some(key));
        self.len += 1;
        true
    }

    fn pop(&mut self) -> (Tag, Key<T>) {
        self.len -= 1;
        let last = self.len as usize;
        (self.tags[last], self.keys[last].take().expect("keys have no gap"))
    }

    /// Whether the key was here.
    fn replace(&mut self, key: Key<T>, (tag, by): (Tag, Key<T>)) -> bool {
        let Some(here) = self.keys.iter().position(|&other| other == Some(key)) else { return false };
        (self.tags[here], self.keys[here]) = (tag, Some(by));
        true
    }
}

impl<T> fmt::Debug for Index<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {} buckets and {} further ones", self.len, self.width, self.further.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names {
        slab: Slab<u64>,
        index: Index<u64>,
    }

    impl Names {
        fn new() -> Self {
            Self { slab: Slab::new(), index: Index::new(7) }
        }
        fn add(&mut self, name: u64) {
            let key = self.slab.insert(name);
            self.index.insert(name, key);
        }
        fn find(&self, name: u64) -> Option<Key<u64>> {
            self.index.find(name, |key| self.slab[key] == name)
        }
        fn drop(&mut self, name: u64) {
            let key = self.find(name).unwrap();
            self.index.remove(name, key);
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
    fn many_that_are_called_alike_are_told_apart_by_who_they_are() {
        let mut names = Names::new();
        let keys: Vec<_> = (0..100).map(|name| names.slab.insert(name)).collect();
        keys.iter().for_each(|&key| names.index.insert(1, key));
        for (gone, &key) in keys.iter().enumerate() {
            names.index.remove(1, key);
            for (at, &other) in keys.iter().enumerate() {
                let found = names.index.find(1, |key| key == other);
                assert_eq!(found, (at > gone).then_some(other));
            }
        }
        assert_eq!((names.index.width, names.index.further.len()), (1, 0));
    }

    #[test]
    fn chains_stay_short_at_any_size_and_whatever_the_seed_and_the_names() {
        for (seed, shift) in [(7, 20), (0, 48), (u64::MAX, 48)] {
            let mut names = Names { slab: Slab::new(), index: Index::new(seed) };
            for name in 0..30_000 {
                names.add(name << shift);
            }
            assert!(names.index.longest_chain() <= 4, "{}", names.index.longest_chain());
            let buckets = names.index.width + names.index.further.len();
            assert!(buckets < 30_000 / 4, "{:?}", names.index);
        }
    }

    #[test]
    fn it_grows_at_five_keys_a_bucket_and_shrinks_at_half_of_that() {
        let mut names = Names::new();
        for name in 0..100 {
            names.add(name);
            assert_eq!(names.index.width, names.index.len().div_ceil(5));
        }
        for name in 0..100 {
            names.drop(name);
            let half = names.index.len() * 2 / 5;
            assert_eq!(names.index.width, half.clamp(1, 20));
        }
    }

    #[test]
    fn an_emptied_index_gives_its_memory_back() {
        let mut names = Names::new();
        (0..10_000).for_each(|name| names.add(name));
        (0..10_000).for_each(|name| names.drop(name));
        assert_eq!((names.index.width, names.index.further.len()), (1, 0), "{:?}", names.index);
    }

    #[test]
    fn a_bucket_is_no_larger_than_a_cache_line() {
        assert!(size_of::<Bucket<u64>>() <= 64);
    }
}
