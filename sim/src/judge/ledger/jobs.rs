//! Jobs, the submits that made them, and who watches them.

use super::links::Limit;
use super::reports::{Fate, Said};
use super::{Attempt, Function, Ledger, Moment};
use crate::history::{Connection, Place};
use bytes::Bytes;
use gearman_protocol::{
    Assignment, FunctionName, Grab, Handle, Mode, Priority, Reducer, Time, Unique, UnixMillis,
};
use std::ops::{Index, IndexMut};

pub(crate) type SubmitId = usize;
pub(crate) type KeyId = usize;

/// No time of a run is so late.
pub(super) const NEVER: Time = Time::from_millis(u64::MAX);

/// A job that was met in the server's present life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct JobId(pub(super) usize);

/// What makes two submits the same job: function, unique, and for `-` the workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) function: Function,
    pub(super) unique: Unique,
    pub(super) workload: Bytes,
}

/// The submits with one key.
#[derive(Debug, Default)]
pub(super) struct KeyState {
    /// Those whose answer is not there: it may come, or is lost.
    pub(super) open: Vec<SubmitId>,
    /// The last job that such a submit was answered with.
    pub(super) job: Option<JobId>,
    /// By when the last of them was refused.
    pub(super) declined: Place,
}

/// A submit as it was written.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub(crate) connection: Connection,
    pub(crate) wrote: Moment,
    pub(crate) function: Function,
    pub(crate) name: FunctionName,
    pub(crate) key: Option<KeyId>,
    pub(crate) unique: Unique,
    pub(crate) priority: Priority,
    pub(crate) is_background: bool,
    pub(crate) start: Start,
    pub(crate) reducer: Reducer,
    pub(crate) workload: Bytes,
    /// Its peer will never read the answer.
    pub(crate) is_lost: bool,
    /// Whether it may have made a job of which it was not told: one that a store could not keep may be there for a while.
    pub(super) may_have_a_job: bool,
}

/// A job, known by its handle.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) handle: Handle,
    pub(crate) function: Function,
    pub(crate) key: Option<KeyId>,
    /// It was there by this place.
    pub(crate) seen: Place,
    /// It was not there before this place.
    pub(crate) earliest: Place,
    /// If only one submit can have made it, that one.
    pub(crate) maker: Option<SubmitId>,
    /// Known if every submit that can have made it agrees.
    pub(crate) priority: Option<Priority>,
    /// When it may first be handed out.
    pub(crate) start: Start,
    /// By when it must be there to be handed out, if it has a start of its own and that is known since it was made.
    pub(crate) due: Time,
    /// The submits that were answered with it.
    pub(crate) submits: Vec<SubmitId>,
    /// Whether one of them was a background submit.
    pub(crate) is_background: bool,
    pub(crate) watches: Vec<Watch>,
    pub(crate) attempts: Vec<Attempt>,
    /// Reports that stand with no attempt, because their senders do not hold the job for all that is known.
    pub(crate) strangers: Vec<Said>,
    /// Whether somebody has asked to cancel it.
    pub(crate) cancelling: bool,
    /// Whether somebody was told that it was cancelled.
    pub(crate) is_cancelled: bool,
    /// It had ended by this place.
    pub(crate) over: Option<Place>,
    /// It had ended by this time; meaningless while it has not.
    pub(crate) over_at: Time,
    /// What its first assignment said; later ones must say the same.
    pub(crate) handed: Option<Handed>,
    /// Two submits that cannot be one job were answered with it.
    pub(crate) is_mistaken: bool,
    /// It may be one that a store had kept, which the submits of this life have joined.
    pub(crate) is_old: bool,
    /// The ledger cannot tell who holds it, or which job it is. Only what needs neither is judged.
    pub(crate) is_murky: bool,
}

/// When a job may first be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// As soon as it is there.
    AtOnce,
    /// When the server's wall clock says this.
    At(UnixMillis),
    /// Several submits can have made it, and they do not agree, or nobody knows which has.
    Unclear,
}

impl Start {
    /// That of a submit. A time that is no number is past.
    pub(super) fn of(mode: &Mode) -> Self {
        let Mode::Epoch(text) = mode else { return Self::AtOnce };
        let seconds = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
        seconds.map_or(Self::AtOnce, |seconds| Self::At(UnixMillis::new(seconds.saturating_mul(1000))))
    }
}

/// What an assignment says of its job. Forms that leave something out do not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) function: Function,
    pub(crate) name: FunctionName,
    pub(crate) unique: Option<Unique>,
    pub(crate) reducer: Option<Reducer>,
    pub(crate) workload: Bytes,
}

