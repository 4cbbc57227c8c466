//! What happens when time passes: timeouts, scheduled jobs, drains.

use crate::Model;
use crate::job::State;
use gearman_engine::{ConnectionId, Effect, ExitCode};
use gearman_protocol::Time;
use std::time::Duration;

/// Whether the server is finishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    No,
    /// And by when it must be done.
    Until(Option<Time>),
    Over,
}

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
        if matches!(self.drain, Drain::Until(Some(until)) if until <= self.now) {
            self.exit(ExitCode::Unfinished);
        }
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
        let drain = if let Drain::Until(until) = self.drain { until } else { None };
        let all = jobs.chain(hangs.filter(|hang| *hang > self.now)).chain(packets).chain(drain);
        all.min()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain != Drain::No
    }

    pub(crate) fn begin_drain(&mut self) {
        if !self.is_draining() {
            self.drain = Drain::Until(self.config.drain_timeout.map(|limit| self.now + limit));
            self.effects.push(Effect::StopAccepting);
        }
    }

    /// Exits if a drain has nothing left to wait for. What a store keeps can wait for the next life.
    pub(crate) fn end_drain(&mut self) {
        let must_end = self.jobs.iter().any(|job| match job.state {
            State::Reserved { .. } | State::Assigned { .. } => true,
            State::Waiting { .. } => !(self.config.store && job.background),
            State::Scheduled(_) => false,
        });
        if !must_end && matches!(self.drain, Drain::Until(_)) {
            self.exit(ExitCode::Finished);
        }
    }

    pub(crate) fn exit(&mut self, code: ExitCode) {
        self.drain = Drain::Over;
        self.effects.push(Effect::Exit { code });
    }
}
