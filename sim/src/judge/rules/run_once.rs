//! What has ended is not done again.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RunOnce;

impl Rule for RunOnce {
    const INFO: RuleInfo = RuleInfo {
        name: "run-once",
        sentence: "A job whose worker has finished it is never handed out again.",
        defends: &["H-004", "H-066"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, was_over: true, .. }
                if ledger[job].is_finished() && !ledger[job].is_cancelled =>
            {
                let connection = ledger[job].attempts[attempt].connection;
                let what = format!("{connection} asked for a job after this one had ended, and was given it");
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::HeardEnd { excess: false, .. } => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const DONE: &str = "c> submit mail
        c< created H:1
        w1> can_do mail
        w2> can_do mail
        w1> grab
        w1< assign H:1 mail
        w1> complete H:1 done";

    #[test]
    fn once_is_right() {
        let script = format!("{DONE}\n c< complete H:1 done\n w2> grab\n w2< no_job");
        assert_eq!((broken(&script), armed("run-once", &script)), (vec![], 1));
    }

    #[test]
    fn again_is_wrong() {
        let script = format!("{DONE}\n c< complete H:1 done\n w2> grab\n w2< assign H:1 mail");
        assert_eq!(broken(&script), ["run-once"]);
    }

    #[test]
    fn a_grab_that_may_have_come_before_the_end_is_not_judged() {
        let script = format!("{DONE}\n w2> grab\n c< complete H:1 done\n w1 closes\n w2< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }
}
