//! Functions: what waits for each, and who can do it.

use super::abilities::{Ability, Sleeping};
use super::index::Index;
use super::jobs::{Job, Standing};
use super::list::{Links, List, Member};
use super::slab::{Key, Slab};
use crate::Counts;
use gearman_protocol::{FunctionName, Priority, QueueLimits};

pub(crate) type FunctionKey = Key<Function>;

/// What workers can do. It stays known until it is dropped.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: FunctionName,
    pub(crate) limits: QueueLimits,
    /// The queues, by priority.
    pub(crate) waiting: [List<Job, Standing>; 3],
    /// How many jobs are in the calendar, by priority.
    pub(crate) scheduled: [u32; 3],
    /// How many jobs workers hold.
    pub(crate) assigned: u32,
    /// How many jobs wait for the store.
    pub(crate) reserved: u32,
    /// How many jobs a drain waits for.
    pub(crate) awaited: u32,
    /// What has become of its jobs.
    pub(crate) counts: Counts,
    /// How many workers can do it.
    pub(crate) workers: u32,
    /// How many of them are woken.
    pub(crate) woken: u32,
    /// Those of them that are asleep, in the order in which they fell asleep.
    pub(crate) sleepers: List<Ability, Sleeping>,
    /// Whether its wake-ups are to be looked at before the turn ends.
    pub(crate) unsettled: bool,
    /// Its place in the order of creation.
    pub(crate) serial: u64,
    hash: u64,
    by_creation: Links<Self>,
}

/// The list of all functions in order of creation.
#[derive(Debug)]
pub(crate) struct ByCreation;

/// The table.
pub(crate) struct Functions {
    pub(crate) slab: Slab<Function>,
    by_name: Index<Function>,
    created: List<Function, ByCreation>,
    last_serial: u64,
}

impl Functions {
    pub(crate) fn new(seed: u64) -> Self {
        Self { slab: Slab::new(), by_name: Index::new(seed), created: List::new(), last_serial: 0 }
    }

    pub(crate) fn find(&self, hash: u64, name: &[u8]) -> Option<FunctionKey> {
        self.by_name.find(hash, |key| self.slab[key].name.as_bytes() == name)
    }

    /// Takes a function in that is not there yet.
    pub(crate) fn insert(&mut self, hash: u64, name: FunctionName) -> FunctionKey {
        self.last_serial += 1;
        let key = self.slab.insert(Function {
            name,
            limits: QueueLimits::default(),
            waiting: [const { List::new() }; 3],
            scheduled: [0; 3],
            assigned: 0,
            reserved: 0,
            awaited: 0,
            counts: Counts::default(),
            workers: 0,
            woken: 0,
            sleepers: List::new(),
            unsettled: false,
            serial: self.last_serial,
            hash,
            by_creation: Links::default(),
        });
        self.created.push_back(&mut self.slab, key);
        self.by_name.insert(hash, key);
        key
    }

    pub(crate) fn remove(&mut self, key: FunctionKey) {
        self.created.remove(&mut self.slab, key);
        let function = self.slab.remove(key);
        self.by_name.remove(function.hash, key);
    }

    /// All functions in order of creation.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (FunctionKey, &Function)> {
        self.created.keys(&self.slab).map(|key| (key, &self.slab[key]))
    }

    /// The function that was created first.
    pub(crate) const fn first(&self) -> Option<FunctionKey> {
        self.created.first()
    }

    /// The function that was created after this one.
    pub(crate) fn after(&self, key: FunctionKey) -> Option<FunctionKey> {
        self.slab[key].by_creation.next
    }

    /// What `row` makes of so many at most, from one on in order of creation; and which one is next.
    pub(crate) fn part<R>(
        &self,
        from: Option<FunctionKey>,
        most: usize,
        row: impl Fn(&Function) -> R,
    ) -> (Vec<R>, Option<FunctionKey>) {
        let (mut rows, mut next) = (Vec::new(), from);
        while let Some(key) = next.filter(|_| rows.len() < most) {
            rows.push(row(&self.slab[key]));
            next = self.after(key);
        }
        (rows, next)
    }

    /// Whether the index and the list have as many entries as there are records.
    pub(crate) fn check_sizes(&self) -> Result<(), String> {
        let sizes = [self.by_name.len(), self.in_order().count(), self.created.len() as usize];
        if sizes.iter().all(|&size| size == self.slab.len()) {
            return Ok(());
        }
        Err(format!("{} functions, by name and list {sizes:?}", self.slab.len()))
    }
}

impl Function {
    /// How many jobs wait, whatever their priority.
    pub(crate) fn runnable(&self) -> u64 {
        self.waiting.iter().map(|queue| u64::from(queue.len())).sum()
    }

    /// How many jobs are live.
    pub(crate) fn total(&self) -> u64 {
        let scheduled: u64 = self.scheduled.iter().copied().map(u64::from).sum();
        self.runnable() + scheduled + u64::from(self.assigned)
    }

    /// How many jobs of a priority no worker holds.
    pub(crate) fn not_assigned(&self, priority: Priority) -> u64 {
        let place = priority as usize;
        u64::from(self.waiting[place].len()) + u64::from(self.scheduled[place])
    }

    /// The most urgent priority that something waits with.
    pub(crate) fn most_urgent(&self) -> Option<Priority> {
        Priority::ALL.into_iter().find(|&priority| !self.waiting[priority as usize].is_empty())
    }

    /// The most jobs there may be for one more of this priority to be taken.
    pub(crate) const fn limit(&self, priority: Priority) -> Option<u32> {
        match priority {
            Priority::High => self.limits.high,
            Priority::Normal => self.limits.normal,
            Priority::Low => self.limits.low,
        }
    }
}

impl Member<ByCreation> for Function {
    fn links(&self) -> &Links<Self> {
        &self.by_creation
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.by_creation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_the_index_has_lost_is_seen() {
        let mut functions = Functions::new(1);
        let key = functions.insert(7, FunctionName::new("f").expect("a short name"));
        assert_eq!(functions.check_sizes(), Ok(()));
        functions.by_name.remove(7, key);
        assert_eq!(functions.check_sizes(), Err("1 functions, by name and list [0, 1, 1]".to_owned()));
    }
}
