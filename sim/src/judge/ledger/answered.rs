//! Answers as they are read: which request each answers, and what it proves.

use super::asked::Decline;
use super::links::Due;
use super::reports::RefusalText;
use super::{Asked, Cause, Function, JobId, Ledger, Moment, Question, functions_of};
use crate::history::Connection;
use crate::judge::facts::Fact;
use gearman_protocol::{AdminReply, AdminRequest, Response};

impl Ledger {
    pub(super) fn read<'a>(
        &mut self,
        connection: Connection,
        response: &'a Response,
        facts: &mut Vec<Fact<'a>>,
    ) {
        let Some(link) = self.link_mut(connection) else { return };
        match response {
            Response::Noop => {
                link.sleep.is_woken = true;
                link.sleep.noops += 1;
                facts.push(Fact::Nooped { connection });
            }
            Response::Work { handle, report } => self.heard(connection, handle, report, facts),
            Response::JobCreated { .. }
            | Response::NoJob
            | Response::JobAssign(_)
            | Response::Status(_)
            | Response::StatusUnique(_)
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Error { .. }
            | Response::Admin(_) => {
                if !link.is_confused {
                    self.answered(connection, response, facts);
                }
            }
        }
    }

    /// An answer has come: for the first request that must have one, or an ERROR for a report before it.
    fn answered<'a>(&mut self, connection: Connection, response: &'a Response, facts: &mut Vec<Fact<'a>>) {
        if let Response::Error { code, text } = response
            && code[..] == *b"JOB_NOT_FOUND"
            && self.refused_report(connection, RefusalText::read(text), facts)
        {
            return;
        }
        let fails = self.terms.store.is_some_and(|store| store.fails);
        let drains = self.told_to_end.is_some();
        let is_declined = |asked: &Asked| match asked.question.declined_by(response) {
            Some(Decline::NotKept) => fails,
            Some(Decline::Full) => true,
            Some(Decline::Draining) => drains,
            None => false,
        };
        loop {
            let Some(link) = self.link_mut(connection) else { return };
            let Some(front) = link.asked.front() else {
                return self.out_of_turn(connection, None, response, facts);
            };
            if front.question.is_answered_by(response) || is_declined(front) {
                return self.take_answer(connection, response, facts);
            }
            if front.question.must_be_answered() {
                let expected = Some(front.clone());
                return self.out_of_turn(connection, expected, response, facts);
            }
            if let Some(done) = link.asked.pop_front() {
                self.done(connection, &done, facts);
            }
        }
    }

    fn out_of_turn<'a>(
        &mut self,
        connection: Connection,
        expected: Option<Asked>,
        response: &'a Response,
        facts: &mut Vec<Fact<'a>>,
    ) {
        if let Some(link) = self.link_mut(connection) {
            link.is_confused = true;
            // From now on it may be given any job without the ledger's knowing.
            if link.server_over.is_none() {
                self.detours.iter_mut().for_each(|detour| detour.open += 1);
            }
        }
        self.is_blind = true;
        facts.push(Fact::OutOfTurn { connection, expected, response });
    }

    /// An ERROR that says that there is no such job: it refuses one of the reports that stand before the next
    /// request that must be answered. Whether there was one at all.
    fn refused_report(
        &mut self,
        connection: Connection,
        text: Option<RefusalText>,
        facts: &mut Vec<Fact<'_>>,
    ) -> bool {
        let Some(link) = self.link_mut(connection) else { return false };
        let fits = |asked: &Asked| matches!(&asked.question, Question::Report(report) if text.is_none_or(|text| text == report.text));
        let before = link.asked.iter().position(|asked| asked.question.must_be_answered());
        let before = before.unwrap_or(link.asked.len());
        let candidates = link.asked.iter().take(before).filter(|asked| fits(asked)).count();
        match candidates + link.loose_errors {
            0 => return false,
            1 if candidates == 1 => {
                while let Some(asked) = self.link_mut(connection).and_then(|link| link.asked.pop_front()) {
                    if fits(&asked) {
                        self.refused(connection, &asked, facts);
                        break;
                    }
                    self.done(connection, &asked, facts);
                }
            }
            all => {
                // Any of them: nothing is known of one alone, and as many may still be refused.
                link.loose_errors = all - 1;
                let mut index = 0;
                link.asked.retain(|asked| {
                    index += 1;
                    index > before || !fits(asked)
                });
            }
        }
        true
    }

    /// A request that gets no answer is done, because a later one has been answered.
    fn done(&mut self, connection: Connection, asked: &Asked, facts: &mut Vec<Fact<'_>>) {
        match &asked.question {
            Question::GiveUp { function } => self.given_up(connection, asked.wrote, *function),
            Question::Report(_) => self.accepted(connection, asked, facts),
            Question::Nothing
            | Question::Submit(_)
            | Question::Grab { .. }
            | Question::Status(_)
            | Question::StatusUnique(_)
            | Question::Echo(_)
            | Question::Option(_)
            | Question::Line(_)
            | Question::Table
            | Question::Malformed(_) => {}
        }
    }

    fn given_up(&mut self, connection: Connection, wrote: Moment, function: Option<Function>) {
        let Some(link) = self.link_mut(connection) else { return };
        let holds = std::mem::take(&mut link.holds);
        let (lost, kept): (Vec<_>, Vec<_>) = holds.into_iter().partition(|&(job, grab)| {
            function.is_none_or(|function| function == self[job].function) && grab < wrote.place
        });
        for (job, grab) in lost {
            self.release_of(job, grab, Cause::Lost);
        }
        if let Some(link) = self.link_mut(connection) {
            link.holds = kept;
        }
    }

    /// The job has ended, for certain: whoever watches it and has not heard so must hear it.
    pub(super) fn is_over(&mut self, job: JobId) {
        let place = self.now.place;
        if self[job].over.is_some() {
            return;
        }
        self[job].over = Some(place);
        self[job].over_at = self.now.at;
        self.must_hear(job, false);
    }

    /// From here on every watcher must have been told of the job's end.
    pub(super) fn must_hear(&mut self, job: JobId, dropped: bool) {
        let since = self.now.place;
        let watchers: Vec<Connection> = self[job].watches.iter().map(|watch| watch.connection).collect();
        for connection in watchers {
            if let Some(link) = self.link_mut(connection) {
                link.dues.push(Due { job, since, dropped });
            }
        }
    }

    /// The answer is the one that the first request wants.
    fn take_answer<'a>(&mut self, connection: Connection, response: &'a Response, facts: &mut Vec<Fact<'a>>) {
        let now = self.now;
        let Some(link) = self.link_mut(connection) else { return };
        if let (Some(Question::Table), Response::Admin(AdminReply::Line(line))) =
            (link.asked.front().map(|asked| &asked.question), response)
            && line[..] != *b"."
        {
            link.in_table = true;
            return;
        }
        link.in_table = false;
        link.loose_errors = 0;
        let Some(asked) = link.asked.pop_front() else { return };
        let slept_on = asked.asleep.filter(|_| {
            !link.sleep.is_woken && link.sleep.since.is_some_and(|since| since < asked.wrote.place)
        });
        let dues = std::mem::take(&mut link.dues);
        if !dues.is_empty() {
            self.settle_dues(connection, &asked, dues, facts);
        }
        facts.push(Fact::Answered { connection, asked: asked.clone(), response });
        if let Some(able) = slept_on {
            facts.push(Fact::SleptOn { asked: asked.wrote, able });
        }
        match (&asked.question, response) {
            (Question::Submit(submit), Response::JobCreated { handle }) => {
                self.created(connection, *submit, handle, facts);
            }
            (question @ Question::Submit(submit), Response::Error { .. }) => {
                let why = question.declined_by(response).unwrap_or(Decline::NotKept);
                self.declined(*submit, why);
                facts.push(Fact::Declined);
                match why {
                    Decline::NotKept => {}
                    Decline::Full => facts.push(Fact::Full { submit: *submit }),
                    Decline::Draining => facts.push(Fact::TooLate { submit: *submit }),
                }
            }
            (Question::Grab { able, .. }, response) => {
                self.retire_asker(connection);
                if let Response::JobAssign(assignment) = response {
                    self.assigned(connection, asked.wrote, *able, assignment, facts);
                } else {
                    for function in functions_of(*able) {
                        self.empties[usize::from(function)].push(asked.wrote, now.place);
                    }
                }
                self.settle(connection);
            }
            (Question::Option(name), Response::Option { .. }) if name.eq_ignore_ascii_case(b"exceptions") => {
                if let Some(link) = self.link_mut(connection) {
                    link.exceptions_sure.get_or_insert(now.place);
                }
            }
            (Question::Line(AdminRequest::MaxQueue { .. }), Response::Admin(_)) => {
                self.limit_set(asked.wrote.place);
            }
            (Question::Line(AdminRequest::CancelJob(handle)), Response::Admin(AdminReply::Line(line))) => {
                // Whatever the answer is, the job is not live any more.
                if let Some(job) = self.by_handle(handle).filter(|&job| self[job].seen < asked.wrote.place) {
                    self[job].is_cancelled |= line[..] == *b"OK";
                    self.is_over(job);
                }
            }
            _ => {}
        }
    }

    fn retire_asker(&mut self, connection: Connection) {
        if !self.is_asking(connection) {
            self.askers.retain(|&asker| asker != connection);
        }
    }

    /// What was to be told before this answer was told, or never will be.
    fn settle_dues(
        &mut self,
        connection: Connection,
        asked: &Asked,
        dues: Vec<Due>,
        facts: &mut Vec<Fact<'_>>,
    ) {
        for due in dues {
            let job = &self[due.job];
            let watch = job.watches.iter().find(|watch| watch.connection == connection);
            let owed = watch.is_some_and(|watch| watch.ends < watch.attached_before(asked.wrote.place));
            if job.is_murky || !owed {
                continue;
            }
            if due.since < asked.wrote.place {
                facts.push(Fact::EndMissing { connection, job: due.job, dropped: due.dropped });
            } else if let Some(link) = self.link_mut(connection) {
                link.dues.push(due);
            }
        }
    }
}
