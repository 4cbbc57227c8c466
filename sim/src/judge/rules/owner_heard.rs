//! Who holds a job is listened to.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Limit;

#[derive(Debug, Default)]
pub(super) struct OwnerHeard;

impl Rule for OwnerHeard {
    const INFO: RuleInfo = RuleInfo {
        name: "owner-heard",
        sentence: "The worker that holds a job, without a time limit, is not refused when it reports on it.",
        defends: &["H-011", "H-059"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Refused { job, attempt, .. } => {
                let held = &ledger[job].attempts[attempt];
                // A limit has a rule of its own.
                if held.limit == Limit::None && ledger.is_surely_held(job, attempt) {
                    let what = "a report was refused although its worker holds the job".to_owned();
                    bench.accuse(About::job(ledger, job).at(held.connection), what);
                }
            }
            Fact::Accepted { job, attempt, .. } if ledger[job].attempts[attempt].limit == Limit::None => {
                bench.armed();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const HELD: &str = "c> submit mail bg
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail";

    #[test]
    fn the_owner_is_heard() {
        let script = format!("{HELD}\n w> data H:1 x\n w> complete H:1 y\n w> grab\n w< no_job");
        assert_eq!((broken(&script), armed("owner-heard", &script)), (vec![], 2));
    }

    #[test]
    fn who_has_set_itself_a_limit_is_for_other_rules() {
        let timed = HELD.replace("can_do mail", "can_do mail 500");
        let heard = format!("{timed}\n w> complete H:1 y\n w> grab\n w< no_job");
        assert_eq!((broken(&heard), armed("owner-heard", &heard)), (vec![], 0));
    }

    #[test]
    fn refusing_the_owner_is_wrong() {
        assert_eq!(broken(&format!("{HELD}\n w> complete H:1 y\n w< not_yours")), ["owner-heard"]);
    }

    #[test]
    fn who_may_have_lost_the_job_may_be_refused() {
        assert_eq!(broken(&format!("{HELD}\n w> cant_do mail\n w> complete H:1 y\n w< not_yours")), [""; 0]);
        let cancelled = format!("{HELD}\n d> cancel H:1\n w> complete H:1 y\n w< not_yours");
        assert_eq!(broken(&cancelled), [""; 0]);
        let twice = format!("{HELD}\n w> complete H:1 y\n w> complete H:1 z\n w< not_yours");
        assert_eq!(broken(&twice), [""; 0]);
    }
}
