//! Records by small keys, in a table that grows and shrinks in steps.
//!
//! A vector that doubles would copy every record at once when it is full; with millions of jobs that is a
//! pause every client would feel. This table grows by chunks that never move, and gives a chunk back when it
//! is empty.

use std::fmt;
use std::marker::PhantomData;
use std::ops;

/// How many records a chunk has. Twice as many make a chunk of jobs larger than 64 KiB, and a waiting job was measured to
/// take seven bytes more then.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 9;

/// Names a record of type `T` in its slab for as long as it lives. `Option<Key<T>>` has four bytes.
pub(crate) struct Key<T> {
    /// The index of the slot, plus one.
    number: std::num::NonZeroU32,
    record: PhantomData<fn() -> T>,
}

/// Records of one type.
pub(crate) struct Slab<T> {
    chunks: Vec<Chunk<T>>,
    /// The first of the chunks that have room; they are linked. Only this one may be empty and keep its memory.
    roomy: Option<usize>,
    len: usize,
}

struct Chunk<T> {
    slots: Vec<Slot<T>>,
    vacant: Option<u16>,
    live: usize,
    next_roomy: Option<usize>,
}

enum Slot<T> {
    Live(T),
    /// The next vacant slot of the chunk.
    Vacant(Option<u16>),
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), roomy: None, len: 0 }
    }

    /// How many records live in it.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Takes a record in.
    pub(crate) fn insert(&mut self, record: T) -> Key<T> {
        let at = self.roomy.unwrap_or_else(|| self.add_chunk());
        let chunk = &mut self.chunks[at];
        let offset = chunk.insert(record);
        if !chunk.has_room() {
            self.roomy = chunk.next_roomy.take();
        }
        self.len += 1;
        Key::of_slot(at * CHUNK + offset)
    }

    fn add_chunk(&mut self) -> usize {
        // The first grows as it is needed; whoever needs a second will fill it.
        let slots = if self.chunks.is_empty() { Vec::new() } else { Vec::with_capacity(CHUNK) };
        self.chunks.push(Chunk { slots, vacant: None, live: 0, next_roomy: None });
        self.roomy = Some(self.chunks.len() - 1);
        self.chunks.len() - 1
    }

    /// Takes a record out; its key may then name another.
    pub(crate) fn remove(&mut self, key: Key<T>) -> T {
        let (at, offset) = (key.slot() / CHUNK, key.slot() % CHUNK);
        let was_full = !self.chunks[at].has_room();
        let record = self.chunks[at].remove(offset);
        self.len -= 1;
        if was_full {
            if let Some(first) = self.roomy {
                self.chunks[first].release_if_empty();
            }
            self.chunks[at].next_roomy = self.roomy.replace(at);
        } else if self.roomy != Some(at) {
            self.chunks[at].release_if_empty();
        }
        record
    }

    /// The record, if the key names one.
    pub(crate) fn get(&self, key: Key<T>) -> Option<&T> {
        match self.chunks.get(key.slot() / CHUNK)?.slots.get(key.slot() % CHUNK)? {
            Slot::Live(record) => Some(record),
            Slot::Vacant(_) => None,
        }
    }

    /// How many places there are, with a record or without.
    pub(crate) const fn places(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    /// The records in these places.
    pub(crate) fn range(&self, places: ops::Range<usize>) -> impl Iterator<Item = &T> {
        places.filter_map(|place| match self.chunks.get(place / CHUNK)?.slots.get(place % CHUNK)? {
            Slot::Live(record) => Some(record),
            Slot::Vacant(_) => None,
        })
    }

    /// How many bytes a record takes here.
    #[cfg(test)]
    pub(crate) const PLACE: usize = size_of::<Slot<T>>();

    /// How many slots have memory, live or vacant.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.slots.capacity()).sum()
    }
}

impl<T> Chunk<T> {
    const fn has_room(&self) -> bool {
        self.live < CHUNK
    }

