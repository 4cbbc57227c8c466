//! Requests and their answers: which answers which, and what an answer proves.

use super::jobs::{Handed, Key, Said};
use super::links::{Due, Limit};
use super::{
    Attempt, Cause, Fate, Function, Functions, JobId, Ledger, Moment, SubmitId, Submitted, Watch,
    functions_of,
};
use crate::history::Connection;
use crate::judge::facts::Fact;
use bytes::Bytes;
use gearman_protocol::{
    AdminReply, AdminRequest, Assignment, DecodeError, FunctionName, Grab, Handle, JobTimeout, Mode, Report,
    Request, Response, Submit,
};
use std::time::Duration;

/// A request that was written.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) wrote: Moment,
    pub(crate) question: Question,
    /// If it was written in sleep, what the sleeper can do.
    pub(super) asleep: Option<Functions>,
}

/// What a request wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// Nothing: no answer comes.
    Nothing,
    /// Nothing, and it may lose the jobs of this function, or of all.
    GiveUp { function: Option<Function> },
    /// JOB_CREATED.
    Submit(SubmitId),
    /// A job of one of these functions.
    Grab { able: Functions, form: Grab },
    /// Nothing, unless it is refused.
    Report(ReportAsked),
    /// STATUS_RES.
    Status(Handle),
    /// STATUS_RES_UNIQUE.
    StatusUnique(Bytes),
    /// ECHO_RES with these bytes.
    Echo(Bytes),
    /// OPTION_RES, if the option is known.
    Option(Bytes),
    /// A line of text, to this command.
    Line(AdminRequest),
    /// A table of text.
    Table,
    /// ERROR with the code of this.
    Malformed(DecodeError),
}

/// A report, and where it stands in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct ReportAsked {
    pub(crate) handle: Handle,
    place: ReportPlace,
    text: RefusalText,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReportPlace {
    /// Of somebody to whom the job was assigned.
    Held { job: JobId, attempt: usize, said: usize },
    /// Of somebody to whom it was not.
    Stranger,
    /// Of somebody who may have been given the job and does not know it yet.
    Unclear,
    /// What a worker says after an exception, for which no answer means nothing.
    Swallowed,
}

/// A refused report is answered in one of three texts, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RefusalText {
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

    fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"Job does not exist on server" => Some(Self::Data),
            b"Job given in work result not found" => Some(Self::Result),
            b"An exception was received for a job that does not exist" => Some(Self::Exception),
            _ => None,
        }
    }
}

impl Question {
    /// Whether an answer must come before any later request's.
    const fn must_be_answered(&self) -> bool {
        !matches!(self, Self::Nothing | Self::GiveUp { .. } | Self::Report(_))
    }

    /// Whether this says that the store could not keep what is asked for.
    fn is_declined_by(&self, response: &Response) -> bool {
        let is_queue_error = matches!(response, Response::Error { code, .. } if code[..] == *b"QUEUE_ERROR");
        is_queue_error && matches!(self, Self::Submit(_))
    }

    /// Whether this is the kind of answer that it wants.
    fn is_answered_by(&self, response: &Response) -> bool {
        let error = |wanted: &[u8]| matches!(response, Response::Error { code, .. } if code[..] == *wanted);
        match self {
            Self::Nothing | Self::GiveUp { .. } | Self::Report(_) => false,
            Self::Submit(_) => matches!(response, Response::JobCreated { .. }),
            Self::Grab { .. } => matches!(response, Response::NoJob | Response::JobAssign(_)),
            Self::Status(_) => matches!(response, Response::Status(_)),
            Self::StatusUnique(_) => matches!(response, Response::StatusUnique(_)),
            Self::Echo(_) => matches!(response, Response::Echo { .. }),
            Self::Option(name) if name.eq_ignore_ascii_case(b"exceptions") => {
                matches!(response, Response::Option { .. })
            }
            Self::Option(_) => error(b"UNKNOWN_OPTION"),
            Self::Line(_) | Self::Table => matches!(response, Response::Admin(_)),
            Self::Malformed(wrong) => error(wrong.as_refusal().0.as_str().as_bytes()),
        }
    }
}

