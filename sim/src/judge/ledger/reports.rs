//! What workers say of jobs, and which attempt each word belongs to.
//!
//! Requests of one connection are done in the order in which they were written, so a report belongs to the last
//! attempt that a grab before it has brought to its connection, and to none if there is none.
//! While a grab before it has no answer the report is not *settled*: it stands with the last attempt that is known of
//! its connection, or among the strangers', and moves to a new one if the answer brings the job. An answer that never
//! comes leaves it so for ever.

use super::asked::Asked;
use super::jobs::Job;
use super::{Attempt, JobId, Ledger, Moment, Question};
use crate::history::{Connection, Place};
use crate::judge::facts::Fact;
use gearman_protocol::{Handle, Report};

/// A report as it was written.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) connection: Connection,
    pub(crate) wrote: Moment,
    pub(crate) report: Report,
    pub(crate) fate: Fate,
    /// Which watcher first read it, and where.
    pub(crate) heard: Option<(Connection, Place)>,
    /// Whether it is known which attempt it belongs to, or that it belongs to none.
    pub(crate) is_settled: bool,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not known, perhaps for ever.
    Open,
    /// A later answer came without an ERROR for it, at this place: by then the server had it.
    Accepted(Place),
    /// It got an ERROR.
    Refused,
}

/// A report that was written, and stands with its job.
#[derive(Clone, Debug)]
pub(crate) struct ReportAsked {
    pub(crate) handle: Handle,
    pub(super) text: RefusalText,
}

/// A refused report is answered in one of three texts, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalText {
    Data,
    Result,
    Exception,
}

impl RefusalText {
    const fn of(report: &Report) -> Self {
        match report {
            Report::Data(_) | Report::Warning(_) => Self::Data,
            Report::Status { .. } | Report::Complete(_) | Report::Fail => Self::Result,
            Report::Exception(_) => Self::Exception,
        }
    }

    pub(super) fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"Job does not exist on server" => Some(Self::Data),
            b"Job given in work result not found" => Some(Self::Result),
            b"An exception was received for a job that does not exist" => Some(Self::Exception),
            _ => None,
        }
    }
}

/// Where a report stands.
enum Standing {
    /// With an attempt.
    Attempt { job: JobId, attempt: usize, said: usize },
    /// With none, because its sender does not hold the job.
    Stranger,
    /// With none, but it may belong to one that nobody has read of, or it is one for which no answer means nothing.
    Unknown,
}

impl Job {
    /// The report that was written there by a worker of the job, as attempt and index.
    pub(super) fn report_at(&self, wrote: Place) -> Option<(usize, usize)> {
        let reports = self.attempts.iter().enumerate().rev();
        reports
            .filter_map(|(attempt, held)| {
                let said = held.said.binary_search_by_key(&wrote, |said| said.wrote.place).ok()?;
                Some((attempt, said))
            })
            .next()
    }

    /// Whether a worker's word follows its exception for the same attempt: a second end, for which no answer means
    /// nothing.
    fn is_second_end(&self, said: &Said) -> bool {
        let own = self.attempts.iter().rfind(|attempt| attempt.connection == said.connection);
        let mut before = own.into_iter().flat_map(|attempt| attempt.said.iter().rev());
        let last = before.find(|before| before.wrote.place < said.wrote.place);
        last.is_some_and(|last| said.is_second_end_after(last))
    }
}

impl Said {
    /// Whether the server certainly had it, and did not refuse it, before it dealt with something that was asked here and
    /// is answered now.
    pub(crate) fn came_before(&self, connection: Connection, wrote: Place) -> bool {
        let is_accepted = matches!(self.fate, Fate::Accepted(by) if by < wrote);
        is_accepted || self.heard.is_some_and(|(by, read)| by == connection || read < wrote)
    }

    const fn is_second_end_after(&self, last: &Self) -> bool {
        matches!((&last.report, &self.report), (Report::Exception(_), Report::Complete(_) | Report::Fail))
    }
}

