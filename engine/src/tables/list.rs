//! Doubly linked lists whose links lie in the records of a slab, so that a record leaves its list at once.

use super::slab::{Key, Slab};
use std::fmt;
use std::marker::PhantomData;

/// A record's neighbours in one list.
pub(crate) struct Links<T> {
    pub(crate) previous: Option<Key<T>>,
    pub(crate) next: Option<Key<T>>,
}

/// A record that can be in a list of kind `In`.
pub(crate) trait Member<In>: Sized {
    fn links(&self) -> &Links<Self>;
    fn links_mut(&mut self) -> &mut Links<Self>;
}

/// A list of records of one slab. `In` says which of their links it uses.
pub(crate) struct List<T, In> {
    first: Option<Key<T>>,
    last: Option<Key<T>>,
    len: u32,
    kind: PhantomData<fn() -> In>,
}

impl<T: Member<In>, In> List<T, In> {
    pub(crate) const fn new() -> Self {
        Self { first: None, last: None, len: 0, kind: PhantomData }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn first(&self) -> Option<Key<T>> {
        self.first
    }

    pub(crate) fn push_back(&mut self, slab: &mut Slab<T>, key: Key<T>) {
        self.insert_after(slab, self.last, key);
    }

    /// Puts a record behind another, or at the front.
    pub(crate) fn insert_after(&mut self, slab: &mut Slab<T>, previous: Option<Key<T>>, key: Key<T>) {
        let next = match previous {
            Some(previous) => slab[previous].links_mut().next.replace(key),
            None => self.first.replace(key),
        };
        match next {
            Some(next) => slab[next].links_mut().previous = Some(key),
            None => self.last = Some(key),
        }
        *slab[key].links_mut() = Links { previous, next };
        self.len += 1;
    }

    /// Puts a record behind the last of those that come `before` it. Takes time for those that do not.
    pub(crate) fn insert_sorted(&mut self, slab: &mut Slab<T>, key: Key<T>, before: impl Fn(&T) -> bool) {
        let mut previous = self.last;
        while let Some(other) = previous.filter(|&other| !before(&slab[other])) {
            previous = slab[other].links().previous;
        }
        self.insert_after(slab, previous, key);
    }

    pub(crate) fn remove(&mut self, slab: &mut Slab<T>, key: Key<T>) {
        let Links { previous, next } = std::mem::take(slab[key].links_mut());
        match previous {
            Some(previous) => slab[previous].links_mut().next = next,
            None => self.first = next,
        }
        match next {
            Some(next) => slab[next].links_mut().previous = previous,
            None => self.last = previous,
        }
        self.len -= 1;
    }

    /// The keys from front to back.
    pub(crate) fn keys<'a>(&self, slab: &'a Slab<T>) -> Keys<'a, T, In> {
        Keys { slab, next: self.first, kind: PhantomData }
    }
}

/// The keys of a list, from front to back.
pub(crate) struct Keys<'a, T, In> {
    slab: &'a Slab<T>,
    next: Option<Key<T>>,
    kind: PhantomData<fn() -> In>,
}

impl<T: Member<In>, In> Iterator for Keys<'_, T, In> {
    type Item = Key<T>;

    fn next(&mut self) -> Option<Key<T>> {
        let key = self.next?;
        self.next = self.slab[key].links().next;
        Some(key)
    }
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Self { previous: None, next: None }
    }
}

impl<T> fmt::Debug for Links<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}<>{:?}", self.previous, self.next)
    }
}

impl<T, In> fmt::Debug for List<T, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {:?} to {:?}", self.len, self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item(Links<Self>);
    struct Row;

    impl Member<Row> for Item {
        fn links(&self) -> &Links<Self> {
            &self.0
        }
        fn links_mut(&mut self) -> &mut Links<Self> {
            &mut self.0
        }
    }

    #[test]
    fn records_leave_from_anywhere_and_the_rest_keeps_its_order() {
        let mut slab = Slab::new();
        let mut list: List<Item, Row> = List::new();
        let keys: Vec<_> = (0..5).map(|_| slab.insert(Item(Links::default()))).collect();
        for &key in &keys {
            list.push_back(&mut slab, key);
        }
        for gone in [0, 4, 2] {
            list.remove(&mut slab, keys[gone]);
        }
        assert_eq!(list.keys(&slab).collect::<Vec<_>>(), [keys[1], keys[3]]);
        list.insert_after(&mut slab, None, keys[0]);
        list.insert_after(&mut slab, Some(keys[1]), keys[2]);
        assert_eq!(list.keys(&slab).collect::<Vec<_>>(), [keys[0], keys[1], keys[2], keys[3]]);
        assert_eq!((list.first(), list.last, list.len()), (Some(keys[0]), Some(keys[3]), 4));
    }
}
