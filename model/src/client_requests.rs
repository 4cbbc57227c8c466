//! What clients ask for: jobs, and how they are.

use crate::Model;
use crate::connection::Held;
use crate::job::{Job, State};
use crate::numbers::integer;
use gearman_engine::{ConnectionId, WATCHER_OVERHEAD};
use gearman_protocol::{
    ErrorCode, Handle, JobStatus, Mode, Priority, Response, Submit, UniqueStatus, UnixMillis,
};

impl Model {
    pub(crate) fn submit(&mut self, from: ConnectionId, submit: Submit) {
        if self.is_draining() {
            return self.refuse(from, ErrorCode::ShutdownGraceful, "Server is shutting down");
        }
        if let Some(known) = self.jobs.iter().find(|job| job.answers(&submit)) {
            if submit.mode == Mode::Foreground && self.is_too_much(from, WATCHER_OVERHEAD) {
                return self.refuse(from, ErrorCode::QueueError, "Memory limit reached");
            }
            return self.attach(from, known.number, &submit.mode);
        }
        if self.is_full(&submit) {
            return self.refuse(from, ErrorCode::QueueError, "Job queue is full");
        }
        if self.is_too_much(from, self.cost_of(&submit)) {
            return self.refuse(from, ErrorCode::QueueError, "Memory limit reached");
        }
        self.create(from, submit);
    }

    fn is_full(&self, submit: &Submit) -> bool {
        let Some(function) = self.functions.iter().find(|function| function.name == submit.function) else {
            return false;
        };
        let limit = match submit.priority {
            Priority::High => function.limits.high,
            Priority::Normal => function.limits.normal,
            Priority::Low => function.limits.low,
        };
        let jobs = self.jobs.iter().filter(|job| job.function == submit.function).count();
        limit.is_some_and(|limit| jobs >= limit as usize)
    }

    /// A submit of a key that a live job has already, or one that waits for the store.
    fn attach(&mut self, from: ConnectionId, number: u64, mode: &Mode) {
        let job = self.job(number);
        if *mode == Mode::Foreground {
            job.watchers.push(from);
            if job.is_live() {
                return self.answer_created(from, number);
            }
        } else if job.background && !job.unconfirmed {
            return self.answer_created(from, number);
        } else if !job.background {
            job.background = true;
            return self.promise(from, number);
        }
        self.wait_for_record(from, number);
    }

    fn create(&mut self, from: ConnectionId, submit: Submit) {
        self.function(&submit.function);
        let not_before = match &submit.mode {
            Mode::Foreground | Mode::Background => None,
            Mode::Epoch(text) => Some(UnixMillis::from_seconds(integer(text).unwrap_or(0))),
        };
        let background = submit.mode != Mode::Foreground;
        let number = self.add_job(submit, background, not_before);
        if background {
            return self.promise(from, number);
        }
        self.job(number).watchers.push(from);
        self.begin(number);
        self.answer_created(from, number);
    }

    /// A new job that is not yet in any queue.
    pub(crate) fn add_job(
        &mut self,
        submit: Submit,
        background: bool,
        not_before: Option<UnixMillis>,
    ) -> u64 {
        self.jobs_made += 1;
        let (number, place) = (self.jobs_made, self.place());
        self.jobs.push(Job {
            number,
            handle: Handle::new(format!("{}:{number}", self.config.handle_prefix)),
            function: submit.function,
            unique: submit.unique,
            priority: submit.priority,
            reducer: submit.reducer.unwrap_or_default(),
            workload: submit.workload,
            background,
            watchers: Vec::new(),
            attempts: 0,
            status: (0, 0),
            state: State::Reserved { not_before, place },
            record: None,
            unconfirmed: false,
        });
        number
    }

    /// Puts a job at the back of its queue.
    pub(crate) fn queue(&mut self, number: u64) {
        let place = self.place();
        self.job(number).state = State::Waiting { place };
    }

    /// Puts a job that comes back into its queue: at the back, unless the lot has it at the front.
    pub(crate) fn queue_again(&mut self, number: u64) {
        if self.lot(2) == 1 {
            self.job(number).state = State::Waiting { place: 0 };
        } else {
            self.queue(number);
        }
    }

    pub(crate) fn answer_created(&mut self, to: ConnectionId, number: u64) {
        let handle = self.job(number).handle.clone();
        self.send(to, Response::JobCreated { handle });
    }

    pub(crate) fn wait_for_record(&mut self, from: ConnectionId, number: u64) {
        let record = self.job(number).record.expect("a job that waits for the store has a record");
        if let Some(connection) = self.connection(from) {
            connection.held.push_back(Held::Answer(record));
        }
    }

    pub(crate) fn get_status(&mut self, from: ConnectionId, handle: Handle) {
        let job = self.jobs.iter().find(|job| job.is_live() && job.handle == handle);
        let (numerator, denominator) = job.map_or((0, 0), |job| job.status);
        let (known, running) = (job.is_some(), job.is_some_and(|job| job.worker().is_some()));
        self.send(from, Response::Status(JobStatus { handle, known, running, numerator, denominator }));
    }

    /// Of several jobs with the unique, the newest is meant.
    pub(crate) fn get_status_unique(&mut self, from: ConnectionId, unique: bytes::Bytes) {
        let named = !matches!(&unique[..], b"" | b"-");
        let mut jobs = self.jobs.iter().rev();
        let job = jobs.find(|job| named && job.is_live() && job.unique.as_bytes() == unique);
        let (numerator, denominator) = job.map_or((0, 0), |job| job.status);
        let (known, running) = (job.is_some(), job.is_some_and(|job| job.worker().is_some()));
        let watchers = job.map_or(0, |job| job.watchers.len());
        let watchers = u32::try_from(watchers).unwrap_or(u32::MAX);
        let status = UniqueStatus { unique, known, running, numerator, denominator, watchers };
        self.send(from, Response::StatusUnique(status));
    }
}
