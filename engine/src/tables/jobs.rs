//! All jobs that are live or wait for the store, by number, by key and in order of creation.

use super::connections::Connection;
use super::functions::Function;
use super::index::Index;
use super::list::{Links, List, Member};
use super::numbers::Numbers;
use super::parcel::Cuts;
use super::slab::{Key, Slab};
use crate::RecordId;
use bytes::Bytes;
use gearman_protocol::{Priority, Reducer, Time, Unique, UnixMillis};
use std::num::NonZeroU32;

pub(crate) type JobKey = Key<Job>;

/// A job's number: the end of its handle. Counted from 1 and never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct JobNumber(pub(crate) u64);

/// Something to be done.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) number: JobNumber,
    pub(crate) function: Key<Function>,
    pub(crate) priority: Priority,
    /// Unique, reducer and workload.
    pub(crate) parcel: Bytes,
    pub(crate) cuts: Cuts,
    /// How often its worker was lost.
    pub(crate) attempts: u32,
    pub(crate) state: JobState,
    pub(crate) keeping: Keeping,
    pub(crate) watchers: List<Watcher, OfJob>,
    /// For jobs that others may join.
    key_hash: Option<KeyHash>,
}

/// Where a job stands, and what is known of it there.
///
/// ```text
///            new, and a store must answer first
/// submit ------------------------------------------> Reserved --- Err ---> gone
///   |                                                  |   |
///   | new, no store asked               Ok, not yet due|   |Ok
///   |                                                  v   |
///   +------- epoch, not yet due ------------> Scheduled    |
///   |                                             |        |
///   |                                          due|        |
///   |                                             v        v
///   +---------------------------------------------> Waiting <----------+
///                                                      |               |
///                                                  grab|               | worker lost, CANT_DO,
///                                                      v               | RESET_ABILITIES, timed out
///                                                   Assigned ----------+
///                                                      |
///                                                      +---> gone: completed, failed, lost too often
/// ```
///
/// Scheduled, Waiting and Assigned jobs are *live*; each may also go by `cancel job`, and a foreground job with
/// its last watcher.
#[derive(Debug)]
pub(crate) enum JobState {
    /// The store has not answered: nobody may see the job, but its key is taken.
    Reserved {
        /// Its place in the queue, taken at the submit.
        place: u64,
        /// Not before this moment.
        not_before: Option<UnixMillis>,
    },
    /// In the calendar.
    Scheduled {
        /// When it joins its queue.
        due: UnixMillis,
    },
    /// In the queue of its function and priority.
    Waiting {
        /// Its place: a queue is in the order of places.
        place: u64,
        /// When it came to this place.
        since: Time,
        /// Its neighbours in the queue.
        links: Links<Job>,
    },
    /// In the hand of a worker.
    Assigned {
        /// Who has it.
        worker: Key<Connection>,
        /// Its place in the order of assignments.
        place: u64,
        /// Its neighbours in the worker's hand.
        links: Links<Job>,
        /// What not every job has, so it costs a pointer when it is not there.
        course: Option<Box<Course>>,
    },
}

/// What a worker was told, or has told, of a job in its hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// When it must be done.
    pub(crate) deadline: Option<Time>,
    /// The last WORK_STATUS, above the line.
    pub(crate) numerator: u32,
    /// And below.
    pub(crate) denominator: u32,
}

/// The hash of what others that submit the same find a job by, as much of it as an index needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(NonZeroU32);

impl KeyHash {
    pub(crate) const fn of(hash: u64) -> Self {
        // One of 2^31 finds itself beside its neighbour.
        match NonZeroU32::new((hash >> 32) as u32) {
            Some(hash) => Self(hash),
            None => Self(NonZeroU32::MIN),
        }
    }

    fn get(self) -> u64 {
        u64::from(self.0.get())
    }
}

/// What keeps a job alive.
///
/// ```text
///                background submit joins            Ok
/// Foreground ------------------------------> Storing --> Stored
///      |  ^---------------- Err -----------------|
///      |                no store
///      +---------------------------------> Background
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Its watchers.
    Foreground,
    /// A background submit that the store has not answered: its watchers, if it was foreground before.
    Storing(RecordId),
    /// The word that was given to a background submitter.
    Background,
    /// The same, and a record in the store.
    Stored(RecordId),
}

