//! What has ended is not done again.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RunOnce;

impl Rule for RunOnce {
    const INFO: RuleInfo = RuleInfo {
        name: "run-once",
        sentence: "A job whose worker has finished it is never handed out again.",
        defends: &["H-066", "H-203"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Clash { job, attempts: [first, second] } => {
                let attempts = &ledger[job].attempts;
                if attempts[first].may_have_finished() {
                    let (holder, other) = (attempts[first].connection, attempts[second].connection);
                    let what = format!("{other} was given the job although {holder} had finished it and was there");
                    bench.accuse(About::job(ledger, job).at(other), what);
                }
            }
            Fact::Assigned { job, attempt, .. } => {
                let (job_now, grab) = (&ledger[job], ledger[job].attempts[attempt].grab);
                let ended = job_now.over.is_some_and(|over| over < grab.place);
                if ended && !job_now.cancelling && !job_now.is_murky {
                    let connection = job_now.attempts[attempt].connection;
                    let what = format!("{connection} asked for a job after this one had ended, and was given it");
                    bench.accuse(About::job(ledger, job).at(connection), what);
                }
            }
            Fact::HeardEnd { excess: false, .. } => bench.armed(),
            _ => {}
        }
    }
}
