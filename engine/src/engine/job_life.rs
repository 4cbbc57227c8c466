//! What happens to a job between its submit and its end, whoever caused it.

use super::{Engine, Turn};
use crate::Effect;
use crate::config::{JOB_OVERHEAD, WATCHER_OVERHEAD};
use crate::figures::Ending;
use crate::tables::connections::{ConnectionKey, Presence};
use crate::tables::deadlines::Timer;
use crate::tables::jobs::{Course, Job, JobKey, JobState, Keeping, NewJob, Watcher};
use crate::tables::list::Links;
use crate::tables::slab::Key;
use gearman_protocol::{Handle, Report, Response, Time, UnixMillis};

/// How many bytes a job counts against the memory limit.
pub(crate) fn cost(job: &Job) -> usize {
    JOB_OVERHEAD + job.workload().len()
}

impl Engine {
    /// Takes a job in that nobody may see yet.
    pub(super) fn reserve_job(&mut self, new: NewJob) -> JobKey {
        self.functions.slab[new.function].reserved += 1;
        let key = self.jobs.insert(new);
        self.memory += cost(&self.jobs.slab[key]);
        key
    }

    /// Lets a reserved job into its queue, or into the calendar if it is not due.
    pub(super) fn admit(&mut self, key: JobKey, turn: &Turn<'_>) {
        let job = &self.jobs.slab[key];
        let JobState::Reserved { place, not_before } = job.state else {
            unreachable!("only a reserved job is admitted");
        };
        let function = &mut self.functions.slab[job.function];
        function.reserved -= 1;
        function.counts.submitted += 1;
        match not_before.filter(|&due| due > self.deadlines.wall(turn.now)) {
            Some(due) => self.schedule(key, due),
            None => self.enqueue(key, place),
        }
    }

    fn schedule(&mut self, key: JobKey, due: UnixMillis) {
        let job = &mut self.jobs.slab[key];
        job.state = JobState::Scheduled { due };
        self.functions.slab[job.function].scheduled[job.priority as usize] += 1;
        self.deadlines.schedule(due, job.number);
    }

    /// A scheduled job has become due; it is out of the calendar already.
    pub(super) fn come_due(&mut self, key: JobKey) {
        let job = &self.jobs.slab[key];
        self.functions.slab[job.function].scheduled[job.priority as usize] -= 1;
        let place = self.jobs.next_place();
        self.enqueue(key, place);
    }

    /// Puts a job into its queue, behind all whose place is earlier.
    ///
    /// Takes time only for jobs with a later place: those whose store answered first.
    fn enqueue(&mut self, key: JobKey, place: u64) {
        let job = &mut self.jobs.slab[key];
        job.state = JobState::Waiting { place, since: self.now, links: Links::default() };
        let (function, priority) = (job.function, job.priority);
        let queue = &mut self.functions.slab[function].waiting[priority as usize];
        queue.insert_sorted(
            &mut self.jobs.slab,
            key,
            |other| matches!(other.state, JobState::Waiting { place: earlier, .. } if earlier < place),
        );
        self.count(key);
        self.unsettle(function);
    }

    /// Gives a waiting job to a worker.
    pub(super) fn assign(&mut self, key: JobKey, worker: ConnectionKey, deadline: Option<Time>) {
        self.take_out(key);
        let place = self.jobs.next_place();
        let job = &mut self.jobs.slab[key];
        let course = deadline.map(|_| Box::new(Course { deadline, ..Course::default() }));
        job.state = JobState::Assigned { worker, place, links: Links::default(), course };
        self.functions.slab[job.function].assigned += 1;
        if let Some(deadline) = deadline {
            self.deadlines.set(deadline, Timer::Job { place, job: job.number });
        }
        self.connections.slab[worker].hand.push_back(&mut self.jobs.slab, key);
        self.count(key);
    }

    /// Takes a job out of wherever its state puts it, after which it must get another state or go.
    fn take_out(&mut self, key: JobKey) {
        self.uncount(key);
        let job = &self.jobs.slab[key];
        let function = &mut self.functions.slab[job.function];
        match job.state {
            JobState::Reserved { .. } => function.reserved -= 1,
            JobState::Scheduled { due } => {
                function.scheduled[job.priority as usize] -= 1;
                self.deadlines.unschedule(due, job.number);
            }
            JobState::Waiting { .. } => {
                function.waiting[job.priority as usize].remove(&mut self.jobs.slab, key);
            }
            JobState::Assigned { worker, place, .. } => {
                function.assigned -= 1;
                if let Some(deadline) = job.deadline() {
                    self.deadlines.call_off(deadline, Timer::Job { place, job: job.number });
                }
                self.connections.slab[worker].hand.remove(&mut self.jobs.slab, key);
            }
        }
    }

