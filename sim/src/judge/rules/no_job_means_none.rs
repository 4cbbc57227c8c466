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

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const WAITS: &str = "c> submit mail bg
        c< created H:1
        w> can_do mail
        w> grab";

    #[test]
    fn a_job_that_is_given_at_once_is_right() {
        let script = format!("{WAITS}\n w< assign H:1 mail");
        assert_eq!((broken(&script), armed("no-job-means-none", &script)), (vec![], 1));
    }

    #[test]
    fn a_job_that_was_denied_first_is_wrong() {
        let script = format!("{WAITS}\n w< no_job\n w> grab\n w< assign H:1 mail");
        assert_eq!(broken(&script), ["no-job-means-none"]);
    }

    #[test]
    fn a_job_that_may_have_come_later_is_not_judged() {
        let script = "w> can_do mail
            w> grab
            c> submit mail bg
            c< created H:1
            w< no_job
            w> grab
            w< assign H:1 mail";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn a_worker_is_not_told_of_what_it_cannot_do() {
        let script = format!("v> can_do index\n{WAITS}\n v> grab\n v< no_job\n w< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }
}
