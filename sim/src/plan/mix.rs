//! Which classes of faults a plan may have.

use crate::faults::FaultClass;
use crate::workload::{ActorPlan, Op, Step, Then, Workload};
use std::collections::BTreeSet;

/// A choice of fault classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix(BTreeSet<FaultClass>);

impl Mix {
    /// All classes.
    #[must_use]
    pub fn everything() -> Self {
        Self(FaultClass::ALL.iter().copied().collect())
    }

    /// These classes.
    #[must_use]
    pub fn of(classes: impl IntoIterator<Item = FaultClass>) -> Self {
        Self(classes.into_iter().collect())
    }

    /// Whether a class is in it.
    #[must_use]
    pub fn has(&self, class: FaultClass) -> bool {
        self.0.contains(&class)
    }

    /// The classes, in order.
    pub fn classes(&self) -> impl Iterator<Item = FaultClass> + '_ {
        self.0.iter().copied()
    }

    /// Takes the classes out of a workload that are not in the mix: four of them are habits of actors.
    pub(super) fn tame(&self, workload: &mut Workload) {
        for actor in &mut workload.actors {
            self.tame_client(actor);
            self.tame_worker(actor);
        }
    }

    fn tame_client(&self, actor: &mut ActorPlan) {
        let leaves = |op: &Op| matches!(op, Op::Leave { .. } | Op::HalfClose { .. });
        let hostile = |op: &Op| matches!(op, Op::Hostile(_));
        let is_worker = actor.worker.is_some();
        actor.steps.retain(|Step { op, .. }| {
            (self.has(FaultClass::ClientLeave) || is_worker || !leaves(op))
                && (self.has(FaultClass::HostileBytes) || !hostile(op))
        });
        if !self.has(FaultClass::CallTimeout) {
            for step in &mut actor.steps {
                if let Op::Submit(submit) = &mut step.op
                    && matches!(submit.then, Then::Ended(_))
                {
                    submit.then = Then::Created;
                }
            }
        }
    }

    fn tame_worker(&self, actor: &mut ActorPlan) {
        if !self.has(FaultClass::JobTimeout)
            && let Some(worker) = &mut actor.worker
        {
            worker.abilities.iter_mut().for_each(|ability| ability.timeout_ms = None);
        }
    }
}
