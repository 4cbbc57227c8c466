//! What nobody wants is not done.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Attempt;

#[derive(Debug, Default)]
pub(super) struct RemovedStaysRemoved;

impl Rule for RemovedStaysRemoved {
    const INFO: RuleInfo = RuleInfo {
        name: "removed-stays-removed",
        sentence: "A cancelled job, and a foreground job whose last watcher has left, is not handed out any more.",
        defends: &["H-003", "H-053"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, was_over, .. } => {
                // What a worker has done, or may have, is another rule's business.
                if ledger[job].attempts.iter().any(Attempt::may_have_finished) {
                    return;
                }
                let attempt = &ledger[job].attempts[attempt];
                let is_after = |place: u64| place < attempt.grab.place;
                let what = if ledger.surely_unwatched(job).is_some_and(is_after) {
                    "a worker was given the job although its last watcher had left"
                } else if was_over && ledger[job].is_cancelled {
                    "a worker was given the job although it had been cancelled"
                } else {
                    return;
                };
                bench.accuse(About::job(ledger, job).at(attempt.connection), what.to_owned());
            }
            Fact::Finished => {
                let removed = |job: &_| ledger[*job].attempts.is_empty() && ledger.surely_unwatched(*job).is_some();
                ledger.job_ids().filter(removed).for_each(|_| bench.armed());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const LEFT: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        c closes";

    #[test]
    fn what_nobody_wants_is_gone() {
        let script = format!("{LEFT}\n c ended\n w> grab\n w< no_job");
        assert_eq!((broken(&script), armed("removed-stays-removed", &script)), (vec![], 1));
    }

    #[test]
    fn what_nobody_wants_is_not_handed_out() {
        let script = format!("{LEFT}\n c ended\n w> grab\n w< assign H:1 mail");
        assert_eq!(broken(&script), ["removed-stays-removed"]);
    }

    #[test]
    fn what_was_cancelled_is_not_handed_out() {
        let script = "c> submit mail bg
            c< created H:1
            w> can_do mail
            d> cancel H:1
            d< line OK
            w> grab
            w< assign H:1 mail";
        assert_eq!(broken(script), ["removed-stays-removed"]);
    }

    #[test]
    fn what_a_worker_has_done_is_another_rules_business() {
        let done = format!(
            "{LEFT}\n w> grab\n w< assign H:1 mail\n w> complete H:1 x\n w> grab\n w< no_job\n c ended"
        );
        assert_eq!(broken(&format!("{done}\n w> grab\n w< assign H:1 mail")), ["run-once"]);
    }

    #[test]
    fn until_the_server_knows_of_it_or_while_another_may_want_it_it_is_not_judged() {
        assert_eq!(broken(&format!("{LEFT}\n w> grab\n c ended\n w< assign H:1 mail")), [""; 0]);
        let wanted = format!("d> submit mail key=k\n{LEFT}\n c ended\n w> grab\n w< assign H:1 mail")
            .replace("c> submit mail", "c> submit mail key=k");
        assert_eq!(broken(&wanted), [""; 0]);
    }
}