impl Ledger {
    /// A report was written.
    pub(super) fn said(&mut self, connection: Connection, handle: &Handle, report: &Report) -> Question {
        let is_asking = self.is_asking(connection);
        let is_confused = self.link(connection).is_none_or(|link| link.is_confused);
        let said = Said {
            connection,
            wrote: self.now,
            report: report.clone(),
            fate: Fate::Open,
            heard: None,
            is_settled: !is_asking && !is_confused,
        };
        if is_asking && let Some(link) = self.link_mut(connection) {
            link.unsettled.push((handle.clone(), said.wrote.place));
        }
        self.place(handle, said);
        Question::Report(ReportAsked { handle: handle.clone(), text: RefusalText::of(report) })
    }

    /// Puts a report with the attempt that it belongs to for all that is known.
    fn place(&mut self, handle: &Handle, said: Said) {
        let Some(job) = self.by_handle(handle) else {
            return self.unmet.entry(handle.clone()).or_default().push(said);
        };
        let job = &mut self[job];
        if job.is_second_end(&said) {
            if !said.is_settled {
                job.strangers.push(said);
            }
            return;
        }
        match job.attempts.iter_mut().rfind(|attempt| attempt.connection == said.connection) {
            Some(own) => own.said.push(said),
            None => job.strangers.push(said),
        }
    }

    /// A grab has been answered: what was said after it, and before the next that has no answer, is settled.
    pub(super) fn settle(&mut self, connection: Connection) {
        let Some(link) = self.link_mut(connection) else { return };
        let next = link.asked.iter().find(|asked| matches!(asked.question, Question::Grab { .. }));
        let until = next.map_or(Place::MAX, |grab| grab.wrote.place);
        let count = link.unsettled.partition_point(|&(_, wrote)| wrote < until);
        let settled: Vec<(Handle, Place)> = link.unsettled.drain(..count).collect();
        for (handle, wrote) in settled {
            self.settle_report(connection, &handle, wrote);
        }
    }

    fn settle_report(&mut self, connection: Connection, handle: &Handle, wrote: Place) {
        let is_it = |said: &Said| said.connection == connection && said.wrote.place == wrote;
        let Some(job) = self.by_handle(handle) else {
            let unmet = self.unmet.get_mut(handle).into_iter().flatten();
            return unmet.filter(|said| is_it(said)).for_each(|said| said.is_settled = true);
        };
        let job = &mut self[job];
        if let Some((attempt, said)) = job.report_at(wrote) {
            job.attempts[attempt].said[said].is_settled = true;
        } else if let Some(index) = job.strangers.iter().position(is_it) {
            if job.is_second_end(&job.strangers[index]) {
                job.strangers.remove(index);
            } else {
                job.strangers[index].is_settled = true;
            }
        }
    }

    /// Takes what a connection has said of a job since the grab that has brought it.
    pub(super) fn take_reports(&mut self, job: JobId, connection: Connection, grab: Place) -> Vec<Said> {
        let job = &mut self[job];
        let own = job.attempts.iter_mut().filter(|attempt| attempt.connection == connection);
        let mut taken: Vec<Said> = own
            .flat_map(|attempt| {
                let first = attempt.said.partition_point(|said| said.wrote.place < grab);
                attempt.said.split_off(first)
            })
            .collect();
        let is_since = |said: &mut Said| said.connection == connection && said.wrote.place > grab;
        taken.extend(job.strangers.extract_if(.., is_since));
        taken.sort_by_key(|said| said.wrote.place);
        taken.dedup_by(|said, last| said.is_second_end_after(last));
        taken
    }

    /// Whether a report certainly belongs to the attempt that it stands with, if the server has read it by now: a
    /// worker that has not lost the job is not given it again.
    pub(super) fn is_of(&self, attempt: &Attempt, said: &Said) -> bool {
        said.is_settled || !self.may_be_released(attempt)
    }

    fn standing(&self, connection: Connection, asked: &Asked, handle: &Handle) -> Standing {
        let wrote = asked.wrote.place;
        let job = self.by_handle(handle);
        let found = job.and_then(|job| Some((job, self[job].report_at(wrote)?)));
        if let Some((job, (attempt, said))) = found {
            return Standing::Attempt { job, attempt, said };
        }
        let strangers = job.map_or_else(|| self.unmet.get(handle), |job| Some(&self[job].strangers));
        let mut strangers = strangers.into_iter().flatten();
        let is_stranger = strangers
            .any(|said| said.is_settled && said.connection == connection && said.wrote.place == wrote);
        if is_stranger { Standing::Stranger } else { Standing::Unknown }
    }

