//! Two clients whose submits meet in one job before anybody works on it, and one of whom leaves: which of them the
//! job was for decides whether it lives on, and chance alone arranges that too seldom.

use super::{Drawing, NOBODY, SHARED, small, tiny};
use crate::workload::{ActorPlan, Op, PriorityPlan, Step, SubmitPlan, Then, UniquePlan};

impl Drawing {
    /// Puts a meeting before everything else that two of the clients do.
    pub(super) fn meet(&self, clients: &mut [ActorPlan]) {
        let mut chance = self.rng(NOBODY, "workload.meeting", 0);
        let [leaver, stayer, ..] = clients else { return };
        if !self.sharing || !chance.odds(3, 4) {
            return;
        }
        let function = tiny(chance.below(self.functions));
        let mut times = [small(chance.between(0..=20)), small(chance.between(80..=160))];
        if chance.odds(1, 2) {
            times.reverse();
        }
        let stays = small(chance.between(180..=280));
        let back_ms = Some(small(chance.between(1..=400)));
        let submit = |after_ms, background| {
            let op = Op::Submit(SubmitPlan {
                function,
                unique: UniquePlan::Shared(tiny(SHARED)),
                priority: PriorityPlan::Low,
                background,
                epoch_s: None,
                reducer: None,
                size: 20,
                is_empty: false,
                then: Then::Created,
            });
            Step { after_ms, op }
        };
        let leaves = Step { after_ms: stays, op: Op::Leave { back_ms } };
        begin_with(leaver, [submit(times[0], false), leaves]);
        begin_with(stayer, [submit(times[1], true)]);
    }
}

fn begin_with<const N: usize>(actor: &mut ActorPlan, steps: [Step; N]) {
    actor.starts_ms = 0;
    actor.steps.splice(0..0, steps);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn met(workload: &Workload) -> Vec<bool> {
        let met = workload.submits().filter(|submit| submit.unique == UniquePlan::Shared(tiny(SHARED)));
        met.map(|submit| submit.background).collect()
    }

    #[test]
    fn half_of_the_seeds_have_one_of_each_kind_in_a_job_of_their_own() {
        let all: Vec<Vec<bool>> = (0..100).map(|seed| met(&Workload::draw(seed))).collect();
        assert!(all.iter().filter(|met| !met.is_empty()).count() >= 40);
        for met in all {
            assert!(met.is_empty() || met == [false, true], "{met:?}");
        }
    }
}
