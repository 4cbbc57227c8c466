//! What watchers hear, held against what workers said.

use super::reports::Said;
use super::{Fate, Job, JobId, Ledger, SubmitId, Watch};
use crate::history::Connection;
use crate::judge::facts::Fact;
use gearman_protocol::{Handle, Report};

/// Where a report that a watcher heard comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// One of the job's workers wrote it.
    Worker { attempt: usize, said: usize },
    /// It tells a failure that no worker wrote: the job was cancelled, or lost too often.
    Server,
    /// This connection, which never held the job, wrote it.
    Stranger(Connection),
    /// Somebody wrote it who may or may not have held the job.
    Unclear,
    /// Nobody wrote it.
    Nobody,
}

/// Whether a watcher may be told this of what the worker said: one without the option hears of a failure only.
fn tells(heard: &Report, said: &Report) -> bool {
    heard == said || matches!((heard, said), (Report::Fail, Report::Exception(_)))
}

impl Job {
    /// The last report that the watcher has heard.
    fn last_heard(&self, watch: &Watch) -> Option<(usize, usize)> {
        watch.cursor.and_then(|wrote| self.report_at(wrote))
    }

    /// Where the watcher's next report comes from: as near behind the last one as can be.
    fn origin(&self, watch: &Watch, report: &Report) -> Option<(usize, usize)> {
        let last = self.last_heard(watch);
        if let Some((attempt, said)) = last {
            let here = &self.attempts[attempt].said;
            if watch.copies < watch.attached.len() && tells(report, &here[said].report) {
                return Some((attempt, said));
            }
            let next = (said + 1..here.len()).find(|&next| tells(report, &here[next].report));
            if let Some(next) = next {
                return Some((attempt, next));
            }
        }
        let current = last.map(|(attempt, _)| attempt);
        let others = (0..self.attempts.len()).rev().filter(|&attempt| Some(attempt) != current);
        others
            .filter_map(|attempt| {
                let said = self.attempts[attempt].said.iter().position(|said| tells(report, &said.report))?;
                Some((attempt, said))
            })
            .next()
    }

    /// What may come to stand with an attempt: reports of those who may hold the job without having read so.
    fn guesses(&self) -> impl Iterator<Item = &Said> {
        self.strangers.iter().filter(|said| !said.is_settled)
    }

    /// Whether another attempt has a report that would be told in the same words, as every failure is.
    fn is_told_alike(&self, attempt: usize, report: &Report) -> bool {
        let others = self.attempts.iter().enumerate().filter(|&(index, _)| index != attempt);
        let mut said = others.flat_map(|(_, other)| &other.said).chain(self.guesses());
        said.any(|said| tells(report, &said.report))
    }

    /// Whether the same was said twice: then nobody can tell which is which.
    fn is_said_twice(&self, (attempt, said): (usize, usize)) -> bool {
        let report = &self.attempts[attempt].said[said].report;
        let all = self.attempts.iter().flat_map(|attempt| &attempt.said).chain(self.guesses());
        all.filter(|said| said.report == *report).count() > 1
    }
}