impl Ledger {
    pub(super) fn wrote(&mut self, connection: Connection, request: &Request) {
        if self.link(connection).is_none() {
            return;
        }
        let question = match request {
            Request::CanDo { function, timeout } => self.can_do(connection, function, timeout.as_ref()),
            Request::CantDo { function } => self.cant_do(connection, Some(function)),
            Request::ResetAbilities => self.cant_do(connection, None),
            Request::PreSleep => self.pre_sleep(connection),
            Request::AllYours | Request::SetClientId { .. } => Question::Nothing,
            Request::Submit(submit) => self.submitted(connection, submit),
            Request::Grab(form) => self.grab(connection, *form),
            Request::Work { handle, report } => self.said(connection, handle, report),
            Request::GetStatus { handle } => Question::Status(handle.clone()),
            Request::GetStatusUnique { unique } => Question::StatusUnique(unique.clone()),
            Request::Echo { data } => Question::Echo(data.clone()),
            Request::Option { name } => self.option(connection, name),
            Request::Admin(command) => self.command(command),
        };
        let now = self.now;
        let Some(link) = self.link_mut(connection) else { return };
        link.ask(now, question);
    }

    pub(super) fn wrote_malformed(&mut self, connection: Connection, error: DecodeError) {
        let now = self.now;
        let Some(link) = self.link_mut(connection) else { return };
        link.is_garbled |= error.is_fatal();
        link.ask(now, Question::Malformed(error));
    }

    fn can_do(
        &mut self,
        connection: Connection,
        name: &FunctionName,
        timeout: Option<&JobTimeout>,
    ) -> Question {
        let function = self.function(name);
        let limit = timeout.map_or(Limit::None, |timeout| self.terms_limit(timeout));
        let place = self.now.place;
        if let Some(link) = self.link_mut(connection) {
            link.abilities.add(function, limit, place);
        }
        Question::Nothing
    }

    /// The limit that this text sets; only plain numbers are judged.
    fn terms_limit(&self, JobTimeout(text): &JobTimeout) -> Limit {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        match number {
            Some(0) => Limit::None,
            Some(millis) if self.terms.keeps_limits => {
                Limit::After(Duration::from_millis(millis).max(self.terms.min_job_timeout))
            }
            Some(_) | None => Limit::Unclear,
        }
    }

    /// A worker gives up one function, or all.
    fn cant_do(&mut self, connection: Connection, name: Option<&FunctionName>) -> Question {
        let function = name.map(|name| self.function(name));
        let place = self.now.place;
        let Some(link) = self.link_mut(connection) else { return Question::Nothing };
        match function {
            Some(function) => link.abilities.remove(function),
            None => link.abilities.clear(),
        }
        for (job, attempt) in link.holds.clone() {
            let job = &mut self[job];
            if function.is_none_or(|function| function == job.function) {
                job.attempts[attempt].given_up.get_or_insert(place);
            }
        }
        Question::GiveUp { function }
    }

    fn pre_sleep(&mut self, connection: Connection) -> Question {
        let place = self.now.place;
        if let Some(link) = self.link_mut(connection) {
            link.sleep.since = Some(place);
            link.sleep.is_woken = false;
            link.sleep.sleeps += 1;
        }
        Question::Nothing
    }

    fn grab(&mut self, connection: Connection, form: Grab) -> Question {
        if !self.askers.contains(&connection) {
            self.askers.push(connection);
        }
        let Some(link) = self.link_mut(connection) else { return Question::Nothing };
        link.sleep.since = None;
        Question::Grab { able: link.abilities.mask, form }
    }

    fn option(&mut self, connection: Connection, name: &Bytes) -> Question {
        let place = self.now.place;
        if name.eq_ignore_ascii_case(b"exceptions")
            && let Some(link) = self.link_mut(connection)
        {
            link.exceptions_asked.get_or_insert(place);
        }
        Question::Option(name.clone())
    }

