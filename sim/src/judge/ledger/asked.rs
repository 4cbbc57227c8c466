//! Requests as they are written: what each wants to know, and what it changes before it is answered.

use super::jobs::Key;
use super::links::Limit;
use super::reports::ReportAsked;
use super::{Function, Functions, Ledger, Moment, Start, SubmitId, Submitted};
use crate::history::Connection;
use bytes::Bytes;
use gearman_protocol::{
    AdminRequest, DecodeError, FunctionName, Grab, Handle, JobTimeout, Mode, Request, Response, Submit,
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

/// Why a submit was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decline {
    /// The store could not keep the job.
    NotKept,
    /// There was no room for it.
    Full,
    /// The server is about to end.
    Draining,
}

impl Question {
    /// Whether an answer must come before any later request's.
    pub(super) const fn must_be_answered(&self) -> bool {
        !matches!(self, Self::Nothing | Self::GiveUp { .. } | Self::Report(_))
    }

    /// Why this declines to make the job that is asked for, if it does.
    pub(super) fn declined_by(&self, response: &Response) -> Option<Decline> {
        let Response::Error { code, text } = response else { return None };
        if !matches!(self, Self::Submit(_)) {
            return None;
        }
        match &code[..] {
            b"QUEUE_ERROR" if text[..] == *b"Job queue is full" => Some(Decline::Full),
            b"QUEUE_ERROR" => Some(Decline::NotKept),
            b"SHUTDOWN_GRACEFUL" => Some(Decline::Draining),
            _ => None,
        }
    }

    /// Whether this is the kind of answer that it wants.
    pub(super) fn is_answered_by(&self, response: &Response) -> bool {
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
            link.turns.registers(function, place);
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
        link.turns.gives_up(function, place);
        for (job, grab) in link.holds.clone() {
            let job = &mut self[job];
            if function.is_none_or(|function| function == job.function) {
                let held = job.attempts.iter_mut().filter(|attempt| attempt.grab.place == grab);
                held.for_each(|attempt| _ = attempt.given_up.get_or_insert(place));
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
        if let AdminRequest::MaxQueue { function, limits } = command
            && let Ok(name) = FunctionName::new(function.clone())
        {
            let function = self.function(&name);
            self.limit_asked(function, *limits);
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
        self.knows_epochs |= matches!(submit.mode, Mode::Epoch(_));
        self.submits.push(Submitted {
            connection,
            wrote: self.now,
            function,
            name: submit.function.clone(),
            key,
            unique: submit.unique.clone(),
            priority: submit.priority,
            is_background: submit.mode != Mode::Foreground,
            start: Start::of(&submit.mode),
            reducer: submit.reducer.clone().unwrap_or_default(),
            workload: submit.workload.clone(),
            is_lost: false,
            may_have_a_job: true,
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

    pub(super) fn is_asking(&self, connection: Connection) -> bool {
        self.link(connection).is_some_and(|link| {
            link.asked.iter().any(|asked| matches!(asked.question, Question::Grab { .. }))
        })
    }
}
