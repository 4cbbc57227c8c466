//! Too late is too late.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Attempt, Fate};

#[derive(Debug, Default)]
pub(super) struct LateResult;

impl Rule for LateResult {
    const INFO: RuleInfo = RuleInfo {
        name: "late-result",
        sentence: "A report of a worker that has lost the job gets an ERROR and goes nowhere.",
        defends: &["H-012", "K18"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let (job, attempt, what) = match *fact {
            Fact::Heard { job, attempt, said, .. } => {
                let held = &ledger[job].attempts[attempt];
                if held.said[said].fate != Fate::Refused && !is_late(held, said) {
                    return;
                }
                (job, held, "a watcher heard a report of a worker that had lost the job")
            }
            Fact::Refused { job, attempt, said } => {
                let held = &ledger[job].attempts[attempt];
                bench.armed();
                if held.said[said].heard.is_none() {
                    return;
                }
                (job, held, "a report was refused, and a watcher heard it all the same")
            }
            Fact::Accepted { job, attempt, said } => {
                let held = &ledger[job].attempts[attempt];
                if !is_late(held, said) {
                    return;
                }
                (job, held, "a report of a worker that had lost the job was not refused")
            }
            _ => return,
        };
        if !ledger[job].is_murky {
            bench.accuse(About::job(ledger, job).at(attempt.connection), what.to_owned());
        }
    }
}

/// Whether it was written when the worker had certainly lost the job.
fn is_late(attempt: &Attempt, said: usize) -> bool {
    let said = &attempt.said[said];
    said.is_settled && attempt.is_late(said)
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const LOST: &str = "c> submit mail
        c< created H:1
        w1> can_do mail
        w2> can_do mail
        w1> grab
        w1< assign H:1 mail
        w1> cant_do mail
        w2> grab
        w2< assign H:1 mail
        w1> data H:1 late";

    #[test]
    fn the_late_are_refused() {
        let script = format!("{LOST}\n w1< no_such_data");
        assert_eq!((broken(&script), armed("late-result", &script)), (vec![], 1));
    }

    #[test]
    fn the_late_that_are_heard_or_not_refused_are_wrong() {
        assert_eq!(broken(&format!("{LOST}\n c< data H:1 late")), ["late-result"]);
        assert_eq!(broken(&format!("{LOST}\n w1> echo x\n w1< echo x")), ["late-result"]);
        assert_eq!(broken(&format!("{LOST}\n w1< no_such_data\n c< data H:1 late")), ["late-result"]);
    }

    #[test]
    fn what_was_refused_and_is_said_again_may_be_in_time() {
        let again = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> cant_do mail
            w> data H:1 same
            w< no_such_data
            w> can_do mail
            w> grab
            w> data H:1 same";
        assert_eq!(broken(&format!("{again}\n w< assign H:1 mail\n c< data H:1 same")), [""; 0]);
        let other = again.replacen("same", "other", 1);
        assert_eq!(broken(&format!("{other}\n c< data H:1 other")), ["late-result"]);
    }

    #[test]
    fn who_may_have_been_in_time_is_not_judged() {
        let script = "c> submit mail
            c< created H:1
            w1> can_do mail
            w1> grab
            w1< assign H:1 mail
            w1> data H:1 last
            w1 closes
            w2> can_do mail
            w2> grab
            w2< assign H:1 mail
            c< data H:1 last";
        assert_eq!(broken(script), [""; 0]);
    }
}