    fn command(&mut self, command: &AdminRequest) -> Question {
        if let AdminRequest::CancelJob(handle) = command {
            self.cancelled.insert(handle.clone(), ());
            self.has_stray_cancels |= self.by_handle(handle).is_none();
            // What has ended is not cancelled any more.
            if let Some(job) = self.by_handle(handle).filter(|&job| self[job].over.is_none()) {
                self[job].cancelling = true;
            }
        }
        match command {
            AdminRequest::Status
            | AdminRequest::PriorityStatus
            | AdminRequest::Workers
            | AdminRequest::ShowJobs
            | AdminRequest::ShowUniqueJobs => Question::Table,
            AdminRequest::CancelJob(_)
            | AdminRequest::CreateFunction(_)
            | AdminRequest::DropFunction(_)
            | AdminRequest::MaxQueue { .. }
            | AdminRequest::Version
            | AdminRequest::GetPid
            | AdminRequest::Verbose
            | AdminRequest::Shutdown { .. }
            | AdminRequest::Malformed(_) => Question::Line(command.clone()),
        }
    }

    fn submitted(&mut self, connection: Connection, submit: &Submit) -> Question {
        let function = self.function(&submit.function);
        let is_dash = submit.unique.as_bytes() == b"-";
        let shares = !(submit.unique.is_empty() || is_dash && submit.workload.is_empty());
        let key = shares.then(|| {
            let workload = if is_dash { submit.workload.clone() } else { Bytes::new() };
            self.key(Key { function, unique: submit.unique.clone(), workload })
        });
        let id = self.submits.len();
        self.offered(submit);
        self.submits.push(Submitted {
            connection,
            wrote: self.now,
            function,
            name: submit.function.clone(),
            key,
            unique: submit.unique.clone(),
            priority: submit.priority,
            is_background: submit.mode != Mode::Foreground,
            reducer: submit.reducer.clone().unwrap_or_default(),
            workload: submit.workload.clone(),
            is_lost: false,
        });
        if let Some(key) = key {
            self.keys[key].open.push(id);
        }
        Question::Submit(id)
    }

    fn key(&mut self, key: Key) -> super::KeyId {
        let next = self.keys.len();
        let id = *self.key_numbers.entry(key).or_insert(next);
        if id == next {
            self.keys.push(super::KeyState::default());
        }
        id
    }

    /// A report was written.
    fn said(&mut self, connection: Connection, handle: &Handle, report: &Report) -> Question {
        let place = self.place_of_report(connection, handle, report);
        Question::Report(ReportAsked { handle: handle.clone(), place, text: RefusalText::of(report) })
    }

    fn place_of_report(&mut self, connection: Connection, handle: &Handle, report: &Report) -> ReportPlace {
        if self.is_swallowed(connection, handle, report) {
            return ReportPlace::Swallowed;
        }
        let is_asking = self.is_asking(connection);
        let is_confused = self.link(connection).is_none_or(|link| link.is_confused);
        let Some(job) = self.by_handle(handle) else {
            if is_asking || is_confused {
                self.unclear.insert(handle.clone(), ());
                return ReportPlace::Unclear;
            }
            return ReportPlace::Stranger;
        };
        let own = self[job].attempts.iter().rposition(|attempt| attempt.connection == connection);
        let may_be_lost = own.is_none_or(|own| self.may_be_released(&self[job].attempts[own]));
        // Who asks for a job may have been given this one, again perhaps, and not know it yet.
        let is_clear = !(is_confused || is_asking && may_be_lost);
        let is_late = own.is_some_and(|own| self[job].attempts[own].given_up.is_some());
        let (wrote, report) = (self.now, report.clone());
        let said = Said { connection, wrote, report, fate: Fate::Open, is_heard: false, is_clear, is_late };
        match own {
            Some(attempt) => {
                let all = &mut self[job].attempts[attempt].said;
                all.push(said);
                ReportPlace::Held { job, attempt, said: all.len() - 1 }
            }
            None => {
                self[job].strangers.push(said);
                if is_clear { ReportPlace::Stranger } else { ReportPlace::Unclear }
            }
        }
    }

