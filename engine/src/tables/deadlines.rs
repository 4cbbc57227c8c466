//! When to act although nobody asks.

use super::jobs::JobNumber;
use crate::ConnectionId;
use gearman_protocol::{Time, UnixMillis};
use std::collections::BTreeSet;
use std::time::Duration;

/// How many timers go off in one millisecond, and how many jobs become due in it: what is due besides waits for the next
/// one, so that no call of the engine takes long and everybody else is served in between. Neither kind waits for the other.
pub(crate) const AT_ONCE: u32 = 512;

/// How long all others have before what had to wait goes on.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// What shall happen at some moment, unless it is called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The worker has had the job for as long as CAN_DO_TIMEOUT allows: when it is assigned. Those of one moment
    /// are in the order of assignment.
    Job {
        /// The job's place in the order of assignments.
        place: u64,
        /// Which.
        job: JobNumber,
    },
    /// The worker has said nothing since its NOOP: when it is woken.
    Wakeup(ConnectionId),
    /// A peer has not finished a message: when it begins one. Or has not taken what it is owed: when it is closed.
    Peer(ConnectionId),
    /// The next part of a table is told: a moment after the one before, or when the peer has room for it.
    Part(ConnectionId),
    /// What remains of those who have left is taken apart further: when they leave, and after each part of it.
    Remains,
    /// What the drain waits for is told: every 10 s from its begin.
    DrainReport,
    /// The drain has lasted too long: from its begin.
    DrainEnd,
}

/// The table: timers by monotonic time, scheduled jobs by wall-clock time.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    timers: BTreeSet<(Time, Timer)>,
    calendar: BTreeSet<(UnixMillis, JobNumber)>,
    wall: Wall,
    now: Time,
    /// How much more may be done about timers in this millisecond.
    timers_left: Allowance,
    /// How many more jobs may become due in it.
    calendar_left: Allowance,
}

/// What is left of [`AT_ONCE`].
#[derive(Clone, Copy, Debug)]
struct Allowance(u32);

impl Default for Allowance {
    fn default() -> Self {
        Self(AT_ONCE)
    }
}

/// What the wall clock said, and when.
#[derive(Clone, Copy, Debug, Default)]
struct Wall {
    said: UnixMillis,
    at: Time,
}

/// What the next deadline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Timer(Timer),
    Scheduled(JobNumber),
}

impl Deadlines {
    pub(crate) fn set(&mut self, when: Time, timer: Timer) {
        self.timers.insert((when, timer));
    }

    pub(crate) fn call_off(&mut self, when: Time, timer: Timer) {
        self.timers.remove(&(when, timer));
    }

    /// It is so late. In every millisecond as much may be done as in any other.
    pub(crate) fn begin(&mut self, now: Time) {
        if now > self.now {
            self.now = now;
            (self.timers_left, self.calendar_left) = Default::default();
        }
    }

    /// What a timer brings takes as long as so many others.
    pub(crate) const fn spend(&mut self, others: u32) {
        self.timers_left.0 = self.timers_left.0.saturating_sub(others);
    }

    pub(crate) fn schedule(&mut self, due: UnixMillis, job: JobNumber) {
        self.calendar.insert((due, job));
    }

    pub(crate) fn unschedule(&mut self, due: UnixMillis, job: JobNumber) {
        self.calendar.remove(&(due, job));
    }

    /// The wall clock was read.
    pub(crate) const fn set_wall(&mut self, at: Time, said: UnixMillis) {
        self.wall = Wall { said, at };
    }

    /// What the wall clock says now, if it has not been stepped since it was read.
    pub(crate) fn wall(&self, now: Time) -> UnixMillis {
        let since = i64::try_from(now.since(self.wall.at).as_millis()).unwrap_or(i64::MAX);
        UnixMillis::new(self.wall.said.get().saturating_add(since))
    }

    /// When a moment of the wall clock will be, or when it was last read if that is past.
    fn moment(&self, wall: UnixMillis) -> Time {
        let ahead = wall.get().saturating_sub(self.wall.said.get());
        let ahead = u64::try_from(ahead).unwrap_or(0);
        Time::from_millis(self.wall.at.as_millis().saturating_add(ahead))
    }

    /// The earliest deadline of all, or when more may be done if it has to wait.
    pub(crate) fn earliest(&self) -> Option<Time> {
        self.next_timer().into_iter().chain(self.next_scheduled()).min()
    }

    fn next_timer(&self) -> Option<Time> {
        self.timers.first().map(|&(when, _)| self.allowed(when, self.timers_left))
    }

    fn next_scheduled(&self) -> Option<Time> {
        self.calendar.first().map(|&(due, _)| self.allowed(self.moment(due), self.calendar_left))
    }

    /// When something is done that is to be done then.
    fn allowed(&self, when: Time, Allowance(left): Allowance) -> Time {
        if left > 0 { when } else { when.max(self.now + PAUSE) }
    }

    /// Takes out the earliest deadline that has passed and need not wait.
    pub(crate) fn take_passed(&mut self) -> Option<Due> {
        let earliest = self.earliest().filter(|&earliest| earliest <= self.now)?;
        if self.next_scheduled() == Some(earliest) {
            self.calendar_left.0 -= 1;
            self.calendar.pop_first().map(|(_, job)| Due::Scheduled(job))
        } else {
            self.timers_left.0 -= 1;
            self.timers.pop_first().map(|(_, timer)| Due::Timer(timer))
        }
    }

    /// Whether this timer is set for this moment.
    pub(crate) fn is_set(&self, when: Time, timer: Timer) -> bool {
        self.timers.contains(&(when, timer))
    }

    /// Whether this job is in the calendar for this moment.
    pub(crate) fn is_scheduled(&self, due: UnixMillis, job: JobNumber) -> bool {
        self.calendar.contains(&(due, job))
    }

    pub(crate) fn timers(&self) -> usize {
        self.timers.len()
    }

    pub(crate) fn scheduled(&self) -> usize {
        self.calendar.len()
    }
}
