//! NO_JOB is the truth.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct NoJobMeansNone;

impl Rule for NoJobMeansNone {
    const INFO: RuleInfo = RuleInfo {
        name: "no-job-means-none",
        sentence: "A worker is told that there is no job only while no new job waits that it can do.",
        defends: &["H-076", "H-098"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Waited { job, wait } = *fact else { return };
        if wait.kind != WaitKind::Fresh {
            return;
        }
        bench.armed();
        if let Some(grab) = ledger.passed_over(job, wait) {
            let what = format!("the job was hidden: the grab #{} was told that there is none", grab.place);
            bench.accuse(About::job(ledger, job), what);
        }
    }
}