    fn insert(&mut self, record: T) -> usize {
        self.live += 1;
        let Some(offset) = self.vacant.map(usize::from) else {
            self.slots.push(Slot::Live(record));
            return self.slots.len() - 1;
        };
        match std::mem::replace(&mut self.slots[offset], Slot::Live(record)) {
            Slot::Vacant(next) => self.vacant = next,
            Slot::Live(_) => unreachable!("a live slot was on the list of vacant ones"),
        }
        offset
    }

    fn remove(&mut self, offset: usize) -> T {
        let vacant = u16::try_from(offset).ok();
        let Slot::Live(record) = std::mem::replace(&mut self.slots[offset], Slot::Vacant(self.vacant)) else {
            unreachable!("a vacant slot was removed");
        };
        self.vacant = vacant;
        self.live -= 1;
        record
    }

    fn release_if_empty(&mut self) {
        if self.live == 0 {
            self.slots = Vec::new();
            self.vacant = None;
        }
    }
}

impl<T> ops::Index<Key<T>> for Slab<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: Key<T>) -> &T {
        match &self.chunks[key.slot() / CHUNK].slots[key.slot() % CHUNK] {
            Slot::Live(record) => record,
            Slot::Vacant(_) => unreachable!("a key outlived its record"),
        }
    }
}

impl<T> ops::IndexMut<Key<T>> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        match &mut self.chunks[key.slot() / CHUNK].slots[key.slot() % CHUNK] {
            Slot::Live(record) => record,
            Slot::Vacant(_) => unreachable!("a key outlived its record"),
        }
    }
}

impl<T> Key<T> {
    pub(super) fn of_slot(slot: usize) -> Self {
        let number = u32::try_from(slot + 1).ok().and_then(std::num::NonZeroU32::new);
        let number = number.expect("a table has fewer than 2^32 records");
        Self { number, record: PhantomData }
    }

    const fn slot(self) -> usize {
        self.number.get() as usize - 1
    }

    /// A number that no other key of the slab has.
    pub(crate) const fn number(self) -> u32 {
        self.number.get()
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn records_stay_where_they_are_while_others_come_and_go() {
        let mut slab = Slab::new();
        let mut model: VecDeque<(Key<usize>, usize)> = VecDeque::new();
        for value in 0..10 * CHUNK {
            model.push_back((slab.insert(value), value));
            if value % 3 == 0 {
                let (key, old) = model.pop_front().unwrap();
                assert_eq!(slab.remove(key), old);
            }
        }
        assert_eq!(slab.len(), model.len());
        assert!(model.iter().all(|&(key, value)| slab[key] == value));
    }

    #[test]
    fn vacant_slots_are_used_again() {
        let mut slab = Slab::new();
        for value in 0..100 * CHUNK {
            let key = slab.insert(value);
            slab.remove(key);
        }
        assert!(slab.capacity() <= CHUNK);
    }

    #[test]
    fn an_emptied_table_gives_its_memory_back() {
        let mut slab = Slab::new();
        let keys: Vec<_> = (0..10 * CHUNK).map(|value| slab.insert(value)).collect();
        for key in keys {
            slab.remove(key);
        }
        assert_eq!(slab.len(), 0);
        assert!(slab.capacity() <= CHUNK, "{} slots are still held", slab.capacity());
    }

    #[test]
    fn memory_at_the_edge_of_a_chunk_does_not_come_and_go() {
        let mut slab = Slab::new();
        let full: Vec<_> = (0..CHUNK).map(|value| slab.insert(value)).collect();
        let over = slab.insert(0);
        slab.remove(over);
        let capacity = slab.capacity();
        assert!(capacity > CHUNK, "the empty chunk is kept for the next record");
        slab.remove(full[0]);
        assert_eq!(slab.capacity(), CHUNK, "but not once another has room");
    }

    #[test]
    fn every_record_is_in_one_of_its_places() {
        let mut slab = Slab::new();
        for value in 0..2 * CHUNK + 1 {
            slab.insert(value);
        }
        assert!(slab.range(0..slab.places()).copied().eq(0..2 * CHUNK + 1));
    }

    #[test]
    fn an_optional_key_has_four_bytes() {
        assert_eq!(size_of::<Option<Key<String>>>(), 4);
    }
}