/// One attached foreground submit. A connection may be several watchers of a job.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) connection: Key<Connection>,
    pub(crate) job: JobKey,
    pub(crate) of_job: Links<Self>,
    pub(crate) of_connection: Links<Self>,
}

/// The list of a job's watchers, in the order in which they came.
#[derive(Debug)]
pub(crate) struct OfJob;

/// The list of a job's neighbours where its state puts it: a queue or a worker's hand.
#[derive(Debug)]
pub(crate) struct Standing;

/// What a new job is made of.
#[derive(Debug)]
pub(crate) struct NewJob {
    pub(crate) function: Key<Function>,
    pub(crate) priority: Priority,
    pub(crate) unique: Unique,
    pub(crate) reducer: Reducer,
    pub(crate) workload: Bytes,
    pub(crate) key_hash: Option<KeyHash>,
    pub(crate) keeping: Keeping,
    pub(crate) not_before: Option<UnixMillis>,
}

/// The table.
pub(crate) struct Jobs {
    pub(crate) slab: Slab<Job>,
    by_number: Numbers,
    by_key: Index<Job>,
    last_number: u64,
    last_place: u64,
}

impl Jobs {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            by_number: Numbers::new(seed),
            by_key: Index::new(seed),
            last_number: 0,
            last_place: 0,
        }
    }

    /// Takes a job in, as reserved: the verbs decide where it goes from there.
    pub(crate) fn insert(&mut self, new: NewJob) -> JobKey {
        self.last_number += 1;
        let place = self.next_place();
        let (parcel, cuts) = Cuts::join(&new.unique, &new.reducer, new.workload);
        let key = self.slab.insert(Job {
            number: JobNumber(self.last_number),
            function: new.function,
            priority: new.priority,
            parcel,
            cuts,
            attempts: 0,
            state: JobState::Reserved { place, not_before: new.not_before },
            keeping: new.keeping,
            watchers: List::new(),
            key_hash: new.key_hash,
        });
        self.by_number.insert(JobNumber(self.last_number), key);
        if let Some(hash) = new.key_hash {
            self.by_key.insert(hash.get(), key);
        }
        key
    }

    /// Takes a job out that is in no queue, no hand and no calendar any more.
    pub(crate) fn remove(&mut self, key: JobKey) -> Job {
        let job = self.slab.remove(key);
        self.by_number.remove(job.number);
        if let Some(hash) = job.key_hash {
            self.by_key.remove(hash.get(), key);
        }
        job
    }

    /// The last place of any queue, or in the order of assignments.
    pub(crate) const fn next_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    pub(crate) fn by_number(&self, number: JobNumber) -> Option<JobKey> {
        self.by_number.find(number)
    }

    /// The job of a function that a submit with this key joins.
    pub(crate) fn by_key(&self, hash: KeyHash, function: Key<Function>, key: JoinKey<'_>) -> Option<JobKey> {
        self.by_key.find(hash.get(), |found| {
            let job = &self.slab[found];
            job.function == function && job.key() == Some(key)
        })
    }

    /// All jobs in order of creation, those that wait for the store included.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (JobKey, &Job)> {
        self.by_number.keys().map(|key| (key, &self.slab[key]))
    }

    /// The oldest.
    pub(crate) fn first(&self) -> Option<JobKey> {
        self.by_number.keys().next()
    }

    /// The job that was created after this one.
    pub(crate) fn after(&self, key: JobKey) -> Option<JobKey> {
        self.by_number.after(self.slab[key].number)
    }

    /// The number of the newest that there has been.
    pub(crate) const fn last(&self) -> JobNumber {
        JobNumber(self.last_number)
    }

    /// Whether every index has as many entries as there are records for it, and the numbers are in order.
    pub(crate) fn check_sizes(&self) -> Result<(), String> {
        let with_key = self.in_order().filter(|(_, job)| job.key_hash.is_some()).count();
        let sizes = [self.by_number.len(), self.in_order().count()];
        if sizes.iter().all(|&size| size == self.slab.len()) && self.by_key.len() == with_key {
            return Ok(());
        }
        let by_key = self.by_key.len();
        Err(format!(
            "{} jobs, by number and in order {sizes:?}; {with_key} with key, {by_key} by key",
            self.slab.len()
        ))
    }
}

