//! Draining: finish what runs, take nothing new, then exit.

use super::{Engine, Turn};
use crate::tables::deadlines::Timer;
use crate::tables::functions::Function;
use crate::tables::jobs::{Job, JobState, Keeping};
use crate::{Effect, ExitCode};
use gearman_protocol::{FunctionStatus, Time};
use std::time::Duration;

/// How often it is told what a drain waits for.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Whether the server is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draining {
    /// It is not.
    No,
    /// It takes nothing new, and waits.
    Waiting {
        /// When it next tells what for.
        report: Time,
        /// When it gives up.
        end: Option<Time>,
    },
    /// It has asked to be ended.
    Over,
}

impl Engine {
    pub(super) fn is_draining(&self) -> bool {
        self.draining != Draining::No
    }

    /// Begins to drain; a second time is harmless.
    pub(super) fn drain(&mut self, turn: &mut Turn<'_>) {
        if self.is_draining() {
            return;
        }
        turn.effects.push(Effect::StopAccepting);
        let end = self.config.drain_timeout.map(|timeout| turn.now + timeout);
        if let Some(end) = end {
            self.deadlines.set(end, Timer::DrainEnd);
        }
        self.report_later(end, turn);
    }

    fn report_later(&mut self, end: Option<Time>, turn: &Turn<'_>) {
        let report = turn.now + REPORT_INTERVAL;
        self.deadlines.set(report, Timer::DrainReport);
        self.draining = Draining::Waiting { report, end };
    }

    pub(super) fn report_drain(&mut self, turn: &mut Turn<'_>) {
        if let Draining::Waiting { end, .. } = self.draining {
            turn.effects.push(Effect::Draining { left: self.left() });
            self.report_later(end, turn);
        }
    }

    /// The drain has lasted too long.
    pub(super) fn give_up_draining(&mut self, turn: &mut Turn<'_>) {
        turn.effects.push(Effect::Draining { left: self.left() });
        self.exit(ExitCode::Unfinished, turn);
    }

    /// Exits if nothing is left to wait for.
    pub(super) fn look_whether_drained(&mut self, turn: &mut Turn<'_>) {
        let waiting = matches!(self.draining, Draining::Waiting { .. });
        if waiting && self.awaited == 0 && self.stores.is_empty() {
            self.exit(ExitCode::Finished, turn);
        }
    }

    pub(super) fn exit(&mut self, code: ExitCode, turn: &mut Turn<'_>) {
        if let Draining::Waiting { report, end } = self.draining {
            self.deadlines.call_off(report, Timer::DrainReport);
            if let Some(end) = end {
                self.deadlines.call_off(end, Timer::DrainEnd);
            }
        }
        self.draining = Draining::Over;
        turn.effects.push(Effect::Exit { code });
    }

    /// How many timers the drain has set.
    pub(crate) fn drain_timers(&self) -> usize {
        match self.draining {
            Draining::No | Draining::Over => 0,
            Draining::Waiting { end, .. } => 1 + usize::from(end.is_some()),
        }
    }

    /// The functions with jobs that are waited for.
    fn left(&self) -> Vec<FunctionStatus> {
        let functions = self.functions.in_order().filter(|(_, function)| function.awaited > 0);
        let status = |(_, function): (_, &Function)| FunctionStatus {
            function: function.name.to_bytes(),
            total: u64::from(function.awaited),
            running: u64::from(function.assigned),
            workers: u64::from(function.workers),
        };
        functions.map(status).collect()
    }

    /// Whether a drain waits for a job: one that runs, and one that waits unless a store keeps it.
    pub(crate) const fn is_awaited(&self, job: &Job) -> bool {
        match job.state {
            JobState::Assigned { .. } => true,
            JobState::Waiting { .. } => !self.config.store || matches!(job.keeping, Keeping::Foreground),
            JobState::Reserved { .. } | JobState::Scheduled { .. } => false,
        }
    }
}
