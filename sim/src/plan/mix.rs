//! Which classes of faults a plan may have.

use crate::faults::FaultClass;
use crate::workload::{ActorPlan, Op, Step, Then, Workload};
use std::collections::BTreeSet;

/// A choice of fault classes, of which each seed has a choice of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    classes: BTreeSet<FaultClass>,
    /// Whether each seed has all of them, and all kinds of operations, instead.
    is_uniform: bool,
}

impl Mix {
    /// All classes.
    #[must_use]
    pub fn everything() -> Self {
        Self::of(FaultClass::ALL.iter().copied())
    }

    /// All classes and all kinds of operations in every seed: what a choice for each seed is compared with.
    #[must_use]
    pub fn uniform() -> Self {
        Self { is_uniform: true, ..Self::everything() }
    }

    /// These classes.
    #[must_use]
    pub fn of(classes: impl IntoIterator<Item = FaultClass>) -> Self {
        Self { classes: classes.into_iter().collect(), is_uniform: false }
    }

    /// Whether seeds have no choice of their own.
    #[must_use]
    pub const fn is_uniform(&self) -> bool {
        self.is_uniform
    }

    /// Whether a seed has something, if it is drawn whether it has.
    pub(super) const fn grants(&self, drawn: bool) -> bool {
        self.is_uniform || drawn
    }

    /// Whether a class is in it.
    #[must_use]
    pub fn has(&self, class: FaultClass) -> bool {
        self.classes.contains(&class)
    }

    /// The same without some classes.
    pub(super) fn without(&self, leaves_out: impl Fn(FaultClass) -> bool) -> Self {
        let classes = self.classes().filter(|&class| !leaves_out(class)).collect();
        Self { classes, ..*self }
    }

    /// The classes, in order.
    pub fn classes(&self) -> impl Iterator<Item = FaultClass> + '_ {
        self.classes.iter().copied()
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