    /// Changes what keeps a job alive.
    pub(super) fn keep(&mut self, key: JobKey, keeping: Keeping) {
        self.uncount(key);
        self.jobs.slab[key].keeping = keeping;
        self.count(key);
    }

    /// Counts a job that has come to its place, if a drain waits for it there.
    fn count(&mut self, key: JobKey) {
        let job = &self.jobs.slab[key];
        if self.is_awaited(job) {
            self.functions.slab[job.function].awaited += 1;
            self.awaited += 1;
        }
    }

    /// The opposite, before a job leaves its place.
    fn uncount(&mut self, key: JobKey) {
        let job = &self.jobs.slab[key];
        if self.is_awaited(job) {
            self.functions.slab[job.function].awaited -= 1;
            self.awaited -= 1;
        }
    }

    /// The worker of a job is lost to it: the job goes to the back of its queue, unless it has been lost too
    /// often or nobody wants it any more.
    pub(super) fn lose(&mut self, key: JobKey, turn: &mut Turn<'_>) {
        let job = &mut self.jobs.slab[key];
        job.attempts += 1;
        let attempts = job.attempts;
        let abandoned = job.keeping == Keeping::Foreground && job.watchers.is_empty();
        if abandoned {
            self.end(key, Ending::Abandoned, turn);
        } else if self.config.retry_limit().is_some_and(|limit| attempts >= limit) {
            let handle = self.handles.name(self.jobs.slab[key].number);
            self.tell_watchers(key, &handle, &Report::Fail, turn);
            self.end(key, Ending::Dropped, turn);
        } else {
            let function = self.jobs.slab[key].function;
            self.functions.slab[function].counts.retried += 1;
            self.take_out(key);
            let place = self.jobs.next_place();
            self.enqueue(key, place);
        }
    }

    /// Ends a job: it is gone from everywhere. What its watchers hear is said before.
    pub(super) fn end(&mut self, key: JobKey, ending: Ending, turn: &mut Turn<'_>) {
        let job = &self.jobs.slab[key];
        if job.is_live() {
            self.functions.slab[job.function].counts.count(ending);
        }
        self.take_out(key);
        while let Some(watcher) = self.jobs.slab[key].watchers.first() {
            self.detach(watcher);
        }
        if !self.long_tables.is_empty() {
            self.long_tables.skip_job(key, self.jobs.after(key));
        }
        let job = self.jobs.remove(key);
        self.memory -= cost(&job);
        match job.keeping {
            Keeping::Foreground | Keeping::Background => {}
            Keeping::Stored(record) => turn.effects.push(Effect::Forget { record }),
            Keeping::Storing(record) => self.forget_when_stored(record),
        }
    }

    /// Makes a connection a watcher of a job.
    pub(super) fn attach(&mut self, connection: ConnectionKey, key: JobKey) {
        self.memory += WATCHER_OVERHEAD;
        let (of_job, of_connection) = (Links::default(), Links::default());
        let watcher = self.watchers.insert(Watcher { connection, job: key, of_job, of_connection });
        self.jobs.slab[key].watchers.push_back(&mut self.watchers, watcher);
        self.connections.slab[connection].watches.push_back(&mut self.watchers, watcher);
    }

    /// Takes a watcher away, whatever becomes of the job.
    pub(super) fn detach(&mut self, key: Key<Watcher>) -> JobKey {
        let &Watcher { connection, job, .. } = &self.watchers[key];
        self.jobs.slab[job].watchers.remove(&mut self.watchers, key);
        self.connections.slab[connection].watches.remove(&mut self.watchers, key);
        self.watchers.remove(key);
        self.memory -= WATCHER_OVERHEAD;
        job
    }

    /// A watcher is gone: a foreground job that waits ends with its last one.
    pub(super) fn abandon(&mut self, key: JobKey, turn: &mut Turn<'_>) {
        let job = &self.jobs.slab[key];
        let waits = matches!(job.state, JobState::Waiting { .. });
        if waits && job.keeping == Keeping::Foreground && job.watchers.is_empty() {
            self.end(key, Ending::Abandoned, turn);
        }
    }

    /// Passes a report on to every watcher of a job who is there. One that does not understand exceptions hears of a
    /// failure.
    pub(super) fn tell_watchers(
        &mut self,
        key: JobKey,
        handle: &Handle,
        report: &Report,
        turn: &mut Turn<'_>,
    ) {
        let mut next = self.jobs.slab[key].watchers.first();
        while let Some(watcher) = next {
            let to = self.watchers[watcher].connection;
            next = self.watchers[watcher].of_job.next;
            if self.connections.slab[to].presence != Presence::Here {
                continue;
            }
            let understood = self.connections.slab[to].exceptions || !matches!(report, Report::Exception(_));
            let report = if understood { report.clone() } else { Report::Fail };
            self.send(to, Response::Work { handle: handle.clone(), report }, turn);
        }
    }
}
