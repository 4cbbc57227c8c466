//! How often a job may lose its worker.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct RetryLimit;

impl Rule for RetryLimit {
    const INFO: RuleInfo = RuleInfo {
        name: "retry-limit",
        sentence: "A job is dropped with one WORK_FAIL at the loss that its limit names, not before and not after.",
        defends: &["H-040", "H-091", "H-102", "H-125"],
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
                if !job_now.cancelling && !job_now.is_murky && !ledger.may_be_dropped_early(job_now) {
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

#[cfg(test)]
mod tests {
    use crate::judge::script::broken;

    use crate::judge::Terms;
    use crate::judge::script::{armed_on, broken_on, terms};

    fn twice() -> Terms {
        Terms { job_retries: Some(2), ..terms() }
    }

    const LOST_ONCE: &str = "c> submit mail
        c< created H:1
        w1> can_do mail
        w1> grab
        w1< assign H:1 mail
        w1 closes
        w1 ended
        w2> can_do mail
        w2> grab
        w2< assign H:1 mail";

    #[test]
    fn the_last_loss_ends_the_job() {
        let script = format!("{LOST_ONCE}\n w2 closes\n w2 ended\n c< fail H:1");
        assert_eq!(broken_on(twice(), &script), [""; 0]);
        assert_eq!(armed_on(twice(), "retry-limit", &script), 2);
    }

    #[test]
    fn once_more_is_wrong() {
        let script =
            format!("{LOST_ONCE}\n w2 closes\n w2 ended\n w3> can_do mail\n w3> grab\n w3< assign H:1 mail");
        assert_eq!(broken_on(twice(), &script), ["retry-limit"]);
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn once_less_is_wrong() {
        assert_eq!(broken_on(twice(), &format!("{LOST_ONCE}\n c< fail H:1")), ["retry-limit"]);
    }

    #[test]
    fn a_failure_is_not_taken_for_one_that_came_too_late() {
        let script = LOST_ONCE.replace("w1 closes", "w1> cant_do mail\n w1> fail H:1\n w1< not_yours\n w1 closes");
        assert_eq!(broken_on(twice(), &format!("{script}\n c< fail H:1")), ["retry-limit"]);
        assert_eq!(broken_on(twice(), &format!("{script}\n w2 closes\n c< fail H:1")), [""; 0]);
    }

    #[test]
    fn a_failure_in_vain_that_is_said_again_may_be_the_next_attempts() {
        let again = "c> submit mail
            c< created H:1
            w> can_do mail 100
            w> grab
            w< assign H:1 mail
            +100
            w> fail H:1
            w> grab
            w> fail H:1
            w< not_yours
            c< fail H:1";
        assert_eq!(broken(again), [""; 0]);
    }

    #[test]
    fn a_worker_that_may_have_been_given_the_job_again_may_have_said_so() {
        // It gives the job up that its first grab got, and its second grab gets it again, unread.
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w> reset
            w> can_do mail
            w< assign H:1 mail
            w> grab
            w> fail H:1
            c< fail H:1";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn whose_failure_it_is_that_may_have_come_too_late_nobody_can_tell() {
        let script = "c> submit mail
            c< created H:1
            w> can_do mail 100
            w> grab
            w< assign H:1 mail
            +150
            w> fail H:1
            c< fail H:1
            w< not_yours";
        assert_eq!(broken(script), [""; 0]);
        assert_eq!(broken(&script.replace("+150", "+50")), ["timeout-early", "late-result"]);
    }

    #[test]
    fn an_end_at_the_limit_that_nobody_is_told_of_is_wrong() {
        let script = format!("{LOST_ONCE}\n w2 closes\n w2 ended\n c> echo x\n c< echo x");
        assert_eq!(broken_on(twice(), &script), ["retry-limit"]);
    }

    #[test]
    fn a_loss_that_may_have_happened_counts() {
        // The server may know that the worker has left.
        let script = format!("{LOST_ONCE}\n w2 closes\n c< fail H:1");
        assert_eq!(broken_on(twice(), &script), [""; 0]);
        // Somebody may have been given the job, and have left before reading so.
        let script = "c> submit mail
            c< created H:1
            w1> can_do mail
            w1> grab
            w1 closes
            c< fail H:1";
        assert_eq!(broken_on(Terms { job_retries: Some(1), ..terms() }, script), [""; 0]);
    }
}
