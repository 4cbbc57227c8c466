//! A job.

use bytes::Bytes;
use gearman_engine::{ConnectionId, RecordId};
use gearman_protocol::{FunctionName, Handle, Priority, Reducer, Submit, Time, Unique, UnixMillis};

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) handle: Handle,
    pub(crate) function: FunctionName,
    pub(crate) unique: Unique,
    pub(crate) priority: Priority,
    pub(crate) reducer: Reducer,
    pub(crate) workload: Bytes,
    /// Whether it was promised to run, whoever watches.
    pub(crate) background: bool,
    /// One entry for each attached foreground submit.
    pub(crate) watchers: Vec<ConnectionId>,
    /// How often its worker was lost.
    pub(crate) attempts: u64,
    /// Numerator and denominator of the last status.
    pub(crate) status: (u32, u32),
    pub(crate) state: State,
    /// What the store keeps of it, or will.
    pub(crate) record: Option<RecordId>,
    /// Whether the store has not yet answered for the record.
    pub(crate) unconfirmed: bool,
}

/// ```text
///             stored           due           grab
/// Reserved ----------> Scheduled --> Waiting -----> Assigned --> the end
///      \------------------------------^   ^--- lost ---/
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    /// A new background job that the store has not confirmed: nobody sees it.
    Reserved {
        not_before: Option<UnixMillis>,
        /// Its place in its queue, if it needs not wait for its moment.
        place: u64,
    },
    /// Not before this moment.
    Scheduled(UnixMillis),
    /// With its place in the order of its queue.
    Waiting { place: u64 },
    Assigned {
        worker: ConnectionId,
        /// Its place in the order of assignment.
        place: u64,
        /// When the worker's time is up.
        until: Option<Time>,
    },
}

impl Job {
    /// Whether a submit for this key is one for this job.
    pub(crate) fn answers(&self, submit: &Submit) -> bool {
        let same_key = self.function == submit.function && self.unique == submit.unique;
        match submit.unique.as_bytes() {
            b"" => false,
            b"-" => same_key && !submit.workload.is_empty() && self.workload == submit.workload,
            _ => same_key,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.state, State::Reserved { .. })
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    pub(crate) fn worker(&self) -> Option<ConnectionId> {
        if let State::Assigned { worker, .. } = self.state { Some(worker) } else { None }
    }
}
