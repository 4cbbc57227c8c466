//! What nobody wants is not done.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RemovedStaysRemoved;

impl Rule for RemovedStaysRemoved {
    const INFO: RuleInfo = RuleInfo {
        name: "removed-stays-removed",
        sentence: "A cancelled job, and a foreground job whose last watcher has left, is not handed out any more.",
        defends: &["H-003", "H-053"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, .. } => {
                let (job_now, attempt) = (&ledger[job], &ledger[job].attempts[attempt]);
                let is_after = |place: u64| place < attempt.grab.place;
                let cancelled = job_now.cancelling && job_now.over.is_some_and(is_after);
                let what = if ledger.surely_unwatched(job).is_some_and(is_after) {
                    "a worker was given the job although its last watcher had left"
                } else if cancelled && !job_now.is_murky {
                    "a worker was given the job although it had been cancelled"
                } else {
                    return;
                };
                bench.accuse(About::job(ledger, job).at(attempt.connection), what.to_owned());
            }
            Fact::Finished => {
                let removed = |job: &_| ledger[*job].attempts.is_empty() && ledger.surely_unwatched(*job).is_some();
                ledger.job_ids().filter(removed).for_each(|_| bench.armed());
            }
            _ => {}
        }
    }
}
