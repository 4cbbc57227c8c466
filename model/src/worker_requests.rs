//! What workers say: what they can do, that they want a job, and how it goes.

use crate::Model;
use crate::connection::{Ability, MAX_EXCEPTED, Sleep};
use crate::job::{Job, State};
use crate::numbers::{integer, status_part};
use gearman_engine::{ABILITY_OVERHEAD, Compat, ConnectionId};
use gearman_protocol::{Assignment, ErrorCode, FunctionName, Grab, Handle, JobTimeout, Report, Response};
use std::time::Duration;

impl Model {
    pub(crate) fn can_do(&mut self, from: ConnectionId, function: FunctionName, timeout: Option<JobTimeout>) {
        let is_new = self.connection(from).is_some_and(|connection| !connection.is_able(&function));
        if is_new && self.is_too_much(from, ABILITY_OVERHEAD + self.cost_of_function(&function)) {
            return self.refuse(from, ErrorCode::QueueError, "Memory limit reached");
        }
        self.function(&function);
        let timeout = timeout.and_then(|timeout| self.job_timeout(&timeout));
        let registered = self.place();
        let Some(connection) = self.connection(from) else { return };
        match connection.abilities.iter_mut().find(|ability| ability.function == function) {
            Some(known) => known.timeout = timeout,
            None => connection.abilities.insert(0, Ability { function, timeout, registered }),
        }
    }

    /// Milliseconds; what is no positive number is no timeout.
    fn job_timeout(&self, text: &JobTimeout) -> Option<Duration> {
        let millis = u64::try_from(integer(&text.0)?).ok().filter(|&millis| millis > 0)?;
        Some(Duration::from_millis(millis).max(self.config.min_job_timeout))
    }

    pub(crate) fn cant_do(&mut self, from: ConnectionId, function: &FunctionName) {
        if let Some(connection) = self.connection(from) {
            connection.abilities.retain(|ability| ability.function != *function);
        }
        self.lose_jobs(from, |job| job.function == *function);
    }

    pub(crate) fn reset_abilities(&mut self, from: ConnectionId) {
        if let Some(connection) = self.connection(from) {
            connection.abilities.clear();
        }
        self.lose_jobs(from, |_| true);
    }

    pub(crate) fn grab(&mut self, from: ConnectionId, form: Grab) {
        let compat = self.config.compat;
        let Some(connection) = self.connection(from) else { return };
        connection.sleep = Sleep::Awake;
        let abilities = connection.abilities.clone();
        let Some((number, turn)) = self.choose(&abilities) else {
            return self.send(from, Response::NoJob);
        };
        if compat != (Compat::Version1_1 { round_robin: false })
            && let Some(connection) = self.connection(from)
        {
            let served = connection.abilities.remove(turn);
            connection.abilities.push(served);
        }
        self.assign(from, number, form, abilities[turn].timeout);
    }

    /// The job that comes first for a worker with these abilities, and which of them it is for.
    fn choose(&self, abilities: &[Ability]) -> Option<(u64, usize)> {
        let candidates = self.jobs.iter().filter_map(|job| {
            let State::Waiting { place } = job.state else { return None };
            let turn = abilities.iter().position(|ability| ability.function == job.function)?;
            let order = match self.config.compat {
                Compat::Version2 => (job.priority as usize, turn, place),
                Compat::Version1_1 { .. } => (turn, job.priority as usize, place),
            };
            Some((order, job.number, turn))
        });
        candidates.min().map(|(_, number, turn)| (number, turn))
    }

    fn assign(&mut self, worker: ConnectionId, number: u64, form: Grab, timeout: Option<Duration>) {
        let (place, until) = (self.place(), timeout.map(|timeout| self.now + timeout));
        let job = self.job(number);
        job.state = State::Assigned { worker, place, until };
        let assignment = Assignment {
            handle: job.handle.clone(),
            function: job.function.clone(),
            unique: job.unique.clone(),
            reducer: job.reducer.clone(),
            workload: job.workload.clone(),
            form: if form == Grab::All && job.reducer.is_empty() { Grab::Uniq } else { form },
        };
        self.send(worker, Response::JobAssign(assignment));
    }

    pub(crate) fn work(&mut self, from: ConnectionId, handle: Handle, report: Report) {
        let Some(connection) = self.connection(from) else { return };
        let excepted = connection.excepted.iter().position(|excepted| *excepted == handle);
        let follows_exception = excepted.and_then(|index| connection.excepted.remove(index)).is_some();
        if follows_exception && matches!(report, Report::Complete(_) | Report::Fail) {
            return;
        }
        let mut jobs = self.jobs.iter_mut();
        let Some(job) = jobs.find(|job| job.handle == handle && job.worker() == Some(from)) else {
            return self.refuse(from, ErrorCode::JobNotFound, not_found(&report));
        };
        if let Report::Status { numerator, denominator } = &report {
            job.status = (status_part(numerator), status_part(denominator));
        }
        let number = job.number;
        self.tell_watchers(number, &report);
        if report.is_terminal() {
            self.end(number);
        }
        if let (Report::Exception(_), Some(connection)) = (report, self.connection(from)) {
            connection.excepted.push_back(handle);
            let forgotten = connection.excepted.len().saturating_sub(MAX_EXCEPTED);
            connection.excepted.drain(..forgotten);
        }
    }

    fn tell_watchers(&mut self, number: u64, report: &Report) {
        let Job { handle, watchers, .. } = self.job(number);
        let (handle, watchers) = (handle.clone(), watchers.clone());
        for watcher in watchers {
            let hears_all = self.connection(watcher).is_some_and(|connection| connection.exceptions);
            let withheld = matches!(report, Report::Exception(_)) && !hears_all;
            let report = if withheld { Report::Fail } else { report.clone() };
            self.send(watcher, Response::Work { handle: handle.clone(), report });
        }
    }
}

const fn not_found(report: &Report) -> &'static str {
    match report {
        Report::Data(_) | Report::Warning(_) => "Job does not exist on server",
        Report::Status { .. } | Report::Complete(_) | Report::Fail => "Job given in work result not found",
        Report::Exception(_) => "An exception was received for a job that does not exist",
    }
}
