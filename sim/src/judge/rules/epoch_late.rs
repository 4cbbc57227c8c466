//! What was asked for at a time is there then.

use super::{Bench, Fact, Ledger, Rule, RuleInfo, hidden};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct EpochLate;

impl Rule for EpochLate {
    const INFO: RuleInfo = RuleInfo {
        name: "epoch-late",
        sentence: "A job that was submitted with a time is there for the next grab when the server's wall clock has said it.",
        defends: &["D1", "D3"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        hidden(WaitKind::Due, "the job's time had come", fact, ledger, bench);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken, broken_on, with_store};

    const ASKED: &str = "c> submit mail epoch=2
        c< created H:1
        w> can_do mail";

    #[test]
    fn there_in_time_is_right() {
        let script = format!("{ASKED}\n w> grab\n w< no_job\n +2101\n w> grab\n w< assign H:1 mail");
        assert_eq!((broken(&script), armed("epoch-late", &script)), (vec![], 1));
    }

    #[test]
    fn not_there_is_wrong_if_it_comes_later_or_never() {
        let script = format!("{ASKED}\n +2101\n w> grab\n w< no_job");
        assert_eq!(broken(&script), ["epoch-late"]);
        assert_eq!(broken(&format!("{script}\n w> grab\n w< assign H:1 mail")), ["epoch-late"]);
    }

    #[test]
    fn within_a_tenth_of_a_second_it_may_come() {
        assert_eq!(broken(&format!("{ASKED}\n +2100\n w> grab\n w< no_job")), [""; 0]);
    }

    #[test]
    fn of_two_submits_either_may_have_made_it() {
        let script = "c> submit mail key=k epoch=2
            d> submit mail key=k epoch=9
            d< created H:1
            w> can_do mail
            +5000
            w> grab
            w< no_job";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn what_proves_to_be_for_later_only_when_it_is_handed_out_was_rightly_hidden_before() {
        let script = "c> submit mail key=k bg w=now
            d> submit mail key=k epoch=2 w=later
            d< created H:1
            w> can_do mail
            +1000
            w> grab
            w< no_job
            +1000
            w> grab
            w< assign H:1 mail w=later";
        assert_eq!(broken_on(with_store(), script), [""; 0]);
    }

    #[test]
    fn the_time_of_one_submit_says_nothing_of_the_job_of_another() {
        let script = "c> submit mail key=k epoch=9 w=late
            d> submit mail key=k epoch=1 w=soon
            d< created H:1
            c< created H:1
            w> can_do mail
            +5000
            w> grab
            w< no_job
            +5000
            w> grab
            w< assign H:1 mail w=late";
        assert_eq!(broken_on(with_store(), script), [""; 0]);
    }
}
