//! Time passes: what was to happen happens.

use super::{Engine, Turn};
use crate::tables::connections::Rest;
use crate::tables::deadlines::{AT_ONCE, Due, Timer};

impl Engine {
    /// Acts on the deadlines that have passed, in the order in which they passed, as far as may be done at once. Says
    /// whether there was one.
    pub(super) fn elapse(&mut self, turn: &mut Turn<'_>) -> bool {
        let mut acted = false;
        while let Some(due) = self.deadlines.take_passed() {
            acted = true;
            match due {
                Due::Scheduled(job) => {
                    let job = self.jobs.by_number(job).expect("a scheduled job is live");
                    self.come_due(job);
                }
                Due::Timer(timer) => self.fire(timer, turn),
            }
        }
        acted
    }

    fn fire(&mut self, timer: Timer, turn: &mut Turn<'_>) {
        match timer {
            Timer::Job { job, .. } => {
                let job = self.jobs.by_number(job).expect("a timer goes with its job");
                let function = self.jobs.slab[job].function;
                self.functions.slab[function].counts.timed_out += 1;
                self.lose(job, turn);
            }
            Timer::Wakeup(worker) => {
                let worker = self.connections.find(worker).expect("a timer goes with its connection");
                self.rest(worker, Rest::Hung);
            }
            Timer::Peer(peer) => self.lose_patience(peer, turn),
            Timer::Part(peer) => {
                self.tell_part(peer, turn);
                self.deadlines.spend(AT_ONCE);
            }
            Timer::Remains => {
                self.clear_remains(turn);
                self.deadlines.spend(AT_ONCE);
            }
            Timer::DrainReport => self.report_drain(turn),
            Timer::DrainEnd => self.give_up_draining(turn),
        }
    }
}
