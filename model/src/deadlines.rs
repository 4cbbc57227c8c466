//! What happens when time passes: timeouts, scheduled jobs, peers that do not go on, drains.

use crate::Model;
use crate::connection::Presence;
use crate::job::{Job, State};
use gearman_engine::{ConnectionId, Effect, ExitCode};
use gearman_protocol::{ErrorCode, FunctionStatus, Time, UnixMillis};
use std::time::Duration;

/// What is to be done at some moment. Of one moment, the upper comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// A job may run from now on.
    Due {
        moment: UnixMillis,
        job: u64,
    },
    /// A worker has held a job for too long.
    Timeout {
        assigned: u64,
        job: u64,
    },
    /// A peer has begun a message and not finished it, or has not taken its last ones.
    Patience(ConnectionId),
    DrainReport,
    DrainEnd,
}

/// Whether the server is finishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    No,
    Going {
        /// By when it must be done.
        until: Option<Time>,
        /// When it says next what it waits for.
        report: Time,
    },
    Over,
}

/// How often a drain says what it waits for.
const DRAIN_REPORT: Duration = Duration::from_secs(10);

impl Model {
    /// Acts on every deadline that has passed, the earliest first, however many there are: the engine does so much in
    /// each millisecond, which nobody sees who does not have hundreds at one moment.
    pub(crate) fn act_on_deadlines(&mut self) {
        while let Some((moment, deadline)) = self.deadlines().into_iter().min()
            && moment <= self.now
        {
            match deadline {
                Deadline::Timeout { job, .. } => self.lose(job),
                Deadline::Patience(peer) => self.lose_patience(peer),
                Deadline::DrainReport => self.report_drain(),
                Deadline::DrainEnd => {
                    self.report_drain();
                    self.exit(ExitCode::Unfinished);
                }
                Deadline::Due { job, .. } => self.queue(job),
            }
        }
    }

    /// All that has a moment.
    fn deadlines(&self) -> Vec<(Time, Deadline)> {
        let jobs = self.jobs.iter().filter_map(|job| self.job_deadline(job));
        let peers =
            self.connections.iter().filter_map(|peer| Some((peer.patience?, Deadline::Patience(peer.id))));
        let drain = match self.drain {
            Drain::Going { until, report } => {
                [Some((report, Deadline::DrainReport)), until.map(|until| (until, Deadline::DrainEnd))]
            }
            Drain::No | Drain::Over => [None, None],
        };
        jobs.chain(peers).chain(drain.into_iter().flatten()).collect()
    }

    fn job_deadline(&self, job: &Job) -> Option<(Time, Deadline)> {
        match job.state {
            State::Assigned { until, place, .. } => {
                Some((until?, Deadline::Timeout { assigned: place, job: job.number }))
            }
            State::Scheduled(moment) => {
                let (said, when) = self.wall;
                let ahead = u64::try_from(moment.get().saturating_sub(said.get())).unwrap_or(0);
                Some((when + Duration::from_millis(ahead), Deadline::Due { moment, job: job.number }))
            }
            State::Reserved { .. } | State::Waiting { .. } => None,
        }
    }

    /// Besides the deadlines, a woken worker that comes to count as hung while others sleep.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let deadlines = self.deadlines().into_iter().map(|(moment, _)| moment);
        let hangs = self.connections.iter().filter_map(|connection| self.hangs_at(connection));
        let hangs = hangs.filter(|hang| *hang > self.now && self.somebody_sleeps());
        deadlines.chain(hangs).min()
    }

    /// The peer has had its time.
    fn lose_patience(&mut self, who: ConnectionId) {
        let Some(connection) = self.connections.iter_mut().find(|connection| connection.id == who) else {
            return;
        };
        connection.patience = None;
        if connection.presence == Presence::Here {
            self.refuse(who, ErrorCode::Timeout, "Packet was not finished in time");
            self.leave(who);
        } else {
            self.effects.push(Effect::Close { who, after_flush: false });
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain != Drain::No
    }

    pub(crate) fn begin_drain(&mut self) {
        if !self.is_draining() {
            let until = self.config.drain_timeout.map(|limit| self.now + limit);
            self.drain = Drain::Going { until, report: self.now + DRAIN_REPORT };
            self.effects.push(Effect::StopAccepting);
        }
    }

    /// Says which jobs a drain waits for.
    fn report_drain(&mut self) {
        let rows = self.functions.iter().map(|function| {
            let waited_for =
                self.jobs.iter().filter(|job| job.function == function.name && self.must_end(job));
            FunctionStatus { total: waited_for.count() as u64, ..self.status(function) }
        });
        let left = rows.filter(|row| row.total > 0).collect();
        self.effects.push(Effect::Draining { left });
        if let Drain::Going { report, .. } = &mut self.drain {
            *report = self.now + DRAIN_REPORT;
        }
    }

    /// Exits if a drain has nothing left to wait for: no job, and no answer of the store.
    pub(crate) fn end_drain(&mut self) {
        let unanswered = !self.ended_unconfirmed.is_empty() || self.jobs.iter().any(|job| job.unconfirmed);
        let waits = unanswered || self.jobs.iter().any(|job| self.must_end(job));
        if !waits && matches!(self.drain, Drain::Going { .. }) {
            self.exit(ExitCode::Finished);
        }
    }

    /// Whether a drain waits for the job. What a store keeps can wait for the next life.
    fn must_end(&self, job: &Job) -> bool {
        match job.state {
            State::Assigned { .. } => true,
            State::Waiting { .. } => !(self.config.store && job.background),
            State::Scheduled(_) | State::Reserved { .. } => false,
        }
    }

    pub(crate) fn exit(&mut self, code: ExitCode) {
        self.drain = Drain::Over;
        self.effects.push(Effect::Exit { code });
    }
}
