//! Wake-ups: after every event, enough workers are woken for what waits.
//!
//! This is a level and not an edge. It does not matter what made a job runnable or a worker sleep: each verb that
//! changes either marks the function, and before the turn ends marked functions are looked at.

use super::{Engine, Turn};
use crate::tables::connections::{ConnectionKey, Rest};
use crate::tables::deadlines::Timer;
use crate::tables::functions::FunctionKey;
use gearman_protocol::Response;

impl Engine {
    /// Marks a function, because it has more jobs or sleepers, or fewer woken workers.
    pub(super) fn unsettle(&mut self, key: FunctionKey) {
        let function = &mut self.functions.slab[key];
        if function.unsettled || function.sleepers.is_empty() || function.runnable() == 0 {
            return;
        }
        function.unsettled = true;
        self.unsettled.push(key);
    }

    /// Wakes whom the marked functions need, the oldest function first.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>) {
        let mut unsettled = std::mem::take(&mut self.unsettled);
        unsettled.sort_unstable_by_key(|&key| self.functions.slab[key].serial);
        for &key in &unsettled {
            self.functions.slab[key].unsettled = false;
            while let Some(sleeper) = self.needed_sleeper(key) {
                self.wake(sleeper, turn);
            }
        }
        // Waking makes no function need more, so nothing was marked meanwhile; the list keeps its memory.
        debug_assert!(self.unsettled.is_empty(), "a wake-up has unsettled a function");
        unsettled.clear();
        self.unsettled = unsettled;
    }

    /// The next sleeper to wake, if the function's jobs need one more: each needs `worker_wakeup` woken workers,
    /// or all there are.
    fn needed_sleeper(&self, key: FunctionKey) -> Option<ConnectionKey> {
        let function = &self.functions.slab[key];
        let runnable = function.runnable();
        let each = self.config.worker_wakeup.map_or(u64::MAX, u64::from);
        let enough = u64::from(function.woken) >= runnable.saturating_mul(each);
        let sleeper = function.sleepers.first().filter(|_| !enough)?;
        Some(self.abilities.slab[sleeper].worker)
    }

    /// Sends the one NOOP of this sleep.
    pub(super) fn wake(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        let until = turn.now + self.config.wakeup_timeout;
        self.rest(who, Rest::Woken { until });
        self.send(who, Response::Noop, turn);
    }

    /// A request has come: a worker that was woken is awake.
    pub(super) fn hear(&mut self, who: ConnectionKey) {
        match self.connections.slab[who].rest {
            Rest::Woken { .. } | Rest::Hung => self.rest(who, Rest::Awake),
            Rest::Awake | Rest::Asleep => {}
        }
    }

    /// Changes whether a worker sleeps, and tells its functions: takes time for each of them.
    pub(crate) fn rest(&mut self, who: ConnectionKey, rest: Rest) {
        let worker = &mut self.connections.slab[who];
        let before = std::mem::replace(&mut worker.rest, rest);
        if before == rest {
            return;
        }
        if let Rest::Woken { until } = before {
            self.deadlines.call_off(until, Timer::Wakeup(worker.id));
        }
        if let Rest::Woken { until } = rest {
            self.deadlines.set(until, Timer::Wakeup(worker.id));
        }
        let mut next = self.connections.slab[who].abilities.first();
        while let Some(key) = next {
            next = self.abilities.slab[key].next_of_worker();
            let function = &mut self.functions.slab[self.abilities.slab[key].function];
            match before {
                Rest::Asleep => function.sleepers.remove(&mut self.abilities.slab, key),
                Rest::Woken { .. } => function.woken -= 1,
                Rest::Awake | Rest::Hung => {}
            }
            match rest {
                Rest::Asleep => function.sleepers.push_back(&mut self.abilities.slab, key),
                Rest::Woken { .. } => function.woken += 1,
                Rest::Awake | Rest::Hung => {}
            }
            if let Rest::Woken { .. } = before {
                let function = self.abilities.slab[key].function;
                self.unsettle(function);
            }
        }
    }
}
