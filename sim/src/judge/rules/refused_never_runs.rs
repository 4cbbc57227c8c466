//! What was refused is not done.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RefusedNeverRuns;

impl Rule for RefusedNeverRuns {
    const INFO: RuleInfo = RuleInfo {
        name: "refused-never-runs",
        sentence: "A job that a store shall keep and whose submit was refused is never handed out.",
        defends: &["H-053", "R3"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Declined => bench.armed(),
            Fact::Unpromised { job } => {
                let what = "its submit was refused, and it was handed out".to_owned();
                bench.accuse(About::job(ledger, job), what);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed_on, broken, broken_on, with_store};

    const REFUSED: &str = "c> submit mail bg w=one
        c< not_kept
        w> can_do mail
        w> grab";

    #[test]
    fn what_was_refused_is_gone() {
        let script = format!("{REFUSED}\n w< no_job");
        assert_eq!(broken_on(with_store(), &script), [""; 0]);
        assert_eq!(armed_on(with_store(), "refused-never-runs", &script), 1);
        // A server without a store has no such excuse.
        assert_eq!(broken(&script), ["answers-in-order"]);
    }

    #[test]
    fn what_runs_all_the_same_is_wrong() {
        let script = format!("{REFUSED}\n w< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &script), ["refused-never-runs"]);
        let later = REFUSED.replace("w> can_do", "server down\n server up\n w> can_do");
        assert_eq!(broken_on(with_store(), &format!("{later}\n w< assign H:1 mail w=one")), ["refused-never-runs"]);
    }

    #[test]
    fn what_was_refused_before_the_end_never_runs() {
        let refused = REFUSED.replace("not_kept", "draining");
        let script = format!("server drains\n {refused}\n w< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &script), ["refused-never-runs"]);
    }

    #[test]
    fn another_submit_of_the_same_may_have_been_taken() {
        let script = format!("d> submit mail bg w=one\n{REFUSED}\n w< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &script), [""; 0]);
    }
}
