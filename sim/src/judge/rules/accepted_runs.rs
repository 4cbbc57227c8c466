//! What was accepted is not forgotten.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct AcceptedRuns;

impl Rule for AcceptedRuns {
    const INFO: RuleInfo = RuleInfo {
        name: "accepted-runs",
        sentence: "A job that was acknowledged and is wanted is handed out in the end.",
        defends: &["H-037", "H-094", "H-095", "H-096", "H-127", "H-204"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        if !matches!(fact, Fact::Finished) {
            return;
        }
        for job in ledger.job_ids() {
            if !ledger[job].submits.is_empty() {
                bench.armed();
            }
            let Some(wait) = ledger.wait_going_on(job).filter(|wait| wait.kind == WaitKind::Fresh) else { continue };
            if let Some(grab) = ledger.passed_over(job, wait) {
                let what = format!(
                    "the job was acknowledged and never handed out; the grab #{} was told that there is no job",
                    grab.place
                );
                bench.accuse(About::job(ledger, job), what);
            }
        }
    }
}