    fn is_asking(&self, connection: Connection) -> bool {
        self.link(connection).is_some_and(|link| {
            link.asked.iter().any(|asked| matches!(asked.question, Question::Grab { .. }))
        })
    }

    /// Whether it follows an exception of the same worker for the same job.
    fn is_swallowed(&self, connection: Connection, handle: &Handle, report: &Report) -> bool {
        let Some(job) = self.by_handle(handle) else { return false };
        let own = self[job].attempts.iter().rfind(|attempt| attempt.connection == connection);
        let last = own.and_then(|attempt| attempt.said.last());
        let after_exception = last.is_some_and(|said| matches!(said.report, Report::Exception(_)));
        after_exception && matches!(report, Report::Complete(_) | Report::Fail)
    }

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
        let is_declined = |asked: &Asked| fails && asked.question.is_declined_by(response);
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
                        self.refused(&asked, facts);
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

    /// A report was refused for certain.
    fn refused(&mut self, asked: &Asked, facts: &mut Vec<Fact<'_>>) {
        let Question::Report(report) = &asked.question else { return };
        let (job, attempt, said) = match report.place {
            ReportPlace::Held { job, attempt, said } => (job, attempt, said),
            ReportPlace::Stranger => return facts.push(Fact::StrangerRefused),
            ReportPlace::Unclear | ReportPlace::Swallowed => return,
        };
        let held = &mut self[job].attempts[attempt];
        held.said[said].fate = Fate::Refused;
        let is_clear = held.said[said].is_clear;
        let finished_before = held.said[..said].iter().any(|said| said.report.is_terminal());
        if !is_clear || finished_before {
            return;
        }
        if self.may_be_released(&self[job].attempts[attempt]) {
            let cause = self.cause_of(&self[job].attempts[attempt]);
            self.release(job, attempt, cause);
        }
        facts.push(Fact::Refused { job, attempt, said });
    }

