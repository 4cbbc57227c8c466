//! What has ended is not kept.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct EndedStaysEnded;

impl Rule for EndedStaysEnded {
    const INFO: RuleInfo = RuleInfo {
        name: "ended-stays-ended",
        sentence: "A background job that had ended does not come back when a server with a store starts again.",
        defends: &["H-004", "H-013", "H-066"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Restarted if ledger.legacies.has_any(true) => bench.armed(),
            Fact::Inherited { job, legacy } if ledger.legacies.get(legacy).is_done => {
                let what = "the job had ended before the server's restart, and was handed out again".to_owned();
                bench.accuse(About::job(ledger, job), what);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed_on, broken, broken_on, with_store};

    const WORKED: &str = "c> submit mail bg w=one
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail w=one
        w> complete H:1 done";
    const RESTARTED: &str = "+101
        server down
        server up
        v> can_do mail
        v> grab";

    #[test]
    fn what_has_ended_is_gone() {
        let script = format!("{WORKED}\n w> grab\n w< no_job\n{RESTARTED}\n v< no_job");
        assert_eq!(broken_on(with_store(), &script), [""; 0]);
        assert_eq!(armed_on(with_store(), "ended-stays-ended", &script), 1);
    }

    #[test]
    fn what_comes_back_is_wrong() {
        let script = format!("{WORKED}\n w> grab\n w< no_job\n{RESTARTED}\n v< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &script), ["ended-stays-ended"]);
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn an_end_that_may_not_have_arrived_and_a_second_of_the_same_are_not_judged() {
        let open = format!("{WORKED}\n{RESTARTED}\n v< assign H:1 mail w=one");
        assert_eq!(broken_on(with_store(), &open), [""; 0]);
        // The store may not have forgotten it yet.
        let soon = format!("{WORKED}\n w> grab\n w< no_job\n{RESTARTED}\n v< assign H:1 mail w=one").replace("+101", "+100");
        assert_eq!(broken_on(with_store(), &soon), [""; 0]);
        let again = format!(
            "{WORKED}\n w> grab\n w< no_job\n{RESTARTED}\n d> submit mail bg w=one\n d< created H:1\n v< assign H:1 mail w=one"
        );
        assert_eq!(broken_on(with_store(), &again), [""; 0]);
    }
}
