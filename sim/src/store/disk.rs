//! A disk: what is written for certain, what is still being written, and what a crash leaves of that.
//!
//! ```text
//!   keep, forget             its time comes
//!  --------------> under way --------------> written
//!                      | the process dies: some of it, in order, is written all the same
//!                      | the power fails: some, or nothing, and one record may be half there
//! ```

use crate::chance::{Chance, rng};
use crate::faults::FaultClass;
use crate::lives::Stretch;
use gearman_engine::{RecordId, StoreError, StoredJob};
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the disk takes for a record when nothing is wrong, in milliseconds.
const USUAL_MS: u64 = 30;
/// How long it may take when it is slow.
const SLOW_MS: std::ops::RangeInclusive<u64> = 60..=400;
/// No record takes longer: one that waits for another is done with it, or right after.
pub(crate) const SLOWEST: Duration = Duration::from_millis(*SLOW_MS.end() + 1);

/// How a process comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// It dies; what it has given to the system is written.
    Process,
    /// The host loses its power.
    Power,
}

/// A way in which a store is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// It says that a record is kept before it has written it.
    AnswersFirst,
    /// What it forgets is forgotten until the power fails.
    ForgetsInMemory,
    /// It says that a record is kept that it could not keep.
    HidesFailures,
    /// It takes half a record for a whole one.
    TrustsHalves,
    /// It reads the last record first.
    ReadsBackwards,
}

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) record: RecordId,
    pub(crate) outcome: Result<(), StoreError>,
}

#[derive(Debug)]
struct Record {
    job: StoredJob,
    /// Whether all of it is there, as a checksum would tell.
    is_whole: bool,
}

/// Something that is not written for certain yet.
#[derive(Debug)]
struct Task {
    number: u64,
    record: RecordId,
    /// The record's job; nothing if the record is to be dropped.
    job: Option<StoredJob>,
    due: Time,
    fails: bool,
}

/// One disk, over all lives of its server.
#[derive(Debug)]
pub(crate) struct Disk {
    seed: u64,
    /// How many of a thousand writes, or losses of power, a class of faults hits.
    rates: BTreeMap<FaultClass, u32>,
    cheat: Option<Cheat>,
    written: BTreeMap<RecordId, Record>,
    /// In the order in which it was asked for.
    under_way: Vec<Task>,
    tasks: u64,
    asked: u64,
    crashes: u64,
    last_due: Time,
    is_calm: bool,
    bites: Vec<(FaultClass, Stretch)>,
}

impl Disk {
    pub(crate) const fn new(seed: u64, rates: BTreeMap<FaultClass, u32>, cheat: Option<Cheat>) -> Self {
        Self {
            seed,
            rates,
            cheat,
            written: BTreeMap::new(),
            under_way: Vec::new(),
            tasks: 0,
            asked: 0,
            crashes: 0,
            last_due: Time::ZERO,
            is_calm: false,
            bites: Vec::new(),
        }
    }

    /// Whether the storm is over, and nothing more goes wrong.
    pub(crate) const fn calm(&mut self, is_calm: bool) {
        self.is_calm = is_calm;
    }

    /// How many records it was asked to keep.
    pub(crate) const fn asked(&self) -> u64 {
        self.asked
    }

    /// Whether it says that a record is kept before it is.
    pub(crate) fn answers_first(&self) -> bool {
        self.cheat == Some(Cheat::AnswersFirst)
    }

    /// Begins to keep a job: the number of the task.
    pub(crate) fn keep(&mut self, now: Time, job: StoredJob) -> u64 {
        self.asked += 1;
        self.begin(now, job.record, Some(job))
    }

    /// Begins to drop a record: the number of the task, if that takes time.
    pub(crate) fn forget(&mut self, now: Time, record: RecordId) -> Option<u64> {
        let number = self.begin(now, record, None);
        if self.cheat == Some(Cheat::ForgetsInMemory) {
            // It never gets to writing it.
            return None;
        }
        Some(number)
    }

