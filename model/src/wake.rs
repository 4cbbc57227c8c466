//! Sleeping and waking: a level, not an edge.

use crate::Model;
use crate::connection::{Connection, Sleep};
use gearman_engine::ConnectionId;
use gearman_protocol::{FunctionName, Response, Time};

impl Model {
    pub(crate) fn pre_sleep(&mut self, from: ConnectionId) {
        let (now, place) = (self.now, self.place());
        let work: Vec<&FunctionName> =
            self.jobs.iter().filter(|job| job.is_waiting()).map(|job| &job.function).collect();
        let Some(connection) = self.connections.iter_mut().find(|connection| connection.id == from) else {
            return;
        };
        if work.into_iter().any(|function| connection.is_able(function)) {
            connection.sleep = Sleep::Woken { at: now };
            self.send(from, Response::Noop);
        } else if !matches!(connection.sleep, Sleep::Asleep { .. }) {
            connection.sleep = Sleep::Asleep { place };
        }
    }

    /// Wakes as many sleepers as the waiting jobs want. Whether there were any.
    pub(crate) fn wake_sleepers(&mut self) -> bool {
        let names: Vec<FunctionName> = self.functions.iter().map(|function| function.name.clone()).collect();
        let mut woke = false;
        for name in names {
            let missing = self.missing(&name);
            let mut sleepers = self.sleepers(&name);
            if missing > 0 && !sleepers.is_empty() {
                let first = self.lot(sleepers.len());
                sleepers.rotate_left(first);
            }
            for sleeper in sleepers.into_iter().take(missing) {
                self.wake(sleeper);
                woke = true;
            }
        }
        woke
    }

    /// How many workers more the function's waiting jobs want woken.
    fn missing(&self, function: &FunctionName) -> usize {
        let waiting = self.jobs.iter().filter(|job| job.is_waiting() && job.function == *function).count();
        if waiting == 0 {
            return 0;
        }
        let wanted = match self.config.worker_wakeup {
            None => usize::MAX,
            Some(limit) => waiting.saturating_mul(limit.max(1) as usize),
        };
        let woken =
            self.connections.iter().filter(|worker| worker.is_able(function) && self.is_woken(worker));
        wanted.saturating_sub(woken.count())
    }

    fn wake(&mut self, sleeper: ConnectionId) {
        let at = self.now;
        if let Some(connection) = self.connection(sleeper) {
            connection.sleep = Sleep::Woken { at };
        }
        self.send(sleeper, Response::Noop);
    }

    /// Who sleeps and can do the function, those first that came first to do both.
    fn sleepers(&self, function: &FunctionName) -> Vec<ConnectionId> {
        let sleepers = self.connections.iter().filter_map(|connection| {
            let Sleep::Asleep { place } = connection.sleep else { return None };
            let ability = connection.abilities.iter().find(|ability| ability.function == *function)?;
            Some((place.max(ability.registered), connection.id))
        });
        let mut sleepers: Vec<(u64, ConnectionId)> = sleepers.collect();
        sleepers.sort_unstable();
        sleepers.into_iter().map(|(_, id)| id).collect()
    }

    pub(crate) fn somebody_sleeps(&self) -> bool {
        self.connections.iter().any(|connection| matches!(connection.sleep, Sleep::Asleep { .. }))
    }

    /// Whether the worker was woken and may still come.
    fn is_woken(&self, worker: &Connection) -> bool {
        self.hangs_at(worker).is_some_and(|moment| moment > self.now)
    }

    /// When a woken worker that says nothing counts as hung.
    pub(crate) fn hangs_at(&self, worker: &Connection) -> Option<Time> {
        match worker.sleep {
            Sleep::Woken { at } => Some(at + self.config.wakeup_timeout),
            Sleep::Awake | Sleep::Asleep { .. } => None,
        }
    }
}