    /// A report was refused for certain.
    pub(super) fn refused(&mut self, connection: Connection, asked: &Asked, facts: &mut Vec<Fact<'_>>) {
        let Question::Report(report) = &asked.question else { return };
        let (job, attempt, said) = match self.standing(connection, asked, &report.handle) {
            Standing::Attempt { job, attempt, said } => (job, attempt, said),
            Standing::Stranger => return facts.push(Fact::StrangerRefused),
            Standing::Unknown => return,
        };
        let held = &mut self[job].attempts[attempt];
        held.said[said].fate = Fate::Refused;
        let finished_before = held.said[..said].iter().any(|said| said.report.is_terminal());
        if !held.said[said].is_settled || finished_before {
            return;
        }
        if self.may_be_released(&self[job].attempts[attempt]) {
            let cause = self.cause_of(&self[job].attempts[attempt]);
            self.release(job, attempt, cause);
        }
        facts.push(Fact::Refused { job, attempt, said });
    }

    /// A report was not refused.
    pub(super) fn accepted(&mut self, connection: Connection, asked: &Asked, facts: &mut Vec<Fact<'_>>) {
        let Question::Report(report) = &asked.question else { return };
        let (job, attempt, said) = match self.standing(connection, asked, &report.handle) {
            Standing::Attempt { job, attempt, said } => (job, attempt, said),
            Standing::Stranger => {
                return facts.push(Fact::StrangerAccepted { connection, handle: report.handle.clone() });
            }
            Standing::Unknown => return,
        };
        let now = self.now.place;
        let held = &mut self[job].attempts[attempt];
        held.said[said].fate = Fate::Accepted(now);
        if !held.said[said].is_settled {
            return;
        }
        let is_end = held.said[said].report.is_terminal();
        let in_time = !held.is_late(&held.said[said]);
        facts.push(Fact::Accepted { job, attempt, said });
        if is_end && let Some(link) = self.link_mut(connection) {
            link.holds.retain(|&(held, _)| held != job);
        }
        if is_end && in_time && !self[job].is_murky {
            self.is_over(job);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{broken, broken_on, with_store};

    #[test]
    fn an_answer_that_brings_the_job_again_settles_what_was_said_meanwhile() {
        let ended = "c> submit mail bg
            c< created H:1
            w> can_do mail 100
            w> grab
            w< assign H:1 mail
            w> grab
            w> complete H:1 done
            +100
            w< assign H:1 mail
            w> echo x
            w< echo x
            v> can_do mail
            v> grab";
        assert_eq!(broken(&format!("{ended}\n v< no_job")), [""; 0]);
        assert_eq!(broken(&format!("{ended}\n v< assign H:1 mail")), ["run-once"]);
    }

    #[test]
    fn any_other_answer_leaves_it_with_the_attempt_before() {
        let open = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> cant_do mail
            w> can_do mail
            w> grab
            w> data H:1 late";
        assert_eq!(broken(&format!("{open}\n c< data H:1 late")), [""; 0]);
        assert_eq!(broken(&format!("{open}\n w< no_job\n c< data H:1 late")), ["late-result"]);
    }

    #[test]
    fn a_grab_settles_what_was_said_before_the_next() {
        let said = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> cant_do mail
            w> can_do mail
            w> grab
            w> data H:1 early
            w> grab
            w> data H:1 late
            w< no_job
            w< no_such_data";
        assert_eq!(broken(&format!("{said}\n c< data H:1 early")), ["late-result"]);
        assert_eq!(broken(&format!("{said}\n c< data H:1 late")), [""; 0]);
        assert_eq!(broken(&format!("{said}\n w< assign H:1 mail\n c< data H:1 late")), [""; 0]);
    }

    #[test]
    fn who_was_not_given_the_job_after_all_is_a_stranger() {
        let held = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            m> can_do mail
            m> grab
            m> data H:1 guess";
        assert_eq!(broken(&format!("{held}\n c< data H:1 guess")), [""; 0]);
        assert_eq!(broken(&format!("{held}\n m< no_job\n c< data H:1 guess")), ["right-owner"]);
    }

    #[test]
    fn a_second_end_after_an_exception_is_passed_by_whether_it_was_settled_late_or_not() {
        let ended = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> exception H:1 oops
            w> complete H:1 done";
        let proved = "w> echo x\n w< echo x";
        assert_eq!(broken(&format!("{ended}\n {proved}")), [""; 0]);
        let asking = ended.replace("w> complete", "w> grab\n w> complete");
        assert_eq!(broken(&format!("{asking}\n w< no_job\n {proved}")), [""; 0]);
    }

    #[test]
    fn words_after_a_second_end_do_not_make_it_a_strangers() {
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> exception H:1 oops
            w> grab
            w> complete H:1 done
            w> data H:1 more
            w< no_job
            w> echo x
            w< no_such_data
            w< echo x";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn a_second_end_that_comes_along_with_an_attempt_is_none_of_its_reports() {
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w> exception H:1 oops
            w> cant_do mail
            w> complete H:1 done
            w< assign H:1 mail
            w> echo x
            w< echo x";
        assert_eq!(broken(script), [""; 0]);
    }

    /// A worker that has lost the job, another that has lost it after that, and the first, which asks again.
    const BACK_AND_FORTH: &str = "c> submit mail bg w=one
        c< created H:1
        w> can_do mail
        v> can_do mail
        w> grab
        w< assign H:1 mail w=one
        w> cant_do mail
        w> can_do mail
        v> grab
        v< assign H:1 mail w=one";

    #[test]
    fn an_end_that_is_not_settled_may_be_the_end_whoever_held_the_job_last() {
        let ended = format!("{BACK_AND_FORTH}\n v> cant_do mail\n w> grab\n w> complete H:1 done");
        let restarted = "server down\n server up\n z> can_do mail\n z> grab\n z< no_job";
        assert_eq!(broken_on(with_store(), &format!("{ended}\n {restarted}")), [""; 0]);
        let gone = "w closes\n w ended\n v> echo x\n v< echo x\n z> can_do mail\n z> grab\n z< no_job";
        assert_eq!(broken(&format!("{ended}\n {gone}")), [""; 0]);
        let silent = ended.replace("w> complete H:1 done", "w> data H:1 done");
        assert_eq!(broken_on(with_store(), &format!("{silent}\n {restarted}")), ["kept-jobs-run"]);
    }

    #[test]
    fn what_was_heard_before_it_was_settled_was_not_missed() {
        let watched = BACK_AND_FORTH.replace("submit mail bg", "submit mail");
        let heard = format!(
            "{watched}
            v> data H:1 vee
            c< data H:1 vee
            v> cant_do mail
            w> grab
            w> data H:1 one
            c< data H:1 one
            w< assign H:1 mail w=one
            w> data H:1 two
            c< data H:1 two"
        );
        assert_eq!(broken(&heard), [""; 0]);
    }

    #[test]
    fn what_a_worker_says_in_vain_may_be_said_again_by_one_that_is_not_known_to_hold_the_job() {
        let script = |word: &str, refusal: &str| {
            format!(
                "c> submit mail
                c< created H:1
                w> can_do mail
                w> grab
                w< assign H:1 mail
                w> cant_do mail
                w> {word}
                w< {refusal}
                m> can_do mail
                m> grab
                m> {word}
                c< {word}
                m< assign H:1 mail"
            )
        };
        assert_eq!(broken(&script("fail H:1", "not_yours")), [""; 0]);
        assert_eq!(broken(&script("data H:1 same", "no_such_data")), [""; 0]);
    }

    #[test]
    fn what_is_said_of_a_job_that_nobody_has_met_may_be_its_workers() {
        let guessed = "m> can_do mail\n c> submit mail\n m> grab\n m> data H:1 guess";
        let heard = "c< created H:1\n c< data H:1 guess";
        assert_eq!(broken(&format!("{guessed}\n {heard}")), [""; 0]);
        assert_eq!(broken(&format!("{guessed}\n m< assign H:1 mail\n {heard}")), [""; 0]);
        assert_eq!(broken(&format!("{guessed}\n m< no_job\n {heard}")), ["right-owner"]);
    }
}
