//! Told to end, a server takes nothing new, and waits for what runs.
//!
//! It waits for foreground jobs that nobody has taken as well; but one that ends without such a job may have lost it long
//! before, which is the business of other rules.
//! So is one that took a job from its worker before the job's time was up.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct DrainKeepsItsWord;

impl Rule for DrainKeepsItsWord {
    const INFO: RuleInfo = RuleInfo {
        name: "drain-keeps-its-word",
        sentence: "A server that is told to end takes no new job, and ends before its time only when no worker has a job in hand that it may keep.",
        defends: &["H-133", "H-134"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Some(told) = ledger.told_to_end else { return };
        match *fact {
            Fact::TooLate { submit } if ledger.should_be_refused(submit) => bench.armed(),
            Fact::Created { submit, job, .. } if ledger.should_be_refused(submit) => {
                let what = format!("it was submitted #{} and taken", ledger.submit(submit).wrote.place);
                bench.accuse(About::job(ledger, job), format!("told to end #{}: {what}", told.place));
            }
            Fact::Ends if ledger.now.at + ledger.terms.slack < told.at + ledger.terms.drains_for => {
                bench.armed();
                for job in ledger.job_ids().filter(|&job| ledger.is_surely_in_hand_without_limit(job)) {
                    let waited = ledger.now.at.since(told.at).as_millis();
                    let what = format!("told to end, the server has ended after {waited} ms without it");
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::Terms;
    use crate::judge::script::{armed, broken, broken_on, terms};

    const NAME: &str = "drain-keeps-its-word";

    #[test]
    fn what_is_submitted_after_the_order_is_refused() {
        let refused = "server drains\n c> submit mail bg\n c< draining";
        assert_eq!((broken(refused), armed(NAME, refused)), (vec![], 1));
        assert_eq!(broken("server drains\n c> submit mail bg\n c< created H:1"), [NAME]);
        let before = "c> submit mail bg\n server drains\n c< draining";
        assert_eq!((broken(before), armed(NAME, before)), (vec![], 0));
        // It may have come before the order did; so may any other, where only the sending of the order is seen.
        let somewhen = Terms { hears_at_once: false, ..terms() };
        assert_eq!(broken_on(somewhen, "server drains\n c> submit mail bg\n c< created H:1"), [""; 0]);
        assert_eq!(broken("c> submit mail bg\n server drains\n c< created H:1"), [""; 0]);
        let after_the_end = "server drains\n server ends\n server down\n server up\n c> submit mail bg\n c< created H:1";
        assert_eq!(broken(after_the_end), [""; 0]);
    }

    const RUNS: &str = "w> can_do mail
        c> submit mail
        c< created H:1
        w> grab
        w< assign H:1 mail
        server drains";

    #[test]
    fn what_runs_is_waited_for() {
        let done = format!("{RUNS}\n w> complete H:1 x\n c< complete H:1 x\n server ends\n server down");
        assert_eq!((broken(&done), armed(NAME, &done)), (vec![], 1));
        let hasty = format!("{RUNS}\n +799\n server ends\n server down");
        assert_eq!(broken(&hasty), [NAME]);
        let in_time = format!("{RUNS}\n +800\n server ends\n server down");
        assert_eq!(broken(&in_time), [""; 0]);
        let has_a_limit = hasty.replace("can_do mail", "can_do mail 5000");
        assert_eq!(broken(&has_a_limit), [""; 0]);
        // Who is killed keeps no word.
        assert_eq!(broken(&format!("{RUNS}\n server down")), [""; 0]);
    }

    #[test]
    fn nothing_is_left_undone_that_may_be_done_already() {
        // Nobody waits for it any more, and it runs all the same.
        assert_eq!(broken(&format!("{RUNS}\n c closes\n server ends\n server down")), [NAME]);
        for why in ["w> complete H:1 x", "w closes", "w> reset", "d> cancel H:1"] {
            let script = format!("{RUNS}\n c closes\n {why}\n server ends\n server down");
            assert_eq!(broken(&script), [""; 0], "{why}");
        }
    }

    #[test]
    fn a_job_that_nobody_holds_may_have_been_lost_before() {
        let waits = "c> submit mail\n c< created H:1\n server drains";
        for nobody in ["", "w> can_do mail\n w> grab"] {
            assert_eq!(broken(&format!("{waits}\n{nobody}\n server ends\n server down")), [""; 0]);
        }
    }

    #[test]
    fn what_becomes_of_a_job_that_should_have_been_refused_is_not_told_twice() {
        let unknown = "server drains\n c> submit mail\n c< created H:1\n d> cancel H:1\n d< line ERR UNKNOWN_JOB";
        assert_eq!(broken(&format!("{unknown}\n c> echo x\n c< echo x")), [NAME]);
    }
}