    /// A request that gets no answer is done, because a later one has been answered.
    fn done(&mut self, connection: Connection, asked: &Asked, facts: &mut Vec<Fact<'_>>) {
        match &asked.question {
            Question::GiveUp { function } => self.given_up(connection, asked.wrote, *function),
            Question::Report(report) => self.accepted(connection, report, facts),
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
        let (lost, kept): (Vec<_>, Vec<_>) = holds.into_iter().partition(|&(job, attempt)| {
            let job = &self[job];
            let same = function.is_none_or(|function| function == job.function);
            same && job.attempts[attempt].grab.place < wrote.place
        });
        for (job, attempt) in lost {
            self.release(job, attempt, Cause::Lost);
        }
        if let Some(link) = self.link_mut(connection) {
            link.holds = kept;
        }
    }

    /// A report was not refused.
    fn accepted(&mut self, connection: Connection, report: &ReportAsked, facts: &mut Vec<Fact<'_>>) {
        match report.place {
            ReportPlace::Held { job, attempt, said } => {
                let held = &mut self[job].attempts[attempt];
                held.said[said].fate = Fate::Accepted;
                let is_end = held.said[said].report.is_terminal();
                if !held.said[said].is_clear {
                    return;
                }
                let in_time = !held.is_late(&held.said[said]);
                facts.push(Fact::Accepted { job, attempt, said });
                if is_end && let Some(link) = self.link_mut(connection) {
                    link.holds.retain(|&(held, _)| held != job);
                }
                if is_end && in_time && !self[job].is_murky {
                    self.is_over(job);
                }
            }
            ReportPlace::Stranger => {
                facts.push(Fact::StrangerAccepted { connection, handle: report.handle.clone() });
            }
            ReportPlace::Unclear | ReportPlace::Swallowed => {}
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
            (Question::Submit(submit), Response::Error { .. }) => {
                self.declined(*submit);
                facts.push(Fact::Declined);
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
            }
            (Question::Option(name), Response::Option { .. }) if name.eq_ignore_ascii_case(b"exceptions") => {
                if let Some(link) = self.link_mut(connection) {
                    link.exceptions_sure.get_or_insert(now.place);
                }
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

    /// A submit was answered.
    fn created(&mut self, connection: Connection, id: SubmitId, handle: &Handle, facts: &mut Vec<Fact<'_>>) {
        let (function, key) = (self.submits[id].function, self.submits[id].key);
        if let Some(key) = key {
            self.keys[key].open.retain(|&open| open != id);
        }
        let before = key.and_then(|key| self.keys[key].job);
        let job = self.by_handle(handle).unwrap_or_else(|| self.add_job(handle, function));
        let is_first = self[job].submits.is_empty();
        if is_first {
            self.introduce(job, id);
        } else if self[job].key != key || key.is_none() {
            facts.push(Fact::Mistaken { submit: id, job });
            self[job].is_mistaken = true;
            self[job].is_murky = true;
            return;
        }
        self[job].submits.push(id);
        self.attach(connection, job, id);
        facts.push(Fact::Created { submit: id, job, before });
        if let Some(key) = key {
            self.keys[key].job = Some(job);
        }
    }

    /// The first answer that names a job: which submits can have made it.
    fn introduce(&mut self, job: JobId, id: SubmitId) {
        let Submitted { key, priority, wrote, function, .. } = self.submits[id];
        let others = self.open_submits(key).iter().map(|&open| &self.submits[open]);
        let earliest = others.clone().map(|other| other.wrote.place).chain([wrote.place]).min().unwrap_or(0);
        let same = others.clone().all(|other| other.priority == priority);
        let alone = others.count() == 0;
        let (is_old, up) = (self.may_be_old(id), self.up);
        let introduced = &mut self[job];
        introduced.key = key;
        introduced.is_murky |= introduced.function != function;
        introduced.earliest = earliest;
        introduced.priority = same.then_some(priority);
        introduced.maker = alone.then_some(id);
        if is_old {
            introduced.is_old = true;
            introduced.earliest = up;
            (introduced.priority, introduced.maker) = (None, None);
        }
    }

    fn attach(&mut self, connection: Connection, job: JobId, id: SubmitId) {
        let place = self.now.place;
        if self.submits[id].is_background {
            self[job].is_background = true;
            return;
        }
        let watches = &mut self[job].watches;
        match watches.iter_mut().find(|watch| watch.connection == connection) {
            Some(watch) => watch.attached.push(place),
            None => {
                watches.push(Watch {
                    connection,
                    attached: vec![place],
                    ends: 0,
                    cursor: None,
                    copies: 0,
                    is_blurred: false,
                });
            }
        }
        // A cancelled job that lives on is another matter.
        let over = self[job].over.filter(|_| !self[job].cancelling);
        if let Some(link) = self.link_mut(connection) {
            link.watches.push(job);
            if let Some(since) = over {
                link.dues.push(Due { job, since, dropped: false });
            }
        }
    }

    /// A job was handed out.
    fn assigned<'a>(
        &mut self,
        connection: Connection,
        grab: Moment,
        able: Functions,
        assignment: &'a Assignment,
        facts: &mut Vec<Fact<'a>>,
    ) {
        let function = self.function(&assignment.function);
        let job = match self.by_handle(&assignment.handle) {
            Some(job) => job,
            None => self.add_job(&assignment.handle, function),
        };
        let Some(link) = self.link(connection) else { return };
        let limit = link.abilities.limit(function, grab.place);
        let given_up = link.gives_up_after(function, grab.place);
        let released = link.server_over.map(|place| (place, Cause::Lost));
        let read = self.now;
        let attempt = Attempt { connection, grab, read, limit, given_up, released, said: Vec::new() };
        let handed = Handed::new(function, assignment);
        // What was said of the job between the grab and its answer may have ended it again.
        self[job].is_murky |= self[job].has_unclear_end(connection, grab.place);
        self[job].handed.get_or_insert_with(|| handed.clone());
        let was_over = !self[job].is_murky && self[job].over.is_some_and(|over| over < grab.place);
        let index = self.add_attempt(job, attempt, facts);
        self[job].is_murky |= was_over;
        if let Some(link) = self.link_mut(connection).filter(|link| link.server_over.is_none()) {
            link.holds.push((job, index));
        }
        facts.push(Fact::Assigned { job, attempt: index, able, handed, was_over });
        if let Some(legacy) = self.inherits(assignment, connection) {
            facts.push(Fact::Inherited { job, legacy });
        }
        if self.is_unpromised(assignment) {
            facts.push(Fact::Unpromised { job });
        }
        if index + 1 == self[job].attempts.len()
            && let Some(wait) = self.wait_ended(job)
        {
            facts.push(Fact::Waited { job, wait });
        }
    }

    /// Puts an attempt where it belongs among the others: after the last one, unless that still holds the job and
    /// this one can have been lost before it was read.
    fn add_attempt(&mut self, job: JobId, attempt: Attempt, facts: &mut Vec<Fact<'_>>) -> usize {
        let count = self[job].attempts.len();
        let Some(before) = self[job].present() else {
            self[job].attempts.push(attempt);
            return 0;
        };
        let was_released = self.may_be_released(before);
        let is_stale = self.may_have_been_lost_before(&attempt, before);
        if was_released {
            // Which of the two came first cannot be told if both can have been lost.
            let cause = self.cause_of(before);
            self[job].is_murky |= is_stale;
            self.release(job, count - 1, cause);
            self[job].attempts.push(attempt);
            return count;
        }
        if is_stale {
            let mut attempt = attempt;
            attempt.released.get_or_insert((before.read.place, Cause::Either));
            self[job].attempts.insert(count - 1, attempt);
            self.shift_holds(job, count - 1);
            return count - 1;
        }
        facts.push(Fact::Clash { job, attempts: [count - 1, count] });
        self[job].is_murky = true;
        self.release(job, count - 1, Cause::Either);
        self[job].attempts.push(attempt);
        count
    }

    /// Whether this attempt, which was read later, can have been over before the other began.
    fn may_have_been_lost_before(&self, attempt: &Attempt, other: &Attempt) -> bool {
        let earlier = attempt.grab.place < other.read.place;
        let expired = match attempt.limit {
            Limit::None => false,
            Limit::After(limit) => other.read.at + self.terms.slack >= attempt.grab.at + limit,
            Limit::Unclear => true,
        };
        let given_up = attempt.given_up.is_some_and(|place| place < other.read.place);
        let over = self.link(attempt.connection).is_none_or(|link| {
            let ends = [link.peer_over, link.server_over];
            link.is_garbled || ends.into_iter().flatten().any(|place| place < other.read.place)
        });
        earlier && (expired || given_up || over)
    }

    fn cause_of(&self, attempt: &Attempt) -> Cause {
        let lost =
            attempt.given_up.is_some() || self.link(attempt.connection).is_none_or(super::Link::may_be_over);
        match (lost, self.may_be_expired(attempt)) {
            (true, true) => Cause::Either,
            (true, false) => Cause::Lost,
            (false, _) => Cause::Expired,
        }
    }

    /// An attempt was put in at this index: those from there on have moved up.
    fn shift_holds(&mut self, job: JobId, index: usize) {
        for link in self.links.iter_mut().flatten() {
            for (held, attempt) in &mut link.holds {
                if *held == job && *attempt >= index {
                    *attempt += 1;
                }
            }
            for asked in &mut link.asked {
                if let Question::Report(ReportAsked {
                    place: ReportPlace::Held { job: held, attempt, .. },
                    ..
                }) = &mut asked.question
                    && *held == job
                    && *attempt >= index
                {
                    *attempt += 1;
                }
            }
        }
        for watch in &mut self[job].watches {
            watch.shift(index);
        }
    }
}
