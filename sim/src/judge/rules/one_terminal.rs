//! One end per attached submit, after its JOB_CREATED, and nothing behind it.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OneTerminal;

impl Rule for OneTerminal {
    const INFO: RuleInfo = RuleInfo {
        name: "one-terminal",
        sentence: "An attached submit gets its JOB_CREATED first, then reports, then exactly one terminal packet.",
        defends: &["H-011", "H-083", "H-108", "H-116"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let (connection, job, what) = match *fact {
            Fact::HeardEnd { connection, job, excess: true } => {
                (connection, job, "a watcher was told of the job's end once more than it is attached")
            }
            Fact::HeardAfterEnd { connection, job } => {
                (connection, job, "a watcher heard of the job after its end")
            }
            Fact::EndMissing { connection, job, dropped: false } => {
                (connection, job, "the job has ended and a watcher was answered other things without being told")
            }
            Fact::HeardForeign { connection, handle, is_early: true } => {
                let about = About { handle: Some(handle.clone()), connection: Some(connection) };
                return bench.accuse(about, "a report came before the submit's JOB_CREATED".to_owned());
            }
            Fact::HeardEnd { .. } => return bench.armed(),
            _ => return,
        };
        if !ledger[job].is_murky {
            bench.accuse(About::job(ledger, job).at(connection), what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const ONE_JOB: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        w> complete H:1 done
        c< complete H:1 done";

    #[test]
    fn one_end_is_right() {
        let script = format!("{ONE_JOB}\n c> echo x\n c< echo x");
        assert_eq!((broken(&script), armed("one-terminal", &script)), (vec![], 1));
    }

    #[test]
    fn a_second_end_and_anything_behind_the_end_is_wrong() {
        assert_eq!(broken(&format!("{ONE_JOB}\n c< complete H:1 done")), ["one-terminal"]);
        assert_eq!(broken(&format!("{ONE_JOB}\n c< data H:1 done")), ["one-terminal"]);
    }

    #[test]
    fn two_attached_submits_get_two_ends() {
        let script = "c> submit mail key=k
            c> submit mail key=k
            c< created H:1
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> fail H:1
            c< fail H:1
            c< fail H:1";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn an_end_that_does_not_come_is_wrong() {
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> fail H:1
            w> echo x
            w< echo x
            c> echo y
            c< echo y";
        assert_eq!(broken(script), ["one-terminal"]);
    }

    #[test]
    fn an_end_that_may_still_come_is_not_missed() {
        // The client asked before the end was certain.
        let script = "c> submit mail
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail
            w> fail H:1
            c> echo y
            w> echo x
            w< echo x
            c< echo y";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn a_report_before_job_created_is_wrong() {
        let script = "c> submit mail
            c< data H:1 early";
        assert_eq!(broken(script), ["one-terminal"]);
    }
}