impl Job {
    /// What others that submit the same find it by.
    pub(crate) fn key(&self) -> Option<JoinKey<'_>> {
        JoinKey::of(self.unique(), self.workload())
    }

    pub(crate) fn unique(&self) -> &[u8] {
        self.cuts.unique(&self.parcel)
    }

    pub(crate) fn workload(&self) -> &[u8] {
        self.cuts.workload(&self.parcel)
    }

    /// Unique, reducer and workload, shared and not copied.
    pub(crate) fn parts(&self) -> (Unique, Reducer, Bytes) {
        self.cuts.parts(&self.parcel)
    }

    /// When its worker must be done with it.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match &self.state {
            JobState::Assigned { course, .. } => course.as_ref()?.deadline,
            JobState::Reserved { .. } | JobState::Scheduled { .. } | JobState::Waiting { .. } => None,
        }
    }

    /// Whether it may be seen: scheduled, waiting or assigned.
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.state, JobState::Reserved { .. })
    }

    pub(crate) const fn is_background(&self) -> bool {
        matches!(self.keeping, Keeping::Background | Keeping::Stored(_))
    }
}

/// What two submits of a function must have in common to be one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKey<'a> {
    /// The same unique.
    Unique(&'a [u8]),
    /// The unique `-` and the same workload.
    Workload(&'a [u8]),
}

impl<'a> JoinKey<'a> {
    /// The key of a submit. An empty unique never joins, and neither does `-` with nothing to compare.
    pub(crate) fn of(unique: &'a [u8], workload: &'a [u8]) -> Option<Self> {
        match unique {
            b"" => None,
            b"-" => (!workload.is_empty()).then_some(Self::Workload(workload)),
            unique => Some(Self::Unique(unique)),
        }
    }

    pub(crate) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Unique(bytes) | Self::Workload(bytes) => bytes,
        }
    }
}

impl Member<Standing> for Job {
    fn links(&self) -> &Links<Self> {
        match &self.state {
            JobState::Waiting { links, .. } | JobState::Assigned { links, .. } => links,
            JobState::Reserved { .. } | JobState::Scheduled { .. } => unreachable!("the job is in no list"),
        }
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        match &mut self.state {
            JobState::Waiting { links, .. } | JobState::Assigned { links, .. } => links,
            JobState::Reserved { .. } | JobState::Scheduled { .. } => unreachable!("the job is in no list"),
        }
    }
}

impl Member<OfJob> for Watcher {
    fn links(&self) -> &Links<Self> {
        &self.of_job
    }

    fn links_mut(&mut self) -> &mut Links<Self> {
        &mut self.of_job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There are millions: a byte more here is to be noticed.
    #[test]
    fn a_job_takes_112_bytes() {
        assert_eq!(Slab::<Job>::PLACE, 112);
    }

    #[test]
    fn the_upper_half_of_a_hash_is_kept_and_is_not_0() {
        assert_eq!(KeyHash::of(7 << 32 | 9).get(), 7);
        assert_eq!(KeyHash::of(9).get(), 1);
    }

    #[test]
    fn a_job_that_the_index_of_keys_has_lost_is_seen() {
        let mut jobs = Jobs::new(1);
        let hash = KeyHash::of(7);
        let key = jobs.insert(NewJob {
            function: Key::of_slot(0),
            priority: Priority::Normal,
            unique: Unique::new("u").expect("this is short"),
            reducer: Reducer::default(),
            workload: Bytes::new(),
            key_hash: Some(hash),
            keeping: Keeping::Background,
            not_before: None,
        });
        assert_eq!(jobs.check_sizes(), Ok(()));
        jobs.by_key.remove(hash.get(), key);
        let seen = "1 jobs, by number and in order [1, 1]; 1 with key, 0 by key";
        assert_eq!(jobs.check_sizes(), Err(seen.to_owned()));
    }
}
