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

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const WAITS: &str = "c> submit mail bg
        c< created H:1
        w> can_do mail";

    #[test]
    fn handed_out_in_the_end_is_right() {
        let script = format!("{WAITS}\n w> grab\n w< assign H:1 mail");
        assert_eq!((broken(&script), armed("accepted-runs", &script)), (vec![], 1));
    }

    #[test]
    fn never_though_somebody_asked_is_wrong() {
        assert_eq!(broken(&format!("{WAITS}\n w> grab\n w< no_job")), ["accepted-runs"]);
    }

    #[test]
    fn what_another_may_have_been_given_is_not_missed() {
        let script = format!("{WAITS}\n w2> can_do mail\n w2> grab\n w> grab\n w< no_job");
        assert_eq!(broken(&script), [""; 0]);
        assert_eq!(broken(&format!("{script}\n w2 closes")), [""; 0]);
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_missed() {
        let script = format!("{WAITS}\n c closes\n w> grab\n w< no_job").replace(" bg", "");
        assert_eq!(broken(&script), [""; 0]);
        // A background job that somebody also watched is wanted all the same.
        let both = "c> submit mail key=k
            c< created H:1
            d> submit mail key=k bg
            d< created H:1
            w> can_do mail
            c closes
            c ended
            w> grab
            w< no_job";
        assert_eq!(broken(both), ["accepted-runs"]);
    }
}
