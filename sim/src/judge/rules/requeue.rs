//! The jobs of lost workers come back.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{JobId, Wait, WaitKind};

#[derive(Debug, Default)]
pub(super) struct Requeue;

impl Rule for Requeue {
    const INFO: RuleInfo = RuleInfo {
        name: "requeue",
        sentence: "A job whose worker has left or given it up is there for the next grab.",
        defends: &["H-007", "H-125"],
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
            _ => {}
        }
    }
}

fn judge(job: JobId, wait: Wait, ledger: &Ledger, bench: &mut Bench) {
    if wait.kind != WaitKind::Lost {
        return;
    }
    bench.armed();
    if let Some(grab) = ledger.passed_over(job, wait) {
        let what = format!("the job's worker was lost, and the grab #{} was told that there is no job", grab.place);
        bench.accuse(About::job(ledger, job), what);
    }
}
