//! How things end: jobs, workers' holds on them, and connections.

use crate::Model;
use crate::connection::{Presence, Sleep};
use crate::job::State;
use gearman_engine::{Compat, ConnectionId, Effect};
use gearman_protocol::{Report, Response};

impl Model {
    /// Tells every watcher the same.
    pub(crate) fn tell_failure(&mut self, number: u64) {
        let job = self.job(number);
        let (handle, watchers) = (job.handle.clone(), job.watchers.clone());
        for watcher in watchers {
            self.send(watcher, Response::Work { handle: handle.clone(), report: Report::Fail });
        }
    }

    /// The job is gone from everywhere; from the store when the store has answered for it.
    pub(crate) fn end(&mut self, number: u64) {
        let job = self.job(number);
        let (record, unconfirmed, handle) = (job.record, job.unconfirmed, job.handle.clone());
        self.jobs.retain(|job| job.number != number);
        match record {
            Some(record) if unconfirmed => self.ended_unconfirmed.push((record, handle)),
            Some(record) => self.effects.push(Effect::Forget { record }),
            None => {}
        }
    }

    /// Ends a waiting job that nobody waits for.
    pub(crate) fn end_if_unwanted(&mut self, number: u64) {
        let job = self.job(number);
        if job.is_waiting() && !job.background && job.watchers.is_empty() {
            self.end(number);
        }
    }

    /// A job's worker is lost to it: the job goes back to its queue, or ends.
    pub(crate) fn lose(&mut self, number: u64) {
        let retries = match (self.config.compat, self.config.job_retries) {
            (_, None) | (Compat::Version1_1 { .. }, Some(0)) => u64::MAX,
            (_, Some(limit)) => u64::from(limit.max(1)),
        };
        let job = self.job(number);
        job.attempts += 1;
        job.status = (0, 0);
        if job.attempts >= retries {
            self.tell_failure(number);
            return self.end(number);
        }
        self.queue_again(number);
        self.end_if_unwanted(number);
    }

    /// Loses the jobs that a worker holds and that are chosen, in the order in which they were assigned.
    pub(crate) fn lose_jobs(&mut self, of: ConnectionId, chosen: impl Fn(&crate::job::Job) -> bool) {
        let held = self.jobs.iter().filter(|job| chosen(job));
        let mut held: Vec<(u64, u64)> = held
            .filter_map(|job| match job.state {
                State::Assigned { worker, place, .. } if worker == of => Some((place, job.number)),
                State::Assigned { .. }
                | State::Reserved { .. }
                | State::Scheduled(_)
                | State::Waiting { .. } => None,
            })
            .collect();
        held.sort_unstable();
        held.into_iter().for_each(|(_, number)| self.lose(number));
    }

    /// The peer sends no more: it watches nothing, works on nothing, and gets what is still held for it.
    pub(crate) fn leave(&mut self, who: ConnectionId) {
        let Some(connection) = self.connection(who) else { return };
        connection.presence = Presence::Leaving;
        self.let_go(who);
        self.close_those_who_left();
    }

    /// Closes connections that waited for the store's answers and have got them.
    pub(crate) fn close_those_who_left(&mut self) {
        let until = self.now + self.config.packet_timeout;
        for connection in &mut self.connections {
            if connection.presence == Presence::Leaving && connection.held.is_empty() {
                connection.presence = Presence::Closing;
                connection.patience = Some(until);
                self.effects.push(Effect::Close { who: connection.id, after_flush: true });
            }
        }
    }

    /// The connection is gone.
    pub(crate) fn closed(&mut self, who: ConnectionId) {
        self.connections.retain(|connection| connection.id != who);
        self.let_go(who);
    }

    /// Takes a peer out of everything but the list of connections.
    pub(crate) fn let_go(&mut self, who: ConnectionId) {
        if let Some(connection) = self.connections.iter_mut().find(|connection| connection.id == who) {
            connection.abilities.clear();
            connection.sleep = Sleep::Awake;
            connection.patience = None;
            connection.paused = false;
        }
        self.favoured = self.favoured.filter(|favoured| *favoured != who);
        for job in &mut self.jobs {
            job.watchers.retain(|watcher| *watcher != who);
        }
        let numbers: Vec<u64> = self.jobs.iter().map(|job| job.number).collect();
        numbers.into_iter().for_each(|number| self.end_if_unwanted(number));
        self.lose_jobs(who, |_| true);
    }
}
