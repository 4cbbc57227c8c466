//! The limits that a worker has set itself, and the jobs that took it longer.

use super::Stretch;
use bytes::Bytes;
use gearman_protocol::{JobTimeout, Report, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one connection has registered with a limit, and what it holds under one.
#[derive(Debug, Default)]
pub(super) struct Limits {
    by_function: BTreeMap<Bytes, Duration>,
    timed: Vec<Timed>,
}

/// A job in the hands of a worker that has a limit for it.
#[derive(Debug)]
struct Timed {
    handle: Bytes,
    until: Time,
    /// How far this worker has come with it.
    stretch: Stretch,
}

impl Limits {
    /// The worker can do a function, within a time or not; what it says last counts. Shorter limits than `least`
    /// are raised to it.
    pub(super) fn registered(&mut self, function: Bytes, timeout: Option<&JobTimeout>, least: Duration) {
        let millis = timeout.and_then(|timeout| std::str::from_utf8(&timeout.0).ok()?.parse::<u64>().ok());
        match millis {
            Some(millis @ 1..) => self.by_function.insert(function, Duration::from_millis(millis).max(least)),
            Some(0) | None => self.by_function.remove(&function),
        };
    }

    pub(super) fn assigned(&mut self, at: Time, handle: Bytes, function: &[u8]) {
        if let Some(&limit) = self.by_function.get(function) {
            self.timed.push(Timed { handle, until: at + limit, stretch: Stretch::Assigned });
        }
    }

    /// The worker says something of a job, be it still its own or not; where it was if that is too late.
    pub(super) fn reported(&mut self, at: Time, handle: &Bytes, report: &Report) -> Option<Stretch> {
        let index = self.timed.iter().position(|timed| timed.handle == *handle)?;
        let timed = &mut self.timed[index];
        if at > timed.until {
            return Some(self.timed.swap_remove(index).stretch);
        }
        if report.is_terminal() {
            self.timed.swap_remove(index);
        } else {
            timed.stretch =
                if matches!(report, Report::Data(_)) { Stretch::DataSent } else { Stretch::Running };
        }
        None
    }

    /// The connection is over: where the jobs were that took too long.
    pub(super) fn ended(self, at: Time) -> impl Iterator<Item = Stretch> {
        self.timed.into_iter().filter(move |timed| at > timed.until).map(|timed| timed.stretch)
    }
}
