//! How the engine stands, read from what the verbs have counted.

use super::Engine;
use crate::tables::functions::Function;
use crate::tables::jobs::JobState;
use crate::{Figures, FunctionPage};
use std::time::Duration;

impl Engine {
    pub(super) fn read_figures(&self) -> Figures {
        Figures {
            vitals: self.vitals(),
            memory_limit: self.config.memory_limit,
            opened: self.opened,
            refusals: self.refusals,
        }
    }

    /// Takes time for each place on the page, whether a function has it or not.
    pub(super) fn read_functions(&self, page: usize, most: usize) -> FunctionPage {
        let places = self.functions.slab.places();
        let from = page.saturating_mul(most).min(places);
        let to = from.saturating_add(most).min(places);
        let functions = self.functions.slab.range(from..to);
        let rows = functions.map(|function| function.figures(self.oldest(function))).collect();
        FunctionPage { rows, next: (to < places).then(|| page + 1) }
    }

    /// For how long the first of the function's queues has waited.
    fn oldest(&self, function: &Function) -> Option<Duration> {
        let firsts = function.waiting.iter().filter_map(|queue| queue.first());
        let since = firsts.filter_map(|job| match self.jobs.slab[job].state {
            JobState::Waiting { since, .. } => Some(since),
            JobState::Reserved { .. } | JobState::Scheduled { .. } | JobState::Assigned { .. } => None,
        });
        since.min().map(|since| self.now.since(since))
    }
}
