//! How many jobs of a function there may be, as peers have asked with `maxqueue`, and how many there are.

use super::{Function, JobId, Ledger, SubmitId};
use crate::history::Place;
use gearman_protocol::QueueLimits;

/// A `maxqueue`, and the place by which it was answered.
#[derive(Debug)]
pub(super) struct LimitAsked {
    function: Function,
    limits: QueueLimits,
    wrote: Place,
    done: Option<Place>,
}

impl Ledger {
    /// Somebody wants this limit.
    pub(super) fn limit_asked(&mut self, function: Function, limits: QueueLimits) {
        let wrote = self.now.place;
        self.queue_limits.push(LimitAsked { function, limits, wrote, done: None });
    }

    /// The `maxqueue` that was written there has been answered.
    pub(super) fn limit_set(&mut self, wrote: Place) {
        let now = self.now.place;
        if let Some(asked) = self.queue_limits.iter_mut().find(|asked| asked.wrote == wrote) {
            asked.done = Some(now);
        }
    }

    /// The limits that may have been in force at some moment since the submit was written, for jobs of its function
    /// and whatever priority: `None` is none at all. If a server takes one priority for another, that is another
    /// matter.
    fn limits_of(&self, id: SubmitId) -> impl Iterator<Item = Option<u32>> {
        let (function, since) = (self.submit(id).function, self.submit(id).wrote.place);
        let all = self.queue_limits.iter().filter(move |asked| asked.function == function);
        // Something that was asked for later, and was done when the submit was written, has taken its place.
        let is_past = move |done: Option<Place>| {
            let mut later = self.queue_limits.iter().filter(move |asked| asked.function == function);
            later.any(|later| {
                done.is_some_and(|done| done < later.wrote) && later.done.is_some_and(|done| done < since)
            })
        };
        let at_first = (!is_past(Some(0))).then_some(None);
        let asked = all.filter(move |asked| !is_past(asked.done));
        at_first.into_iter().chain(
            asked.flat_map(|LimitAsked { limits: QueueLimits { high, normal, low }, .. }| {
                [*high, *normal, *low]
            }),
        )
    }

    /// The least limit that may have been in force when the submit was looked at; `None` if there can have been none.
    pub(crate) fn least_limit(&self, id: SubmitId) -> Option<u32> {
        self.limits_of(id).flatten().min()
    }

    /// The greatest limit that may have been in force when the submit was looked at; `None` if there may have been
    /// none.
    pub(crate) fn greatest_limit(&self, id: SubmitId) -> Option<u32> {
        self.limits_of(id).reduce(|one, two| Some(one?.max(two?))).flatten()
    }

    /// The most jobs of its function that there can have been when the submit was looked at, without its own and
    /// without those that were cancelled before; and the latter. Unknown after a restart that a store outlived, and
    /// when one handle stands for two jobs.
    pub(crate) fn most_jobs_beside(&self, id: SubmitId) -> Option<(usize, Vec<JobId>)> {
        if self.legacies.is_after_a_restart() {
            return None;
        }
        let own = self.submit(id);
        let since = own.wrote.place;
        let jobs = || self.job_ids().filter(|&job| self[job].function == own.function);
        if jobs().any(|job| self[job].is_mistaken) {
            return None;
        }
        let (over, there): (Vec<JobId>, Vec<JobId>) =
            jobs().partition(|&job| self[job].over.is_some_and(|over| over < since));
        let cancelled = over.into_iter().filter(|&job| self[job].cancelling);
        let unseen = self.submits.iter().enumerate().filter(|&(other, submit)| {
            other != id && submit.function == own.function && submit.may_have_a_job
        });
        Some((there.len() + unseen.count(), cancelled.collect()))
    }

    /// The other jobs of the function that there were, for all that is known, all the time since the submit was
    /// written.
    pub(crate) fn jobs_beside(&self, id: SubmitId, job: JobId) -> Vec<JobId> {
        let (function, since) = (self.submit(id).function, self.submit(id).wrote.place);
        let all = self.job_ids().filter(|&other| {
            other != job
                && self[other].function == function
                && self[other].seen < since
                && !self.may_be_over(other)
        });
        all.collect()
    }
}
