//! Nobody hears of another's job.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnJobsOnly;

impl Rule for OwnJobsOnly {
    const INFO: RuleInfo = RuleInfo {
        name: "own-jobs-only",
        sentence: "A connection hears of no job but those that it has submitted in the foreground.",
        defends: &["H-107", "K3"],
    };

    fn see(&mut self, fact: &Fact<'_>, _: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::HeardForeign { connection, handle, is_early: false } => {
                let about = About { handle: Some(handle.clone()), connection: Some(connection) };
                bench.accuse(about, format!("{connection} heard of a job that it does not watch"));
            }
            Fact::Heard { .. } => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const SAID: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        w> data H:1 secret";

    #[test]
    fn the_client_of_a_job_hears_of_it() {
        let script = format!("{SAID}\n c< data H:1 secret");
        assert_eq!((broken(&script), armed("own-jobs-only", &script)), (vec![], 1));
    }

    #[test]
    fn nobody_else_does() {
        assert_eq!(broken(&format!("{SAID}\n d> echo x\n d< data H:1 secret")), ["own-jobs-only"]);
    }

    #[test]
    fn a_background_client_does_not_either() {
        let script = format!("{SAID}\n c< data H:1 secret").replace("submit mail", "submit mail bg");
        assert_eq!(broken(&script), ["own-jobs-only"]);
    }

    #[test]
    fn of_a_life_that_is_over_nothing_is_judged() {
        assert_eq!(broken(&format!("{SAID}\n d> echo x\n server down\n d'< data H:1 secret")), [""; 0]);
    }

    #[test]
    fn what_belongs_to_another_does_not_come_too_early_for_a_submit_that_cannot_share_it() {
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> data H:1 x
            d> submit mail
            d< data H:1 x";
        assert_eq!(broken(script), ["own-jobs-only"]);
    }

    #[test]
    fn who_shares_a_job_may_have_come_before_a_report_or_after_it() {
        let joins = SAID.replace("submit mail", "submit mail key=k").replace("w> data", "d> submit mail key=k\n w> data");
        for heard in ["", "d< data H:1 secret"] {
            assert_eq!(broken(&format!("{joins}\n d< created H:1\n {heard}")), [""; 0], "{heard}");
        }
    }
}
