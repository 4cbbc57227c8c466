//! What has happened so far and how it stands, in numbers, for whoever watches over a server.

use crate::Vitals;
use crate::tables::functions::Function;
use gearman_protocol::FunctionName;
use std::time::Duration;

/// Why something was declined or a peer sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The function has as many jobs as `maxqueue` allows.
    QueueLimit,
    /// Workloads, buffers and tables take as much memory as they may.
    MemoryLimit,
    /// A packet is larger than it may be.
    MaxPacketSize,
    /// A packet was begun and not finished in time.
    PacketTimeout,
    /// Too much waited for a slow reader. It is closed without a word, for it reads none.
    OutputLimit,
    /// There are as many connections as there may be.
    MaxConnections,
    /// An address has as many connections as it may.
    ConnectionsPerAddress,
    /// A connection has registered as many functions as it may.
    FunctionsPerConnection,
    /// The store could not keep the job.
    Store,
    /// The server takes no new jobs before its end.
    Draining,
    /// A report about a job that the sender does not hold.
    JobNotFound,
    /// Bytes that are no request.
    Malformed,
}

impl Refused {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::QueueLimit,
        Self::MemoryLimit,
        Self::MaxPacketSize,
        Self::PacketTimeout,
        Self::OutputLimit,
        Self::MaxConnections,
        Self::ConnectionsPerAddress,
        Self::FunctionsPerConnection,
        Self::Store,
        Self::Draining,
        Self::JobNotFound,
        Self::Malformed,
    ];

    /// Its name in metrics and log lines; that of the limit, if it is one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueLimit => "maxqueue",
            Self::MemoryLimit => "memory-limit",
            Self::MaxPacketSize => "max-packet-size",
            Self::PacketTimeout => "packet-timeout",
            Self::OutputLimit => "output-limit",
            Self::MaxConnections => "max-connections",
            Self::ConnectionsPerAddress => "connections-per-address",
            Self::FunctionsPerConnection => "functions-per-connection",
            Self::Store => "store",
            Self::Draining => "draining",
            Self::JobNotFound => "job-not-found",
            Self::Malformed => "malformed",
        }
    }
}

/// How often something was declined, by reason, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals([u64; Refused::ALL.len()]);

impl Refusals {
    /// How often for this reason.
    #[must_use]
    pub const fn of(&self, reason: Refused) -> u64 {
        self.0[reason as usize]
    }

    pub(crate) const fn count(&mut self, reason: Refused) {
        self.0[reason as usize] += 1;
    }
}

/// How a server stands and what it has done since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How much it holds.
    pub vitals: Vitals,
    /// How many bytes workloads, buffers and tables may take together.
    pub memory_limit: usize,
    /// How many connections there have been, those that were sent away included.
    pub opened: u64,
    /// What was declined.
    pub refusals: Refusals,
}

/// What has become of a function's jobs since it is known.
///
/// `submitted` is the sum of the five ends and of the jobs that are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submits that made a job, and jobs that came back from the store.
    pub submitted: u64,
    /// Submits that joined a live job instead.
    pub coalesced: u64,
    /// Jobs ended by WORK_COMPLETE.
    pub completed: u64,
    /// Jobs ended by WORK_FAIL or WORK_EXCEPTION.
    pub failed: u64,
    /// Jobs dropped because their worker was lost too often.
    pub dropped: u64,
    /// Jobs ended by `cancel job`.
    pub cancelled: u64,
    /// Foreground jobs that ended because nobody waited for them any more, and jobs from the store that a later
    /// one of the same key replaced.
    pub abandoned: u64,
    /// How often a job went back to its queue because its worker was lost.
    pub retried: u64,
    /// How often a job took longer than its worker said it may; each is a retry or a drop as well.
    pub timed_out: u64,
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    Failed,
    Dropped,
    Cancelled,
    Abandoned,
}

impl Counts {
    /// Adds another function's.
    pub const fn add(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.coalesced += other.coalesced;
        self.completed += other.completed;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.cancelled += other.cancelled;
        self.abandoned += other.abandoned;
        self.retried += other.retried;
        self.timed_out += other.timed_out;
    }

    pub(crate) const fn count(&mut self, ending: Ending) {
        match ending {
            Ending::Completed => self.completed += 1,
            Ending::Failed => self.failed += 1,
            Ending::Dropped => self.dropped += 1,
            Ending::Cancelled => self.cancelled += 1,
            Ending::Abandoned => self.abandoned += 1,
        }
    }

    /// How many jobs have ended.
    pub(crate) const fn ended(&self) -> u64 {
        self.completed + self.failed + self.dropped + self.cancelled + self.abandoned
    }
}

/// How one function stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionFigures {
    /// Its name.
    pub function: FunctionName,
    /// How many jobs wait, by priority, high first.
    pub waiting: [u32; 3],
    /// How many jobs are not due yet.
    pub scheduled: u32,
    /// How many jobs workers hold.
    pub running: u32,
    /// How many workers can do it.
    pub workers: u32,
    /// For how long the job has waited that has waited longest since it was submitted, became due or was lost by
    /// a worker; `None` if none waits.
    pub oldest: Option<Duration>,
    /// What has become of its jobs.
    pub counts: Counts,
}

/// Some of the functions, and where the others begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionPage {
    /// The functions of this page.
    pub rows: Vec<FunctionFigures>,
    /// What to ask for next; `None` after the last page.
    pub next: Option<usize>,
}

impl Function {
    /// Its figures, without the age of its oldest job.
    pub(crate) fn figures(&self, oldest: Option<Duration>) -> FunctionFigures {
        FunctionFigures {
            function: self.name.clone(),
            waiting: [0, 1, 2].map(|priority: usize| self.waiting[priority].len()),
            scheduled: self.scheduled.iter().sum(),
            running: self.assigned,
            workers: self.workers,
            oldest,
            counts: self.counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_added_to_its_own() {
        let counts = |times: u64| Counts {
            submitted: times,
            coalesced: 2 * times,
            completed: 3 * times,
            failed: 4 * times,
            dropped: 5 * times,
            cancelled: 6 * times,
            abandoned: 7 * times,
            retried: 8 * times,
            timed_out: 9 * times,
        };
        let mut sum = counts(100);
        sum.add(&counts(1));
        assert_eq!(sum, counts(101));
    }
}