/// One connection's attachment to a job, by however many submits.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) connection: Connection,
    /// Where each of its attached submits was answered.
    pub(crate) attached: Vec<Place>,
    /// How many terminal packets it has got.
    pub(crate) ends: usize,
    /// Where the last report that it has heard was written, and how often it has heard it.
    pub(super) cursor: Option<Place>,
    pub(super) copies: usize,
    /// The same was said twice: nobody can tell any more what it has missed.
    pub(super) is_blurred: bool,
}

impl Watch {
    /// How many submits were known to be attached before this place.
    pub(crate) fn attached_before(&self, place: Place) -> usize {
        self.attached.iter().filter(|&&attached| attached < place).count()
    }
}

impl Job {
    /// Whether one of its workers has certainly ended it.
    pub(crate) fn is_finished(&self) -> bool {
        let all = self.attempts.iter().flat_map(|attempt| &attempt.said);
        let mut ends = all.filter(|said| said.report.is_terminal());
        ends.any(|said| said.heard.is_some() || matches!(said.fate, Fate::Accepted(_)))
    }

    /// Whether its end was told by somebody who may have held it without the ledger's knowing.
    fn may_have_ended_unseen(&self) -> bool {
        let all = self.attempts.iter().flat_map(|attempt| &attempt.said).chain(&self.strangers);
        let mut ends = all.filter(|said| said.report.is_terminal() && said.fate != Fate::Refused);
        ends.any(|said| !said.is_settled)
    }

    pub(crate) fn present(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    pub(super) fn new(handle: Handle, function: Function, seen: Place) -> Self {
        Self {
            handle,
            function,
            key: None,
            seen,
            earliest: 0,
            maker: None,
            priority: None,
            start: Start::AtOnce,
            due: NEVER,
            submits: Vec::new(),
            is_background: false,
            watches: Vec::new(),
            attempts: Vec::new(),
            strangers: Vec::new(),
            cancelling: false,
            is_cancelled: false,
            over: None,
            over_at: Time::ZERO,
            handed: None,
            is_mistaken: false,
            is_old: false,
            is_murky: false,
        }
    }
}

impl Handed {
    pub(super) fn new(function: Function, assignment: &Assignment) -> Self {
        let (with_unique, with_reducer) = (assignment.form != Grab::Plain, assignment.form == Grab::All);
        Self {
            function,
            name: assignment.function.clone(),
            unique: with_unique.then(|| assignment.unique.clone()),
            reducer: with_reducer.then(|| assignment.reducer.clone()),
            workload: assignment.workload.clone(),
        }
    }

    /// Whether both can speak of one job.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let unique = self.unique.as_ref().zip(other.unique.as_ref());
        let reducer = self.reducer.as_ref().zip(other.reducer.as_ref());
        self.function == other.function
            && self.workload == other.workload
            && unique.is_none_or(|(one, two)| one == two)
            && reducer.is_none_or(|(one, two)| one == two)
    }

    /// Whether it can be the job of this submit.
    pub(crate) fn fits(&self, submit: &Submitted) -> bool {
        self.function == submit.function
            && self.workload == submit.workload
            && self.unique.as_ref().is_none_or(|unique| *unique == submit.unique)
            && self.reducer.as_ref().is_none_or(|reducer| *reducer == submit.reducer)
    }
}

impl Index<JobId> for Ledger {
    type Output = Job;

    fn index(&self, id: JobId) -> &Job {
        &self.jobs[id.0]
    }
}

impl IndexMut<JobId> for Ledger {
    fn index_mut(&mut self, id: JobId) -> &mut Job {
        &mut self.jobs[id.0]
    }
}

impl Ledger {
    pub(crate) fn job_ids(&self) -> impl Iterator<Item = JobId> + use<> {
        (0..self.jobs.len()).map(JobId)
    }

    pub(crate) fn by_handle(&self, handle: &Handle) -> Option<JobId> {
        self.handles.get(handle).copied()
    }

    pub(super) fn add_job(&mut self, handle: &Handle, function: Function) -> JobId {
        let id = JobId(self.jobs.len());
        let mut job = Job::new(handle.clone(), function, self.now.place);
        job.is_murky = usize::from(function) >= super::MOST_FUNCTIONS;
        job.cancelling = self.cancelled.contains_key(handle);
        job.strangers = self.unmet.remove(handle).unwrap_or_default();
        self.jobs.push(job);
        self.handles.insert(handle.clone(), id);
        id
    }

    /// The submits of the same key whose answers are not there, one of which may have made the job or may have
    /// been attached to it.
    pub(crate) fn open_submits(&self, key: Option<KeyId>) -> &[SubmitId] {
        key.map_or(&[], |key| &self.keys[key].open)
    }