    fn begin(&mut self, now: Time, record: RecordId, job: Option<StoredJob>) -> u64 {
        self.tasks += 1;
        let number = self.tasks;
        let stretch = if job.is_some() { Stretch::Submitted } else { Stretch::Completing };
        let usual = rng(self.seed, 0, "disk.write", number).between(0..=USUAL_MS);
        let slow = self.strikes(FaultClass::StoreSlow, number).map(|mut chance| chance.between(SLOW_MS));
        if slow.is_some() {
            self.bites.push((FaultClass::StoreSlow, stretch));
        }
        let mut due = now + Duration::from_millis(slow.unwrap_or(usual));
        if self.strikes(FaultClass::StoreReorder, number).is_none() {
            due = due.max(self.last_due);
        } else if due < self.last_due {
            self.bites.push((FaultClass::StoreReorder, stretch));
        }
        // What is dropped was kept before.
        if let Some(keeping) = self.under_way.iter().find(|task| task.record == record) {
            due = due.max(keeping.due + Duration::from_millis(1));
        }
        self.last_due = self.last_due.max(due);
        let fails = job.is_some() && self.strikes(FaultClass::StoreFail, number).is_some();
        if fails {
            self.bites.push((FaultClass::StoreFail, stretch));
        }
        self.under_way.push(Task { number, record, job, due, fails });
        number
    }

    /// When a task will be done.
    pub(crate) fn due(&self, number: u64) -> Time {
        let task = self.under_way.iter().find(|task| task.number == number);
        task.map_or(Time::ZERO, |task| task.due)
    }

    /// A task's time has come: what became of its record, if it was to be kept. Nothing follows from a task that a
    /// crash has ended.
    pub(crate) fn finish(&mut self, number: u64) -> Option<Kept> {
        let index = self.under_way.iter().position(|task| task.number == number)?;
        let task = self.under_way.remove(index);
        let (record, is_kept) = (task.record, task.job.is_some());
        let hides = self.cheat == Some(Cheat::HidesFailures);
        let outcome = if task.fails && !hides { Err(StoreError) } else { Ok(()) };
        self.write(task);
        is_kept.then_some(Kept { record, outcome })
    }

    fn write(&mut self, task: Task) {
        match task.job {
            Some(_) if task.fails => {}
            Some(job) => drop(self.written.insert(task.record, Record { job, is_whole: true })),
            None => drop(self.written.remove(&task.record)),
        }
    }

    /// The process is gone, and perhaps the power.
    pub(crate) fn crash(&mut self, how: Crash) {
        self.crashes += 1;
        let number = self.crashes;
        let tasks = std::mem::take(&mut self.under_way);
        let (loses, tears) = match how {
            Crash::Process => (false, false),
            Crash::Power => (
                self.strikes(FaultClass::StoreLost, number).is_some(),
                self.strikes(FaultClass::StoreTorn, number).is_some(),
            ),
        };
        let mut chance = rng(self.seed, 0, "disk.cut", number);
        let mut cut = chance.index(tasks.len() + 1);
        let can_be_torn = |task: &Task| task.job.is_some() && !task.fails;
        let whole: Vec<usize> = (0..tasks.len()).filter(|&index| can_be_torn(&tasks[index])).collect();
        let tears = tears && !whole.is_empty();
        if tears {
            cut = *chance.pick(&whole);
        }
        if how == Crash::Process && self.cheat == Some(Cheat::ForgetsInMemory) {
            cut = tasks.len();
        }
        for (index, task) in tasks.into_iter().enumerate() {
            let stretch = if task.job.is_some() { Stretch::Submitted } else { Stretch::Completing };
            if tears && index == cut {
                self.tear(task);
            } else if loses {
                self.bites.push((FaultClass::StoreLost, stretch));
            } else if index < cut {
                self.write(task);
            }
        }
    }

    /// Half of a record is written.
    fn tear(&mut self, task: Task) {
        let Some(mut job) = task.job else { return };
        self.bites.push((FaultClass::StoreTorn, Stretch::Submitted));
        job.workload.truncate(job.workload.len() / 2);
        self.written.insert(task.record, Record { job, is_whole: false });
    }

    /// What a server that starts finds, in the order of submission. What is not whole is thrown away.
    pub(crate) fn read(&mut self) -> Vec<StoredJob> {
        let trusts = self.cheat == Some(Cheat::TrustsHalves);
        self.written.retain(|_, record| record.is_whole || trusts);
        let mut found: Vec<StoredJob> = self.written.values().map(|record| record.job.clone()).collect();
        if self.cheat == Some(Cheat::ReadsBackwards) {
            found.reverse();
        }
        found
    }

    /// The jobs that faults have touched since this was last asked, by where they were.
    pub(crate) fn take_bites(&mut self) -> Vec<(FaultClass, Stretch)> {
        std::mem::take(&mut self.bites)
    }