impl Ledger {
    pub(super) fn heard<'a>(
        &mut self,
        connection: Connection,
        handle: &'a Handle,
        report: &'a Report,
        facts: &mut Vec<Fact<'a>>,
    ) {
        // What cannot be told apart any more is not judged.
        let is_confused = self.link(connection).is_none_or(|link| link.is_confused);
        if is_confused || self.by_handle(handle).is_some_and(|job| self[job].is_mistaken) {
            return;
        }
        let watched = self.by_handle(handle).and_then(|job| {
            let index = self[job].watches.iter().position(|watch| watch.connection == connection)?;
            Some((job, index))
        });
        let Some((job, index)) = watched else {
            let mut submits = self.link(connection).into_iter().flat_map(|link| link.unanswered());
            let is_early = submits.any(|submit| {
                !self.submit(submit).is_background && self.may_be_answered_with(submit, handle)
            });
            return facts.push(Fact::HeardForeign { connection, handle, is_early });
        };
        let watch = &self[job].watches[index];
        let had_all = watch.ends >= watch.attached.len();
        if report.is_terminal() {
            facts.push(Fact::HeardEnd { connection, job, excess: had_all });
        } else if had_all {
            facts.push(Fact::HeardAfterEnd { connection, job });
        }
        if had_all {
            return;
        }
        self.trace_back(connection, job, index, report, facts);
        if report.is_terminal() {
            self[job].watches[index].ends += 1;
            self.is_over(job);
        }
    }

    /// Whether the watcher has missed a report that it must have been told between the last one and this.
    fn has_gap(&self, job: &Job, watch: &Watch, (attempt, said): (usize, usize)) -> bool {
        let owner = &job.attempts[attempt];
        let all = &owner.said;
        let owed = |index: usize| {
            let skipped = &all[index];
            self.is_of(owner, skipped)
                && !owner.is_late(skipped)
                && watch.attached_before(skipped.wrote.place) > 0
        };
        if !self.is_of(owner, &all[said]) {
            return false;
        }
        let Some((last_attempt, last)) = job.last_heard(watch) else { return (0..said).any(owed) };
        if last_attempt == attempt {
            return (last + 1..said).any(owed);
        }
        let last_owner = &job.attempts[last_attempt];
        let is_owed = |said: &Said| {
            matches!(said.fate, Fate::Accepted(_)) && !last_owner.is_late(said) && !said.report.is_terminal()
        };
        let skipped = last_owner.said[last + 1..].iter().any(is_owed);
        last_attempt < attempt && (skipped || (0..said).any(owed))
    }

    /// Whether a submit can be answered with this job: not if somebody else was and the two cannot share it.
    fn may_be_answered_with(&self, submit: SubmitId, handle: &Handle) -> bool {
        let (Some(job), submit) = (self.by_handle(handle), self.submit(submit)) else { return true };
        let shares = submit.key.is_some() && submit.key == self[job].key;
        self[job].function == submit.function && (self[job].submits.is_empty() || shares)
    }

    fn trace_back<'a>(
        &mut self,
        connection: Connection,
        job: JobId,
        index: usize,
        report: &'a Report,
        facts: &mut Vec<Fact<'a>>,
    ) {
        match self.origin(job, index, report) {
            Origin::Worker { attempt, said } => {
                self.advance(connection, job, index, (attempt, said), facts);
                let now = self.now.place;
                self[job].attempts[attempt].said[said].heard.get_or_insert((connection, now));
                facts.push(Fact::Heard { connection, job, attempt, said, report });
            }
            Origin::Server => facts.push(Fact::HeardServer { connection, job }),
            Origin::Unclear => self[job].watches[index].is_blurred = true,
            Origin::Stranger(by) => facts.push(Fact::HeardStranger { connection, job, by }),
            Origin::Nobody => facts.push(Fact::HeardNobody { connection, job }),
        }
    }

    fn origin(&self, id: JobId, index: usize, report: &Report) -> Origin {
        let job = &self[id];
        let is_failure = *report == Report::Fail;
        if is_failure && (job.cancelling || self.may_be_dropped(job)) {
            // A worker may have said so too, in vain.
            return Origin::Server;
        }
        if let Some((attempt, said)) = job.origin(&job.watches[index], report) {
            // A failure has no words of its own: nobody can tell that it is this one, if it came too late.
            let owner = &job.attempts[attempt];
            let said_so = &owner.said[said];
            let is_late = said_so.is_settled && owner.is_late(said_so);
            let is_in_vain = is_late || said_so.fate == Fate::Refused;
            // In vain once, and said again when the job may have been its own again.
            let is_said_again = job.is_said_twice((attempt, said));
            let is_unclear = job.is_told_alike(attempt, report)
                || is_in_vain && is_said_again
                || is_failure && self.may_be_expired_at(owner, said_so.wrote.at);
            if is_failure && is_in_vain && !is_said_again && !job.is_told_alike(attempt, report) {
                return Origin::Server;
            }
            return if is_unclear { Origin::Unclear } else { Origin::Worker { attempt, said } };
        }
        let mut strangers = job.strangers.iter().filter(|said| tells(report, &said.report));
        match strangers.clone().next() {
            None if is_failure => Origin::Server,
            None => Origin::Nobody,
            // All failures look alike.
            Some(_) if is_failure || strangers.any(|said| !said.is_settled) => Origin::Unclear,
            Some(said) => Origin::Stranger(said.connection),
        }
    }

    /// The watcher has heard this report of a worker: have all before it been heard as often as they must?
    fn advance(
        &mut self,
        connection: Connection,
        job: JobId,
        index: usize,
        to: (usize, usize),
        facts: &mut Vec<Fact<'_>>,
    ) {
        let told = &self[job];
        let (watch, is_blurred) = (&told.watches[index], told.is_said_twice(to));
        let from = told.last_heard(watch);
        if from.is_some_and(|(attempt, _)| to.0 < attempt) {
            // A late word of an earlier worker, which is another rule's business; or it is in time and of an attempt
            // that nobody has read of yet, and then this watcher has not missed it when that is known.
            let is_settled = told.attempts[to.0].said[to.1].is_settled;
            self[job].watches[index].is_blurred |= !is_settled;
            return;
        }
        let is_again = from == Some(to);
        if !is_again && !told.is_murky && !is_blurred && !watch.is_blurred {
            if self.has_gap(told, watch, to) {
                facts.push(Fact::Gap { connection, job });
            }
            if watch.cursor.is_some_and(|last| watch.copies < watch.attached_before(last)) {
                facts.push(Fact::TooSeldom { connection, job });
            }
        }
        let wrote = told.attempts[to.0].said[to.1].wrote.place;
        let watch = &mut self[job].watches[index];
        if is_again {
            watch.copies += 1;
            return;
        }
        watch.is_blurred |= is_blurred;
        (watch.cursor, watch.copies) = (Some(wrote), 1);
    }
}
