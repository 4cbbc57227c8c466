//! Finds jobs by their numbers.
//!
//! Numbers are given one after the other, and mostly asked for in that order too. So a few neighbours share a page,
//! and what is new is written where the last was.

use super::index::Index;
use super::jobs::{JobKey, JobNumber};
use super::slab::{Key, Slab};

/// How many numbers are on a page. A page that has one job left is that job's alone, so there are not many.
const PAGE: u64 = 1 << BITS;
const BITS: u32 = 3;

/// The table.
pub(crate) struct Numbers {
    pages: Slab<Page>,
    by_first: Index<Page>,
    /// The page that was added last: most that is asked for is on it, and it alone may be empty.
    newest: Option<(u64, Key<Page>)>,
    len: usize,
}

struct Page {
    /// Its first number, in pages.
    first: u64,
    keys: [Option<JobKey>; 1 << BITS],
}

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { pages: Slab::new(), by_first: Index::new(seed), newest: None, len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find(&self, number: JobNumber) -> Option<JobKey> {
        let (first, at) = place(number);
        self.pages[self.page(first)?].keys[at]
    }

    pub(crate) fn insert(&mut self, number: JobNumber, key: JobKey) {
        let (first, at) = place(number);
        let page = self.page(first).unwrap_or_else(|| self.add_page(first));
        self.pages[page].keys[at] = Some(key);
        self.len += 1;
    }

    /// Takes a number out that is there.
    pub(crate) fn remove(&mut self, number: JobNumber) {
        let (first, at) = place(number);
        let key = self.page(first).expect("the number is on its page");
        self.pages[key].keys[at] = None;
        self.len -= 1;
        if self.newest != Some((first, key)) {
            self.drop_if_empty(first, key);
        }
    }

    fn drop_if_empty(&mut self, first: u64, key: Key<Page>) {
        if self.pages[key].keys.iter().all(Option::is_none) {
            self.by_first.remove(first, key);
            self.pages.remove(key);
        }
    }

    fn page(&self, first: u64) -> Option<Key<Page>> {
        match self.newest {
            Some((newest, page)) if newest == first => Some(page),
            Some(_) | None => self.by_first.find(first, |page| self.pages[page].first == first),
        }
    }

    fn add_page(&mut self, first: u64) -> Key<Page> {
        let page = self.pages.insert(Page { first, keys: [None; 1 << BITS] });
        self.by_first.insert(first, page);
        if let Some((before, key)) = self.newest.replace((first, page)) {
            self.drop_if_empty(before, key);
        }
        page
    }

    /// How many bytes a number takes that has a page of its own.
    #[cfg(test)]
    pub(crate) const MOST: usize = Slab::<Page>::PLACE + Index::<Page>::SHARE;
}

const fn place(number: JobNumber) -> (u64, usize) {
    (number.0 / PAGE, (number.0 % PAGE) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_until_they_are_removed_and_leave_one_page() {
        let mut numbers = Numbers::new(3);
        let entries: Vec<_> = (1..1000_u64).zip((1..).map(JobKey::of_slot)).collect();
        entries.iter().for_each(|&(number, key)| numbers.insert(JobNumber(number), key));
        let (stay, go): (Vec<_>, Vec<_>) = entries.iter().partition(|(number, _)| number.is_multiple_of(21));
        go.iter().for_each(|&(number, _)| numbers.remove(JobNumber(number)));
        assert!(go.iter().all(|&(number, _)| numbers.find(JobNumber(number)).is_none()));
        assert!(stay.iter().all(|&(number, key)| numbers.find(JobNumber(number)) == Some(key)));
        assert!([0, 1000, 1001, u64::MAX].iter().all(|&number| numbers.find(JobNumber(number)).is_none()));
        assert_eq!((numbers.len(), numbers.pages.len(), numbers.by_first.len()), (47, 48, 48));
        stay.iter().for_each(|&(number, _)| numbers.remove(JobNumber(number)));
        assert_eq!((numbers.len(), numbers.pages.len(), numbers.by_first.len()), (0, 1, 1));
    }
}
