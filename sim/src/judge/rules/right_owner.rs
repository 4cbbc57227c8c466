//! Who does not hold a job has no say in it.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RightOwner;

impl Rule for RightOwner {
    const INFO: RuleInfo = RuleInfo {
        name: "right-owner",
        sentence: "A report of somebody who never held the job gets an ERROR and goes nowhere.",
        defends: &["H-012", "H-128"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::HeardStranger { connection, job, by } if !ledger[*job].is_murky => {
                let what = format!("a watcher heard what {by} said, which never held the job");
                bench.accuse(About::job(ledger, *job).at(*connection), what);
            }
            Fact::StrangerAccepted { connection, handle } => {
                let about = About { handle: Some(handle.clone()), connection: Some(*connection) };
                bench.accuse(about, "a report was not refused although its sender never held the job".to_owned());
            }
            Fact::StrangerRefused => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const HELD: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        m> data H:1 mischief";

    #[test]
    fn a_stranger_is_refused() {
        let script = format!("{HELD}\n m< no_such_data");
        assert_eq!((broken(&script), armed("right-owner", &script)), (vec![], 1));
    }

    #[test]
    fn a_stranger_that_is_heard_or_not_refused_is_wrong() {
        assert_eq!(broken(&format!("{HELD}\n c< data H:1 mischief")), ["right-owner"]);
        assert_eq!(broken(&format!("{HELD}\n m> echo x\n m< echo x")), ["right-owner"]);
    }

    #[test]
    fn who_may_just_have_been_given_the_job_is_no_stranger() {
        let script = "c> submit mail
            c< created H:1
            m> can_do mail
            m> grab
            m> data H:1 guess
            c< data H:1 guess
            m< assign H:1 mail
            m> grab
            m< no_job";
        assert_eq!(broken(script), [""; 0]);
    }
}
