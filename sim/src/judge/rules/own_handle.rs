//! A handle names one live job.

use super::coalescing::is_other_unique;
use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnHandle;

impl Rule for OwnHandle {
    const INFO: RuleInfo = RuleInfo {
        name: "own-handle",
        sentence: "No two jobs share a handle.",
        defends: &["H-207", "K21"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Mistaken { submit, job } if !is_other_unique(submit, job, ledger) => {
                let about = About::job(ledger, job).at(ledger.submit(submit).connection);
                bench.accuse(about, "a new job was given the handle of another".to_owned());
            }
            Fact::Created { .. } => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    #[test]
    fn each_job_has_a_handle_of_its_own() {
        let script = "c> submit mail
            c> submit mail
            c< created H:1
            c< created H:2";
        assert_eq!((broken(script), armed("own-handle", script)), (vec![], 2));
    }

    #[test]
    fn one_handle_for_two_jobs_is_wrong() {
        let script = "c> submit mail
            c> submit mail
            c< created H:1
            c< created H:1";
        assert_eq!(broken(script), ["own-handle"]);
        let script = "c> submit mail key=k
            c> submit index key=k
            c< created H:1
            c< created H:1";
        assert_eq!(broken(script), ["own-handle"]);
    }

    #[test]
    fn a_server_that_was_started_again_counts_again() {
        let script = "c> submit mail
            c< created H:1
            server down
            server up
            c> submit index
            c< created H:1";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn a_handle_of_a_job_that_may_not_have_ended_yet_may_be_told_again() {
        let ends = "c> submit mail key=k
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> complete H:1 done";
        // The server may have read the submit before it read the end.
        assert_eq!(broken(&format!("{ends}\n d> submit mail key=k\n d< created H:1")), [""; 0]);
        let known = "c< complete H:1 done\n d> submit mail key=k\n d< created H:1";
        // When it is known to have ended, whoever joins it joins nothing.
        assert_eq!(broken(&format!("{ends}\n {known}")), ["coalescing"]);
    }
}
