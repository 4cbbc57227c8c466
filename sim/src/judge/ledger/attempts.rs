//! Attempts to run a job: each is one assignment, until its worker ends the job or loses it.

use super::jobs::JobId;
use super::links::{Limit, Link};
use super::reports::{Fate, Said};
use super::{Ledger, Moment};
use crate::history::{Connection, Place};
use gearman_protocol::Time;
use std::time::Duration;

/// One assignment of a job.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) connection: Connection,
    /// The request that it answers, and where the answer was read.
    pub(crate) grab: Moment,
    pub(crate) read: Moment,
    pub(crate) limit: Limit,
    /// Since when its worker may have given it up, by CANT_DO or RESET_ABILITIES.
    pub(crate) given_up: Option<Place>,
    /// It was over, other than by a result, by this place.
    pub(crate) released: Option<(Place, Cause)>,
    pub(crate) said: Vec<Said>,
}

/// Why a worker does not hold a job any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its connection ended, or it gave the function up.
    Lost,
    /// It took too long.
    Expired,
    /// One of these.
    Either,
}

impl Attempt {
    /// Whether a report was written when the worker had certainly lost the job.
    pub(crate) fn is_late(&self, said: &Said) -> bool {
        self.given_up.is_some_and(|place| place < said.wrote.place)
            || self.released.is_some_and(|(place, _)| place < said.wrote.place)
    }

    /// Whether a report was written that ends the job, if it was accepted.
    pub(crate) fn may_have_finished(&self) -> bool {
        let ends = |said: &Said| said.report.is_terminal() && said.fate != Fate::Refused;
        // What is not settled may belong to a later attempt of the same worker, and be in time there.
        self.said.iter().any(|said| ends(said) && !(said.is_settled && self.is_late(said)))
    }
}

impl Ledger {
    /// The attempt that this grab has brought is over, other than by a result.
    pub(super) fn release_of(&mut self, job: JobId, grab: Place, cause: Cause) {
        if let Some(attempt) = self[job].attempts.iter().position(|attempt| attempt.grab.place == grab) {
            self.release(job, attempt, cause);
        }
    }

    /// An attempt is over, other than by a result.
    pub(super) fn release(&mut self, job: JobId, attempt: usize, cause: Cause) {
        let place = self.now.place;
        let limit = self.terms.attempts();
        let released = &mut self[job].attempts[attempt].released;
        if released.is_some() {
            return;
        }
        *released = Some((place, cause));
        let job_now = &self[job];
        let is_lost = |attempt: &&Attempt| attempt.released.is_some() && !attempt.may_have_finished();
        let losses = job_now.attempts.iter().filter(is_lost).count();
        if limit.is_some_and(|limit| losses >= limit) && job_now.over.is_none() && !job_now.is_murky {
            self.must_hear(job, true);
        }
    }

    /// Whether the worker of an attempt may have lost the job by now, other than by ending it.
    pub(crate) fn may_be_released(&self, attempt: &Attempt) -> bool {
        attempt.released.is_some()
            || attempt.given_up.is_some()
            || self.link(attempt.connection).is_none_or(Link::may_be_over)
            || self.may_be_expired(attempt)
    }

    /// Whether the worker of the job's last attempt certainly holds it now.
    pub(crate) fn is_surely_held(&self, id: JobId, attempt: usize) -> bool {
        let job = &self[id];
        attempt + 1 == job.attempts.len()
            && !job.is_murky
            && !job.cancelling
            && !job.attempts[attempt].may_have_finished()
            && !self.may_be_released(&job.attempts[attempt])
    }

    /// Whether the limit of an attempt may have passed by now: the clock began at the earliest when the job was
    /// asked for.
    pub(crate) fn may_be_expired(&self, attempt: &Attempt) -> bool {
        self.may_be_expired_at(attempt, self.now.at)
    }

    /// The same, by some other time.
    pub(super) fn may_be_expired_at(&self, attempt: &Attempt, at: Time) -> bool {
        match attempt.limit {
            Limit::None => false,
            Limit::After(limit) => at + self.terms.slack >= attempt.grab.at + limit,
            Limit::Unclear => true,
        }
    }

    /// From when on the limit of an attempt has certainly passed: the clock began at the latest when the job was
    /// read.
    pub(crate) fn surely_expired_at(&self, attempt: &Attempt) -> Option<Moment> {
        let Limit::After(limit) = attempt.limit else { return None };
        let slack: Duration = self.terms.slack;
        Some(Moment { place: attempt.read.place, at: attempt.read.at + limit + slack })
    }
}
