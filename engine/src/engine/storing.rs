//! The store door: a background job is acknowledged when the store has it.

use super::{Engine, Turn};
use crate::figures::Ending;
use crate::refusal::Refusal;
use crate::tables::connections::{ConnectionKey, Presence};
use crate::tables::jobs::{JobKey, JobState, JoinKey, Keeping, NewJob};
use crate::tables::outbox::Ticket;
use crate::tables::stores::{Pending, Waiter};
use crate::{Effect, RecordId, Refused, StoreError, StoredJob};
use gearman_protocol::Response;

impl Engine {
    /// Asks the store to keep a live foreground job, because a background submit has joined it.
    pub(super) fn store_live(&mut self, who: ConnectionKey, key: JobKey, turn: &mut Turn<'_>) {
        let record = self.stores.next_record();
        self.keep(key, Keeping::Storing(record));
        self.ask_store(who, key, record, turn);
    }

    /// Asks the store to keep a job. A new one may be seen by nobody before it has.
    pub(super) fn ask_store(
        &mut self,
        who: ConnectionKey,
        key: JobKey,
        record: RecordId,
        turn: &mut Turn<'_>,
    ) {
        let job = &self.jobs.slab[key];
        let not_before = match job.state {
            JobState::Reserved { not_before, .. } => not_before,
            JobState::Scheduled { .. } | JobState::Waiting { .. } | JobState::Assigned { .. } => None,
        };
        let (unique, reducer, workload) = job.parts();
        let stored = StoredJob {
            record,
            function: self.functions.slab[job.function].name.clone(),
            unique,
            priority: job.priority,
            reducer,
            not_before,
            workload,
        };
        let number = job.number;
        turn.effects.push(Effect::Store { job: stored });
        self.stores.ask(record, key, number);
        self.wait_for_store(who, record, false);
    }

    /// Lets a submit wait for an answer of the store.
    pub(super) fn wait_for_store(&mut self, who: ConnectionKey, record: RecordId, foreground: bool) {
        let connection = &mut self.connections.slab[who];
        let (connection, ticket) = (connection.id, connection.outbox.await_answer());
        let pending = self.stores.get_mut(record).expect("the store has not answered");
        pending.waiters.push(Waiter { connection, ticket, foreground });
    }

    /// The store has answered.
    pub(super) fn stored(&mut self, record: RecordId, outcome: Result<(), StoreError>, turn: &mut Turn<'_>) {
        let Some(pending) = self.stores.take(record) else { return };
        match outcome {
            Ok(()) => self.kept(record, pending, turn),
            Err(StoreError) => self.not_kept(pending, turn),
        }
    }

    fn kept(&mut self, record: RecordId, pending: Pending, turn: &mut Turn<'_>) {
        match pending.job {
            Some(key) => {
                self.keep(key, Keeping::Stored(record));
                if !self.jobs.slab[key].is_live() {
                    self.admit(key, turn);
                }
            }
            // The job ended while the store was busy.
            None => turn.effects.push(Effect::Forget { record }),
        }
        for waiter in pending.waiters {
            let Some(who) = self.connections.find(waiter.connection) else { continue };
            let here = self.connections.slab[who].presence == Presence::Here;
            if let Some(key) = pending.job.filter(|_| waiter.foreground && here) {
                self.attach(who, key);
            }
            let handle = self.handles.name(pending.number);
            self.answer(who, waiter.ticket, Response::JobCreated { handle }, turn);
        }
    }

    fn not_kept(&mut self, pending: Pending, turn: &mut Turn<'_>) {
        if let Some(key) = pending.job {
            self.keep(key, Keeping::Foreground);
            if self.jobs.slab[key].is_live() {
                self.abandon(key, turn);
            } else {
                self.end(key, Ending::Abandoned, turn);
            }
        }
        for waiter in pending.waiters {
            if let Some(who) = self.connections.find(waiter.connection) {
                self.refusals.count(Refused::Store);
                self.answer(who, waiter.ticket, Refusal::NotStored.response(), turn);
            }
        }
    }

    /// Gives the reply whose place was kept, and whatever waited behind it.
    pub(super) fn answer(
        &mut self,
        who: ConnectionKey,
        ticket: Ticket,
        response: Response,
        turn: &mut Turn<'_>,
    ) {
        let connection = &mut self.connections.slab[who];
        if connection.presence == Presence::Closing {
            return;
        }
        self.memory -= connection.memory();
        connection.outbox.answer(ticket, response);
        while let Some(response) = connection.outbox.release() {
            turn.effects.send(connection.id, response);
        }
        self.memory += connection.memory();
        let peer = connection.id;
        self.go_on_telling(peer, turn);
        self.close_if_nothing_is_owed(who, turn);
    }

    /// A job has ended while the store was asked to keep it: it shall forget it when it has.
    pub(super) fn forget_when_stored(&mut self, record: RecordId) {
        if let Some(pending) = self.stores.get_mut(record) {
            pending.job = None;
        }
    }

    /// Takes a job in that the store kept from an earlier life.
    pub(super) fn replayed(&mut self, job: StoredJob, turn: &mut Turn<'_>) {
        self.stores.reserve(job.record);
        let key_hash = JoinKey::of(job.unique.as_bytes(), &job.workload).map(|key| self.key_hash(key));
        let function = self.function(job.function);
        let other = key_hash.and_then(|hash| {
            let key = JoinKey::of(job.unique.as_bytes(), &job.workload)?;
            self.jobs.by_key(hash, function, key)
        });
        if let Some(other) = other {
            if let Keeping::Stored(record) = self.jobs.slab[other].keeping
                && record > job.record
            {
                return turn.effects.push(Effect::Forget { record: job.record });
            }
            self.end(other, Ending::Abandoned, turn);
        }
        let key = self.reserve_job(NewJob {
            function,
            priority: job.priority,
            unique: job.unique,
            reducer: job.reducer,
            workload: job.workload,
            key_hash,
            keeping: Keeping::Stored(job.record),
            not_before: job.not_before,
        });
        self.admit(key, turn);
    }
}
