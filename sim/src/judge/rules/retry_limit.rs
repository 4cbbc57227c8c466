//! How often a job may lose its worker.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct RetryLimit;

impl Rule for RetryLimit {
    const INFO: RuleInfo = RuleInfo {
        name: "retry-limit",
        sentence: "A job is dropped with one WORK_FAIL at the loss that its limit names, not before and not after.",
        defends: &["H-040", "H-091", "H-102", "H-121"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, .. } => {
                let Some(limit) = ledger.terms.attempts() else { return };
                if attempt >= limit && !ledger[job].is_murky {
                    let connection = ledger[job].attempts[attempt].connection;
                    let what = format!("the job was handed out for the {}th time; {limit} are allowed", attempt + 1);
                    bench.accuse(About::job(ledger, job).at(connection), what);
                }
            }
            Fact::HeardServer { connection, job } => {
                bench.armed();
                let job_now = &ledger[job];
                if !job_now.cancelling && !job_now.is_murky && !ledger.may_be_dropped(job_now) {
                    let what = "the job failed although no worker said so and it was not lost too often".to_owned();
                    bench.accuse(About::job(ledger, job).at(connection), what);
                }
            }
            Fact::EndMissing { connection, job, dropped: true } => {
                let what = "the job was lost as often as it may be, and a watcher was not told".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::Waited { wait, .. } if wait.kind != WaitKind::Fresh => bench.armed(),
            _ => {}
        }
    }
}
