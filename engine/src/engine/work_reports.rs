//! What workers say about the jobs they hold.

use super::{Engine, Turn};
use crate::figures::Ending;
use crate::numerals::status_number;
use crate::refusal::Refusal;
use crate::tables::connections::ConnectionKey;
use crate::tables::jobs::{JobKey, JobNumber, JobState};
use gearman_protocol::{Handle, MAX_HANDLE, Report};

/// For how many jobs at once a connection may send WORK_FAIL after WORK_EXCEPTION without getting an ERROR.
pub(crate) const MAX_EXCEPTED: usize = 64;

impl Engine {
    pub(super) fn work(&mut self, who: ConnectionKey, handle: &Handle, report: Report, turn: &mut Turn<'_>) {
        let number = self.handles.number(handle);
        if number.is_some_and(|number| self.take_excepted(who, number)) && ends_quietly(&report) {
            return;
        }
        match number.and_then(|number| self.job_in_hand(who, number)) {
            Some(job) => self.report(who, job, handle, report, turn),
            None => self.refuse(who, refusal_of(handle, &report), turn),
        }
    }

    fn report(
        &mut self,
        who: ConnectionKey,
        key: JobKey,
        handle: &Handle,
        report: Report,
        turn: &mut Turn<'_>,
    ) {
        let number = self.jobs.slab[key].number;
        self.tell_watchers(key, handle, &report, turn);
        match report {
            Report::Data(_) | Report::Warning(_) => {}
            Report::Status { numerator, denominator } => {
                self.set_progress(key, status_number(&numerator), status_number(&denominator));
            }
            Report::Complete(_) => self.end(key, Ending::Completed, turn),
            Report::Fail => self.end(key, Ending::Failed, turn),
            Report::Exception(_) => {
                self.end(key, Ending::Failed, turn);
                self.remember_excepted(who, number);
            }
        }
    }

    fn set_progress(&mut self, key: JobKey, above: u32, below: u32) {
        if let JobState::Assigned { course, .. } = &mut self.jobs.slab[key].state {
            let course = course.get_or_insert_default();
            (course.numerator, course.denominator) = (above, below);
        }
    }

    /// The job, if this connection works on it.
    fn job_in_hand(&self, who: ConnectionKey, number: JobNumber) -> Option<JobKey> {
        let key = self.jobs.by_number(number)?;
        match self.jobs.slab[key].state {
            JobState::Assigned { worker, .. } if worker == who => Some(key),
            JobState::Assigned { .. }
            | JobState::Reserved { .. }
            | JobState::Scheduled { .. }
            | JobState::Waiting { .. } => None,
        }
    }

    fn remember_excepted(&mut self, who: ConnectionKey, number: JobNumber) {
        let excepted = &mut self.connections.slab[who].excepted;
        if excepted.len() == MAX_EXCEPTED {
            excepted.pop_front();
        }
        excepted.push_back(number);
    }

    /// Whether the last that this connection said of the job was WORK_EXCEPTION.
    fn take_excepted(&mut self, who: ConnectionKey, number: JobNumber) -> bool {
        let excepted = &mut self.connections.slab[who].excepted;
        let place = excepted.iter().position(|&other| other == number);
        place.is_some_and(|place| excepted.remove(place).is_some())
    }
}

/// Whether a worker that has sent WORK_EXCEPTION may still send this: the Perl library ends such a job twice.
const fn ends_quietly(report: &Report) -> bool {
    matches!(report, Report::Fail | Report::Complete(_))
}

fn refusal_of(handle: &Handle, report: &Report) -> Refusal {
    match report {
        Report::Data(_) | Report::Warning(_) => Refusal::DataForNoJob,
        Report::Fail if handle.as_bytes().len() > MAX_HANDLE => Refusal::HandleTooLong,
        Report::Status { .. } | Report::Complete(_) | Report::Fail => Refusal::ResultForNoJob,
        Report::Exception(_) => Refusal::ExceptionForNoJob,
    }
}