    /// Whether the job that was handed out is one that was submitted under another key, by somebody who has no
    /// answer: then two keys share it.
    pub(crate) fn is_of_another_key(&self, job: JobId, handed: &Handed) -> bool {
        let others = self.keys.iter().enumerate().filter(|&(key, _)| Some(key) != self[job].key);
        let mut open = others.flat_map(|(_, state)| &state.open);
        self[job].key.is_some() && open.any(|&submit| handed.fits(self.submit(submit)))
    }

    /// Whether the job may have ended by now.
    pub(crate) fn may_be_over(&self, id: JobId) -> bool {
        let job = &self[id];
        job.over.is_some()
            || job.cancelling
            || job.is_murky
            || job.present().is_some_and(Attempt::may_have_finished)
            || job.may_have_ended_unseen()
            || self.may_be_unwatched(job)
            || self.may_be_dropped(job)
    }

    /// Whether a worker certainly holds the job now, for as long as it likes.
    pub(crate) fn is_surely_in_hand_without_limit(&self, id: JobId) -> bool {
        let last = self[id].attempts.len().checked_sub(1);
        last.is_some_and(|last| self[id].attempts[last].limit == Limit::None && self.is_surely_held(id, last))
    }

    /// Whether the last of its watchers may have left it.
    fn may_be_unwatched(&self, job: &Job) -> bool {
        let stays = |watch: &Watch| self.link(watch.connection).is_some_and(|link| !link.may_be_over());
        !job.is_background && !job.watches.iter().any(stays)
    }

    /// Whether it may have been lost too often.
    pub(crate) fn may_be_dropped(&self, job: &Job) -> bool {
        let Some(limit) = self.terms.attempts() else { return false };
        let lost = job.attempts.iter().filter(|attempt| self.may_be_released(attempt)).count();
        lost >= limit
            || self.may_have_gone_astray(job.function, job.earliest)
            || self.may_be_lost_unread(job.function, None)
    }

    /// Whether it may have been lost too often if no time limit was kept: when a limit is kept badly, that is
    /// another matter than how often a job may be lost.
    pub(crate) fn may_be_dropped_early(&self, job: &Job) -> bool {
        let is_timed = |attempt: &Attempt| attempt.limit != Limit::None || self.may_be_released(attempt);
        let lost = job.attempts.iter().filter(|attempt| is_timed(attempt)).count();
        self.terms.attempts().is_some_and(|limit| lost >= limit) || self.may_be_dropped(job)
    }

    /// Whether a job of this function may have been given, since this place, to somebody who never read so.
    pub(crate) fn may_have_gone_astray(&self, function: Function, since: Place) -> bool {
        let detour = self.detours[usize::from(function)];
        detour.open > 0 || detour.until > since
    }

    /// Whether some other connection has asked for a job of this function and has not read the answer.
    pub(crate) fn is_asked_for(&self, function: Function, except: Option<Connection>) -> bool {
        let asks = |asker: &Connection| {
            self.link(*asker).is_some_and(|link| link.asking() & super::only(function) != 0)
        };
        self.askers.iter().filter(|&&asker| Some(asker) != except).any(asks)
    }

    /// Whether some other connection may have been given a job of this function and have lost it again before
    /// it has read so.
    pub(super) fn may_be_lost_unread(&self, function: Function, except: Option<Connection>) -> bool {
        self.askers.iter().filter(|&&asker| Some(asker) != except).any(|&asker| {
            let Some(link) = self.link(asker) else { return true };
            link.asked.iter().any(|asked| {
                let super::Question::Grab { able, .. } = asked.question else { return false };
                let expired = match link.abilities.limit(function, asked.wrote.place) {
                    Limit::None => false,
                    Limit::After(limit) => self.now.at + self.terms.slack >= asked.wrote.at + limit,
                    Limit::Unclear => true,
                };
                able & super::only(function) != 0
                    && (expired
                        || link.may_be_over()
                        || link.gives_up_after(function, asked.wrote.place).is_some())
            })
        })
    }

    /// By when the job certainly had nobody left who wanted it: every watcher had gone, and nobody had asked for
    /// it in the background.
    pub(crate) fn surely_unwatched(&self, id: JobId) -> Option<Place> {
        let job = &self[id];
        if job.is_background
            || job.is_old
            || job.is_murky
            || job.watches.is_empty()
            || !self.open_submits(job.key).is_empty()
        {
            return None;
        }
        // Whoever was refused had kept it alive until then.
        let mut last = job.key.map_or(0, |key| self.keys[key].declined);
        for watch in &job.watches {
            last = last.max(self.link(watch.connection)?.server_over?);
        }
        Some(last)
    }
}
