//! The jobs of lost workers come back.

use super::{Bench, Fact, Ledger, Rule, RuleInfo, hidden};
use crate::judge::ledger::WaitKind;

#[derive(Debug, Default)]
pub(super) struct Requeue;

impl Rule for Requeue {
    const INFO: RuleInfo = RuleInfo {
        name: "requeue",
        sentence: "A job whose worker has left or given it up is there for the next grab.",
        defends: &["H-007", "H-073", "H-125"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        hidden(WaitKind::Lost, "the job's worker was lost", fact, ledger, bench);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const LOST: &str = "c> submit mail bg
        c< created H:1
        w1> can_do mail
        w2> can_do mail
        w1> grab
        w1< assign H:1 mail
        w1 closes";

    #[test]
    fn the_next_grab_gets_it() {
        let script = format!("{LOST}\n w1 ended\n w2> grab\n w2< assign H:1 mail");
        assert_eq!((broken(&script), armed("requeue", &script)), (vec![], 1));
    }

    #[test]
    fn no_job_after_the_loss_is_wrong_whether_the_job_comes_back_or_not() {
        let never = format!("{LOST}\n w1 ended\n w2> grab\n w2< no_job");
        assert_eq!(broken(&never), ["requeue"]);
        let late = format!("{never}\n w2> grab\n w2< assign H:1 mail");
        assert_eq!(broken(&late), ["requeue"]);
    }

    #[test]
    fn who_asks_again_may_have_ended_it_as_its_next_attempt() {
        let again = "c> submit mail bg
            c< created H:1
            w1> can_do mail
            w2> can_do mail
            w1> grab
            w1> reset
            w1> can_do mail
            w1< assign H:1 mail
            w1> grab
            w1> complete H:1 done
            w1 closes
            w1 ended
            w2> grab
            w2< no_job";
        assert_eq!(broken(again), [""; 0]);
        let unasked = again.replacen("w1> grab\n            w1> complete", "w1> complete", 1);
        assert_eq!(broken(&unasked), ["requeue"]);
    }

    #[test]
    fn while_the_server_may_not_know_of_the_loss_it_is_not_judged() {
        let script = format!("{LOST}\n w2> grab\n w2< no_job\n w1 ended");
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn what_was_given_up_is_back_when_a_later_answer_proves_it() {
        let given_up = LOST.replace("w1 closes", "w1> cant_do mail");
        assert_eq!(broken(&format!("{given_up}\n w2> grab\n w2< no_job")), [""; 0]);
        let proved = format!("{given_up}\n w1> echo x\n w1< echo x\n w2> grab\n w2< no_job");
        assert_eq!(broken(&proved), ["requeue"]);
    }
}
