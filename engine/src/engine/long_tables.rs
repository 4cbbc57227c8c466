//! Tables of all functions and of all jobs. What is long is told part by part, and in between everybody else has a turn.

use super::admin_requests::printable;
use super::limits::LARGE;
use super::{Engine, Turn};
use crate::ConnectionId;
use crate::tables::connections::ConnectionKey;
use crate::tables::deadlines::{PAUSE, Timer};
use crate::tables::functions::Function;
use crate::tables::jobs::Job;
use crate::tables::long_tables::{JobsLeft, LongTable, Untold};
use gearman_protocol::{AdminReply, FunctionStatus, JobListing, Priority, PriorityStatus, Response};

/// How many functions or jobs are told of at once.
pub(crate) const PART: usize = 1024;

impl Engine {
    /// Tells a table from its beginning: at once if it is short.
    pub(super) fn tell_table(&mut self, who: ConnectionKey, untold: Untold, turn: &mut Turn<'_>) {
        let rows = match untold {
            Untold::Status(_) | Untold::PriorityStatus(_) => self.functions.slab.len(),
            Untold::ShowJobs(_) | Untold::ShowUniqueJobs(_) => self.jobs.slab.len(),
        };
        if rows <= PART {
            let (reply, _) = self.part(untold);
            return self.send(who, Response::Admin(reply), turn);
        }
        let connection = &mut self.connections.slab[who];
        self.memory -= connection.memory();
        let (peer, ticket) = (connection.id, connection.outbox.await_table());
        self.memory += connection.memory();
        self.watch_output(who);
        self.long_tables.add(peer, LongTable { ticket, untold });
        self.go_on_telling(peer, turn);
    }

    /// Has the next part told, if there is one.
    pub(super) fn go_on_telling(&mut self, peer: ConnectionId, turn: &Turn<'_>) {
        let due = turn.now + PAUSE;
        if self.long_tables.arm(peer, due) {
            self.deadlines.set(due, Timer::Part(peer));
        }
    }

    /// The next part is due. Nothing is told while the peer has much to read, or while an answer of the store
    /// is owed to it that comes before: [`Self::go_on_telling`] is called when that has changed.
    pub(super) fn tell_part(&mut self, peer: ConnectionId, turn: &mut Turn<'_>) {
        self.long_tables.disarm(peer);
        let who = self.connections.find(peer).expect("a timer goes with its connection");
        let Some(&mut LongTable { ticket, untold }) = self.long_tables.first(peer) else { return };
        let connection = &self.connections.slab[who];
        if connection.fill.outward >= LARGE || !connection.outbox.is_first(ticket) {
            return;
        }
        let (reply, untold) = self.part(untold);
        if let Some(untold) = untold {
            self.long_tables.first(peer).expect("it was there").untold = untold;
            turn.effects.send(peer, Response::Admin(AdminReply::Part(Box::new(reply))));
        } else {
            self.long_tables.pop(peer);
            self.answer(who, ticket, Response::Admin(reply), turn);
        }
        self.go_on_telling(peer, turn);
    }

    /// The next rows of a table, and what is left of it then, if anything is.
    fn part(&self, untold: Untold) -> (AdminReply, Option<Untold>) {
        match untold {
            Untold::Status(next) => {
                let (rows, next) = self.functions.part(next, PART, status);
                (AdminReply::Status(rows), next.map(|next| Untold::Status(Some(next))))
            }
            Untold::PriorityStatus(next) => {
                let (rows, next) = self.functions.part(next, PART, priority_status);
                (AdminReply::PriorityStatus(rows), next.map(|next| Untold::PriorityStatus(Some(next))))
            }
            Untold::ShowJobs(left) => {
                let (rows, left) = self.jobs_part(left, |job| self.listing(job));
                (AdminReply::Jobs(rows), left.map(Untold::ShowJobs))
            }
            Untold::ShowUniqueJobs(left) => {
                let (rows, left) = self.jobs_part(left, |job| printable(job.unique()));
                (AdminReply::UniqueJobs(rows), left.map(Untold::ShowUniqueJobs))
            }
        }
    }

    /// All that there are now.
    pub(super) fn all_jobs_left(&self) -> JobsLeft {
        JobsLeft { next: self.jobs.first(), last: self.jobs.last() }
    }

    /// What `row` makes of the next jobs that may be seen.
    fn jobs_part<R>(&self, left: JobsLeft, row: impl Fn(&Job) -> R) -> (Vec<R>, Option<JobsLeft>) {
        let (mut rows, mut next) = (Vec::new(), left.next);
        for _ in 0..PART {
            let Some(job) = next.map(|key| &self.jobs.slab[key]).filter(|job| job.number <= left.last) else {
                return (rows, None);
            };
            rows.extend(job.is_live().then(|| row(job)));
            next = next.and_then(|key| self.jobs.after(key));
        }
        (rows, Some(JobsLeft { next, ..left }))
    }

    fn listing(&self, job: &Job) -> JobListing {
        JobListing {
            handle: self.handles.name(job.number),
            retries: u64::from(job.attempts),
            persisted: job.is_background(),
        }
    }

    /// The peer is told no more of any table.
    pub(super) fn stop_telling(&mut self, peer: ConnectionId) {
        if let Some(due) = self.long_tables.disarm(peer) {
            self.deadlines.call_off(due, Timer::Part(peer));
        }
        self.long_tables.forget(peer);
    }
}

fn status(function: &Function) -> FunctionStatus {
    FunctionStatus {
        function: function.name.to_bytes(),
        total: function.total(),
        running: u64::from(function.assigned),
        workers: u64::from(function.workers),
    }
}

fn priority_status(function: &Function) -> PriorityStatus {
    PriorityStatus {
        function: function.name.to_bytes(),
        high: function.not_assigned(Priority::High),
        normal: function.not_assigned(Priority::Normal),
        low: function.not_assigned(Priority::Low),
        workers: u64::from(function.workers),
    }
}
