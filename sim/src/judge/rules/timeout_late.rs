//! A time limit that has passed has passed.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{JobId, Since, Wait, WaitKind};

#[derive(Debug, Default)]
pub(super) struct TimeoutLate;

impl Rule for TimeoutLate {
    const INFO: RuleInfo = RuleInfo {
        name: "timeout-late",
        sentence: "When a job's time limit has passed it is there for the next grab, and its worker is not listened to.",
        defends: &["H-033", "H-062"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Waited { job, wait } => judge(job, wait, ledger, bench),
            Fact::Finished => {
                for job in ledger.job_ids() {
                    if let Some(wait) = ledger.wait_going_on(job) {
                        judge(job, wait, ledger, bench);
                    }
                }
            }
            Fact::Accepted { job, attempt, said } => {
                let attempt = &ledger[job].attempts[attempt];
                let expiry = ledger.surely_expired_at(attempt);
                let wrote = attempt.said[said].wrote;
                if expiry.is_some_and(|expiry| Since::Time(expiry).is_before(wrote)) && !ledger[job].is_murky {
                    let what = "a report was accepted although the job's limit had passed".to_owned();
                    bench.accuse(About::job(ledger, job).at(attempt.connection), what);
                }
            }
            _ => {}
        }
    }
}

fn judge(job: JobId, wait: Wait, ledger: &Ledger, bench: &mut Bench) {
    if wait.kind != WaitKind::Expired {
        return;
    }
    bench.armed();
    if let Some(grab) = ledger.passed_over(job, wait) {
        let what = format!("the job's limit had passed, and the grab #{} was told that there is no job", grab.place);
        bench.accuse(About::job(ledger, job), what);
    }
}
