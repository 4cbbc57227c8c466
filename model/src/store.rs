//! The store door: a background job is acknowledged when the store has it.

use crate::Model;
use crate::connection::Held;
use crate::job::State;
use gearman_engine::{ConnectionId, Effect, RecordId, StoreError, StoredJob};
use gearman_protocol::{ErrorCode, Mode, Response, Submit};

impl Model {
    /// Takes a job into the background: at once, or when the store has confirmed it.
    pub(crate) fn promise(&mut self, from: ConnectionId, number: u64) {
        if !self.config.store {
            self.begin(number);
            return self.answer_created(from, number);
        }
        self.records_made += 1;
        let record = RecordId::new(self.records_made);
        let job = self.job(number);
        job.record = Some(record);
        job.unconfirmed = true;
        let not_before = if let State::Reserved { not_before, .. } = job.state { not_before } else { None };
        let stored = StoredJob {
            record,
            function: job.function.clone(),
            unique: job.unique.clone(),
            priority: job.priority,
            reducer: job.reducer.clone(),
            not_before,
            workload: job.workload.clone(),
        };
        self.effects.push(Effect::Store { job: stored });
        self.wait_for_record(from, number);
    }

    /// A new job becomes one that others see.
    pub(crate) fn begin(&mut self, number: u64) {
        let wall = self.wall_now();
        let job = self.job(number);
        let State::Reserved { not_before, place } = job.state else { return };
        job.state = match not_before {
            Some(moment) if moment > wall => State::Scheduled(moment),
            Some(_) | None => State::Waiting { place },
        };
    }

    pub(crate) fn stored(&mut self, record: RecordId, outcome: Result<(), StoreError>) {
        let of_record = |job: &&mut crate::job::Job| job.record == Some(record) && job.unconfirmed;
        let Some(job) = self.jobs.iter_mut().find(of_record) else {
            return self.stored_too_late(record, outcome);
        };
        job.unconfirmed = false;
        let (number, handle) = (job.number, job.handle.clone());
        if outcome.is_ok() {
            self.begin(number);
            return self.answer_record(record, &Response::JobCreated { handle });
        }
        job.record = None;
        job.background = false;
        match job.state {
            State::Reserved { .. } => self.jobs.retain(|job| job.number != number),
            // A foreground job that was to become a background job stays what it was.
            State::Scheduled(_) | State::Waiting { .. } | State::Assigned { .. } => {
                self.end_if_unwanted(number)
            }
        }
        self.answer_record(record, &Response::error(ErrorCode::QueueError, "QUEUE_ERROR"));
    }

    /// The store answers for a job that has ended meanwhile.
    fn stored_too_late(&mut self, record: RecordId, outcome: Result<(), StoreError>) {
        let Some(index) = self.ended_unconfirmed.iter().position(|(ended, _)| *ended == record) else {
            return;
        };
        let (_, handle) = self.ended_unconfirmed.remove(index);
        if outcome.is_ok() {
            self.effects.push(Effect::Forget { record });
            self.answer_record(record, &Response::JobCreated { handle });
        } else {
            self.answer_record(record, &Response::error(ErrorCode::QueueError, "QUEUE_ERROR"));
        }
    }

    /// Gives all who wait for a record their answer, and what was held behind it.
    fn answer_record(&mut self, record: RecordId, answer: &Response) {
        for connection in &mut self.connections {
            for held in &mut connection.held {
                if matches!(held, Held::Answer(waits_for) if *waits_for == record) {
                    *held = Held::Behind(answer.clone());
                }
            }
        }
        self.release();
    }

    /// Sends what is no longer held, and closes connections that waited only for that.
    fn release(&mut self) {
        for connection in &mut self.connections {
            let to = connection.id;
            while let Some(Held::Behind(_)) = connection.held.front() {
                let Some(Held::Behind(response)) = connection.held.pop_front() else { break };
                self.effects.push(Effect::Send { to, response });
            }
        }
        self.close_those_who_left();
    }

    /// A job of an earlier life: it has its record already. Of several records of a key the last is the job.
    pub(crate) fn replayed(&mut self, stored: StoredJob) {
        let StoredJob { record, function, unique, priority, reducer, not_before, workload } = stored;
        self.records_made = self.records_made.max(record.get());
        self.function(&function);
        let reducer = Some(reducer);
        let submit = Submit { function, unique, priority, mode: Mode::Background, reducer, workload };
        if let Some(known) = self.jobs.iter().find(|job| job.answers(&submit)) {
            if known.record > Some(record) {
                return self.effects.push(Effect::Forget { record });
            }
            self.end(known.number);
        }
        let number = self.add_job(submit, true, not_before);
        self.job(number).record = Some(record);
        self.begin(number);
    }
}
