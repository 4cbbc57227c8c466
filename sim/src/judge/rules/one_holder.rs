//! A job is in one hand.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Limit;

#[derive(Debug, Default)]
pub(super) struct OneHolder;

impl Rule for OneHolder {
    const INFO: RuleInfo = RuleInfo {
        name: "one-holder",
        sentence: "A job is held by at most one live worker at a time.",
        defends: &["H-071", "K8"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Clash { job, attempts: [first, second] } => {
                let attempts = &ledger[job].attempts;
                let (holder, other) = (&attempts[first], &attempts[second]);
                // A time limit has a rule of its own; and if an end was on its way, this may be a done job given again.
                if !holder.may_have_finished() && holder.limit == Limit::None {
                    let what = format!(
                        "{} was given the job while {} held it, which had neither left nor given it up",
                        other.connection, holder.connection
                    );
                    bench.accuse(About::job(ledger, job).at(other.connection), what);
                }
            }
            Fact::Assigned { attempt, .. } if attempt > 0 => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const TWO: &str = "c> submit mail bg
        c< created H:1
        w1> can_do mail
        w2> can_do mail
        w1> grab
        w1< assign H:1 mail";

    #[test]
    fn a_job_whose_worker_has_left_may_go_to_another() {
        let script = format!("{TWO}\n w1 closes\n w1 ended\n w2> grab\n w2< assign H:1 mail");
        assert_eq!((broken(&script), armed("one-holder", &script)), (vec![], 1));
    }

    #[test]
    fn a_job_that_is_held_may_not() {
        assert_eq!(broken(&format!("{TWO}\n w2> grab\n w2< assign H:1 mail")), ["one-holder"]);
    }

    #[test]
    fn a_worker_that_may_have_left_already_is_believed_to_have() {
        // The close stands after the second grab, and may have been done before it.
        let script = format!("{TWO}\n w2> grab\n w1 closes\n w2< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
        let script = format!("{TWO}\n w2> grab\n w1> cant_do mail\n w2< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }
}
