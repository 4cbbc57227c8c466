//! A time limit that has passed has passed.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo, hidden};
use crate::judge::ledger::{Since, WaitKind};

#[derive(Debug, Default)]
pub(super) struct TimeoutLate;

impl Rule for TimeoutLate {
    const INFO: RuleInfo = RuleInfo {
        name: "timeout-late",
        sentence: "When a job's time limit has passed it is there for the next grab, and its worker is not listened to.",
        defends: &["H-033", "H-062"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        hidden(WaitKind::Expired, "the job's limit had passed", fact, ledger, bench);
        let Fact::Accepted { job, attempt, said } = *fact else { return };
        let attempt = &ledger[job].attempts[attempt];
        let (expiry, wrote) = (ledger.surely_expired_at(attempt), attempt.said[said].wrote);
        // Of a job that was lost otherwise the worker's reports are late for that reason.
        if attempt.is_late(&attempt.said[said]) {
            return;
        }
        if expiry.is_some_and(|expiry| Since::Time(expiry).is_before(wrote)) && !ledger[job].is_murky {
            let what = "a report was accepted although the job's limit had passed".to_owned();
            bench.accuse(About::job(ledger, job).at(attempt.connection), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const HELD: &str = "c> submit mail bg
        c< created H:1
        w1> can_do mail 100
        w2> can_do mail
        w1> grab
        +5
        w1< assign H:1 mail";

    #[test]
    fn when_the_time_is_over_the_next_grab_gets_it() {
        let script = format!("{HELD}\n +101\n w2> grab\n w2< assign H:1 mail");
        assert_eq!((broken(&script), armed("timeout-late", &script)), (vec![], 1));
    }

    #[test]
    fn no_job_after_the_time_is_wrong_and_so_is_a_report_that_is_accepted() {
        let denied = format!("{HELD}\n +101\n w2> grab\n w2< no_job");
        assert_eq!(broken(&denied), ["timeout-late"]);
        let accepted = format!("{HELD}\n +101\n w1> data H:1 x\n w1> grab\n w1< no_job");
        assert_eq!(broken(&accepted)[0], "timeout-late");
    }

    #[test]
    fn while_the_clock_may_have_begun_later_it_is_not_judged() {
        // The limit counts from the assignment, which may have been read at once.
        let script = format!("{HELD}\n +100\n w2> grab\n w2< no_job\n w1> complete H:1 x\n w1> grab\n w1< no_job");
        assert_eq!(broken(&script), [""; 0]);
    }
}