    /// The draws of a fault of the task, or crash, of this number, if it shall happen.
    fn strikes(&self, class: FaultClass, number: u64) -> Option<Chance> {
        let per_mille = *self.rates.get(&class).filter(|_| !self.is_calm)?;
        let mut chance = rng(self.seed, 0, class.name(), number);
        chance.odds(per_mille.into(), 1000).then_some(chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_protocol::{FunctionName, Priority, Reducer, Unique};

    fn job(number: u64) -> StoredJob {
        StoredJob {
            record: RecordId::new(number),
            function: FunctionName::new("mail").unwrap(),
            unique: Unique::default(),
            priority: Priority::Normal,
            reducer: Reducer::default(),
            not_before: None,
            workload: "letter".into(),
        }
    }

    fn with(classes: &[FaultClass], cheat: Option<Cheat>) -> Disk {
        Disk::new(7, classes.iter().map(|&class| (class, 1000)).collect(), cheat)
    }

    fn found(disk: &mut Disk) -> Vec<u64> {
        disk.read().iter().map(|job| job.record.get()).collect()
    }

    /// Begins to keep so many records.
    fn keep(disk: &mut Disk, count: u64) -> Vec<u64> {
        (1..=count).map(|number| disk.keep(Time::ZERO, job(number))).collect()
    }

    #[test]
    fn what_is_written_outlives_any_crash_and_what_is_forgotten_does_not() {
        let mut disk = with(&[FaultClass::StoreLost, FaultClass::StoreTorn], None);
        for task in keep(&mut disk, 3) {
            assert_eq!(disk.finish(task).unwrap().outcome, Ok(()));
        }
        let forgets = disk.forget(Time::ZERO, RecordId::new(2)).unwrap();
        assert_eq!(disk.finish(forgets), None);
        disk.crash(Crash::Power);
        assert_eq!(found(&mut disk), [1, 3]);
        disk.crash(Crash::Process);
        assert_eq!(found(&mut disk), [1, 3]);
    }

    #[test]
    fn of_what_is_being_written_the_first_part_is_there() {
        let mut disk = with(&[], None);
        keep(&mut disk, 40);
        disk.crash(Crash::Process);
        let kept = found(&mut disk);
        assert!((1..40).contains(&kept.len()), "{kept:?}");
        assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<u64>>());
    }

    #[test]
    fn a_loss_of_power_may_take_all_that_was_being_written_and_half_a_record_is_thrown_away() {
        let mut disk = with(&[FaultClass::StoreLost], None);
        keep(&mut disk, 40);
        disk.crash(Crash::Power);
        assert_eq!((found(&mut disk).len(), disk.take_bites().len()), (0, 40));
        let mut disk = with(&[FaultClass::StoreTorn], None);
        keep(&mut disk, 40);
        disk.crash(Crash::Power);
        let (whole, torn) =
            (disk.written.values().filter(|record| record.is_whole).count(), disk.written.len());
        assert_eq!(whole + 1, torn);
        assert_eq!(found(&mut disk).len(), whole);
    }

    #[test]
    fn records_are_done_in_order_unless_they_are_not() {
        let dues = |classes: &[FaultClass]| {
            let mut disk = with(classes, None);
            keep(&mut disk, 40).into_iter().map(|task| disk.due(task)).collect::<Vec<Time>>()
        };
        assert!(dues(&[]).is_sorted());
        assert!(!dues(&[FaultClass::StoreReorder]).is_sorted());
        assert!(dues(&[FaultClass::StoreSlow]).iter().all(|&due| due <= Time::ZERO + SLOWEST));
    }

    #[test]
    fn a_failure_is_told_and_leaves_nothing() {
        let mut disk = with(&[FaultClass::StoreFail], None);
        let task = keep(&mut disk, 1)[0];
        assert_eq!(disk.finish(task).unwrap().outcome, Err(StoreError));
        assert_eq!(found(&mut disk), [0; 0]);
        disk.calm(true);
        let task = keep(&mut disk, 1)[0];
        assert_eq!(disk.finish(task).unwrap().outcome, Ok(()));
    }

    #[test]
    fn a_task_that_a_crash_has_ended_is_nobodys() {
        let mut disk = with(&[], None);
        let task = keep(&mut disk, 1)[0];
        disk.crash(Crash::Process);
        assert_eq!(disk.finish(task), None);
    }
}
