//! A client that sets a limit and submits as many jobs as fit, and some more: by chance alone queues are seldom full.

use super::{Drawing, small, tiny};
use crate::workload::{
    ActorKind, ActorPlan, AdminPlan, Op, PriorityPlan, Step, SubmitPlan, Then, UniquePlan, Which,
};

impl Drawing {
    /// Puts a crowd somewhere between all else that a client does.
    pub(super) fn crowd(&self, actor: u64, client: &mut ActorPlan) {
        let mut chance = self.rng(actor, "workload.crowd", 0);
        if !self.limits || client.kind != ActorKind::Raw || chance.odds(1, 3) {
            return;
        }
        let function = tiny(chance.below(self.functions));
        let room = tiny(chance.between(1..=3));
        let most = [room; 3];
        let cancels = chance.odds(1, 2).then(|| chance.between(1..=u64::from(room)));
        let mut steps = vec![Step { after_ms: 0, op: Op::Admin(AdminPlan::MaxQueue { function, most }) }];
        for number in 0..u64::from(room) + 3 {
            if cancels == Some(number) {
                let op = Op::Admin(AdminPlan::Cancel(Which::Own(0)));
                steps.push(Step { after_ms: 0, op });
            }
            let op = Op::Submit(SubmitPlan {
                function,
                unique: UniquePlan::None,
                priority: *chance.weighted(&[
                    (1, PriorityPlan::High),
                    (1, PriorityPlan::Normal),
                    (3, PriorityPlan::Low),
                ]),
                background: true,
                epoch_s: None,
                reducer: None,
                size: 20,
                is_empty: false,
                then: Then::Created,
            });
            // The first comes when the limit is set, on most days.
            steps.push(Step { after_ms: if number == 0 { small(chance.between(40..=80)) } else { 0 }, op });
        }
        let place = chance.index(client.steps.len() + 1);
        client.steps.splice(place..place, steps);
    }
}
