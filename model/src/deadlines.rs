//! What happens when time passes: timeouts, scheduled jobs, drains.

use crate::job::{Job, State};
use crate::{Function, Model};
use gearman_engine::{ConnectionId, Effect, ExitCode};
use gearman_protocol::Time;
use std::time::Duration;

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
    /// Acts on every deadline that has passed.
    pub(crate) fn act_on_deadlines(&mut self) {
        let mut passed = self.job_deadlines();
        passed.retain(|(moment, ..)| *moment <= self.now);
        passed.sort_unstable();
        for (.., number) in passed {
            if self.job(number).worker().is_some() { self.lose(number) } else { self.queue(number) }
        }
        for who in self.slow_writers() {
            self.cut(who);
        }
        self.report_drain();
    }

    /// The moment of each job that has one, what it was promised before others of that moment, and the job.
    fn job_deadlines(&self) -> Vec<(Time, u64, u64)> {
        let wall = self.wall_now().get();
        let deadlines = self.jobs.iter().filter_map(|job| match job.state {
            State::Assigned { until: Some(until), place, .. } => Some((until, place, job.number)),
            State::Scheduled(moment) => {
                let ahead = u64::try_from(moment.get().saturating_sub(wall)).unwrap_or(0);
                Some((self.now + Duration::from_millis(ahead), u64::MAX, job.number))
            }
            State::Assigned { until: None, .. } | State::Reserved { .. } | State::Waiting { .. } => None,
        });
        deadlines.collect()
    }

    /// Who began a message too long ago.
    fn slow_writers(&self) -> Vec<ConnectionId> {
        let limit = self.config.packet_timeout;
        let slow = self.connections.iter().filter(|connection| {
            connection.fill.partial_since.is_some_and(|since| since + limit <= self.now)
        });
        slow.map(|connection| connection.id).collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let jobs = self.job_deadlines().into_iter().map(|(moment, ..)| moment);
        let hangs = self.connections.iter().filter_map(|connection| self.hangs_at(connection));
        let partial = self.connections.iter().filter(|connection| !connection.leaving);
        let partial = partial.filter_map(|connection| connection.fill.partial_since);
        let packets = partial.map(|since| since + self.config.packet_timeout);
        let drain = match self.drain {
            Drain::Going { until, report } => [until, Some(report)],
            Drain::No | Drain::Over => [None, None],
        };
        let hangs = hangs.filter(|hang| *hang > self.now);
        let all = jobs.chain(hangs).chain(packets).chain(drain.into_iter().flatten());
        all.min()
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

    /// Says what a drain waits for when it is time to, and ends it when it has lasted too long.
    fn report_drain(&mut self) {
        let Drain::Going { until, report } = self.drain else { return };
        let is_over = until.is_some_and(|until| until <= self.now);
        if !is_over && report > self.now {
            return;
        }
        let waits = |function: &&Function| {
            self.jobs.iter().any(|job| job.function == function.name && self.must_end(job))
        };
        let left = self.functions.iter().filter(waits).map(|function| self.status(function)).collect();
        self.effects.push(Effect::Draining { left });
        self.drain = Drain::Going { until, report: self.now + DRAIN_REPORT };
        if is_over {
            self.exit(ExitCode::Unfinished);
        }
    }

    /// Exits if a drain has nothing left to wait for.
    pub(crate) fn end_drain(&mut self) {
        let waits = self.jobs.iter().any(|job| self.must_end(job));
        if !waits && matches!(self.drain, Drain::Going { .. }) {
            self.exit(ExitCode::Finished);
        }
    }

    /// Whether a drain waits for the job. What a store keeps can wait for the next life.
    fn must_end(&self, job: &Job) -> bool {
        match job.state {
            State::Reserved { .. } | State::Assigned { .. } => true,
            State::Waiting { .. } => !(self.config.store && job.background),
            State::Scheduled(_) => false,
        }
    }

    pub(crate) fn exit(&mut self, code: ExitCode) {
        self.drain = Drain::Over;
        self.effects.push(Effect::Exit { code });
    }
}
