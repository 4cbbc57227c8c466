//! Finds jobs by their numbers, and all of them in order.
//!
//! Numbers are given one after the other, and mostly asked for in that order too. So a few neighbours share a page,
//! what is new is written where the last was, and a list of the pages is a list of all jobs in order of creation.

use super::index::Index;
use super::jobs::{JobKey, JobNumber};
use super::list::{Links, List, Member};
use super::slab::{Key, Slab};
use std::num::NonZeroU64;

/// How many numbers are on a page. A page that has one job left is that job's alone, so there are not many.
const PAGE: u64 = 1 << BITS;
const BITS: u32 = 3;

/// The table.
pub(crate) struct Numbers {
    pages: Slab<Page>,
    by_place: Index<Page>,
    in_order: List<Page, InOrder>,
    /// The page that was added last: most that is asked for is on it, and it alone may be empty.
    newest: Option<(Place, Key<Page>)>,
    len: usize,
}

struct Page {
    place: Place,
    keys: [Option<JobKey>; 1 << BITS],
    links: Links<Self>,
}

/// Where a page is among all that there may ever be, counted from 1.
type Place = NonZeroU64;

/// The list of all pages in the order of their numbers.
struct InOrder;

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { pages: Slab::new(), by_place: Index::new(seed), in_order: List::new(), newest: None, len: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn find(&self, number: JobNumber) -> Option<JobKey> {
        let (place, at) = place(number);
        self.pages[self.page(place)?].keys[at]
    }

    /// Takes in a number that is larger than all before.
    pub(crate) fn insert(&mut self, number: JobNumber, key: JobKey) {
        let (place, at) = place(number);
        let page = self.page(place).unwrap_or_else(|| self.add_page(place));
        self.pages[page].keys[at] = Some(key);
        self.len += 1;
    }

    /// Takes a number out that is there.
    pub(crate) fn remove(&mut self, number: JobNumber) {
        let (place, at) = place(number);
        let key = self.page(place).expect("the number is on its page");
        self.pages[key].keys[at] = None;
        self.len -= 1;
        if self.newest != Some((place, key)) {
            self.drop_if_empty(place, key);
        }
    }

    /// All keys in the order of their numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = JobKey> {
        self.in_order.keys(&self.pages).flat_map(|page| self.pages[page].keys.iter().copied().flatten())
    }

    /// The key with the next number after one that is there.
    pub(crate) fn after(&self, number: JobNumber) -> Option<JobKey> {
        let (place, at) = place(number);
        let page = &self.pages[self.page(place)?];
        let first_of = |keys: &[Option<JobKey>]| keys.iter().copied().flatten().next();
        // Of the pages after it only the newest, which is the last, may be empty.
        first_of(&page.keys[at + 1..]).or_else(|| first_of(&self.pages[page.links.next?].keys))
    }

    fn drop_if_empty(&mut self, place: Place, key: Key<Page>) {
        if self.pages[key].keys.iter().all(Option::is_none) {
            self.in_order.remove(&mut self.pages, key);
            self.by_place.remove(place.get(), key);
            self.pages.remove(key);
        }
    }

    fn page(&self, place: Place) -> Option<Key<Page>> {
        match self.newest {
            Some((newest, page)) if newest == place => Some(page),
            Some(_) | None => self.by_place.find(place.get(), |page| self.pages[page].place == place),
        }
    }

    fn add_page(&mut self, place: Place) -> Key<Page> {
        let page = self.pages.insert(Page { place, keys: [None; 1 << BITS], links: Links::default() });
        self.by_place.insert(place.get(), page);
        self.in_order.push_back(&mut self.pages, page);
        if let Some((before, key)) = self.newest.replace((place, page)) {
            self.drop_if_empty(before, key);
        }
        page
    }

    /// How many bytes a number takes that has a page of its own.
    #[cfg(test)]
    pub(crate) const MOST: usize = Slab::<Page>::PLACE + Index::<Page>::SHARE;
}

/// On which page a number is, and where on it.
const fn place(number: JobNumber) -> (Place, usize) {
    (Place::MIN.saturating_add(number.0 / PAGE), (number.0 % PAGE) as usize)
}

impl Member<InOrder> for Page {
    fn links(&self) -> &Links<Self> {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be millions that are alone on their page: a byte more here is to be noticed.
    #[test]
    fn a_number_takes_61_bytes_at_most() {
        assert_eq!(Numbers::MOST, 61);
    }

    #[test]
    fn numbers_are_found_until_they_are_removed_and_leave_one_page() {
        let mut numbers = Numbers::new(3);
        let entries: Vec<_> = (1..1000_u64).zip((1..).map(JobKey::of_slot)).collect();
        entries.iter().for_each(|&(number, key)| numbers.insert(JobNumber(number), key));
        let (stay, go): (Vec<_>, Vec<_>) = entries.iter().partition(|(number, _)| number.is_multiple_of(21));
        go.iter().for_each(|&(number, _)| numbers.remove(JobNumber(number)));
        assert!(go.iter().all(|&(number, _)| numbers.find(JobNumber(number)).is_none()));
        assert!(stay.iter().all(|&(number, key)| numbers.find(JobNumber(number)) == Some(key)));
        assert!(numbers.keys().eq(stay.iter().map(|&(_, key)| key)), "in order");
        assert!(stay.windows(2).all(|pair| numbers.after(JobNumber(pair[0].0)) == Some(pair[1].1)));
        assert_eq!(numbers.after(JobNumber(stay[46].0)), None, "the newest page is empty");
        assert!([0, 1000, 1001, u64::MAX].iter().all(|&number| numbers.find(JobNumber(number)).is_none()));
        assert_eq!((numbers.len(), numbers.pages.len(), numbers.by_place.len()), (47, 48, 48));
        stay.iter().for_each(|&(number, _)| numbers.remove(JobNumber(number)));
        assert_eq!((numbers.len(), numbers.pages.len(), numbers.by_place.len()), (0, 1, 1));
    }
}
