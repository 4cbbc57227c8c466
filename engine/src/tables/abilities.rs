//! Who can do what.

use super::connections::Connection;
use super::functions::Function;
use super::index::Index;
use super::list::{Links, Member};
use super::slab::{Key, Slab};
use std::time::Duration;

pub(crate) type AbilityKey = Key<Ability>;

/// That one worker can do one function.
#[derive(Debug)]
pub(crate) struct Ability {
    pub(crate) worker: Key<Connection>,
    pub(crate) function: Key<Function>,
    /// How long a job of the function may take this worker.
    pub(crate) timeout: Option<Duration>,
    /// Its place in the order of registrations.
    pub(crate) serial: u64,
    of_worker: Links<Self>,
    sleeping: Links<Self>,
}

/// The list of what a worker can do.
#[derive(Debug)]
pub(crate) struct OfWorker;

/// The list of a function's sleepers.
#[derive(Debug)]
pub(crate) struct Sleeping;

/// The table.
pub(crate) struct Abilities {
    pub(crate) slab: Slab<Ability>,
    by_both: Index<Ability>,
    last_serial: u64,
}

impl Abilities {
    pub(crate) fn new(seed: u64) -> Self {
        Self { slab: Slab::new(), by_both: Index::new(seed), last_serial: 0 }
    }

    /// Whether a worker can do a function.
    pub(crate) fn find(&self, worker: Key<Connection>, function: Key<Function>) -> Option<AbilityKey> {
        let pair = pair(worker, function);
        self.by_both.find(pair, |key| self.slab[key].pair() == pair)
    }

    /// Takes an ability in that is not there yet.
    pub(crate) fn insert(
        &mut self,
        worker: Key<Connection>,
        function: Key<Function>,
        timeout: Option<Duration>,
    ) -> AbilityKey {
        self.last_serial += 1;
        let serial = self.last_serial;
        let (of_worker, sleeping) = (Links::default(), Links::default());
        let ability = Ability { worker, function, timeout, serial, of_worker, sleeping };
        let key = self.slab.insert(ability);
        self.by_both.insert(pair(worker, function), key);
        key
    }

    pub(crate) fn remove(&mut self, key: AbilityKey) {
        let ability = self.slab.remove(key);
        self.by_both.remove(ability.pair(), key);
    }

    /// Whether the index has as many entries as there are records.
    pub(crate) fn check_sizes(&self) -> Result<(), String> {
        let (all, found) = (self.slab.len(), self.by_both.len());
        if all == found { Ok(()) } else { Err(format!("{all} abilities, {found} in the index")) }
    }
}

/// Keys are small numbers, of which two make one that no other two make.
fn pair(worker: Key<Connection>, function: Key<Function>) -> u64 {
    u64::from(worker.number()) << 32 | u64::from(function.number())
}

impl Ability {
    fn pair(&self) -> u64 {
        pair(self.worker, self.function)
    }

    /// The next of the worker's abilities.
    pub(crate) const fn next_of_worker(&self) -> Option<AbilityKey> {
        self.of_worker.next
    }
}

impl Member<OfWorker> for Ability {
    fn links(&self) -> &Links<Self> {
        &self.of_worker
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.of_worker
    }
}

impl Member<Sleeping> for Ability {
    fn links(&self) -> &Links<Self> {
        &self.sleeping
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.sleeping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ability_that_the_index_has_lost_is_seen() {
        let mut abilities = Abilities::new(1);
        let (worker, function) = (Key::of_slot(1), Key::of_slot(2));
        let key = abilities.insert(worker, function, None);
        assert_eq!(abilities.check_sizes(), Ok(()));
        abilities.by_both.remove(pair(worker, function), key);
        assert_eq!(abilities.check_sizes(), Err("1 abilities, 0 in the index".to_owned()));
    }
}
