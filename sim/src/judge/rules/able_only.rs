//! Nobody gets what it cannot do.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::only;

#[derive(Debug, Default)]
pub(super) struct AbleOnly;

impl Rule for AbleOnly {
    const INFO: RuleInfo = RuleInfo {
        name: "able-only",
        sentence: "A worker is given jobs of functions that it has said it can do and has not taken back.",
        defends: &["H-007"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Assigned { job, attempt, able, ref handed, .. } = *fact else { return };
        bench.armed();
        if able & only(handed.function) == 0 && !ledger[job].is_murky {
            let connection = ledger[job].attempts[attempt].connection;
            let what = format!("{connection} was given a job of a function that it cannot do");
            bench.accuse(About::job(ledger, job).at(connection), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const TWO: &str = "c> submit mail bg
        c< created H:1
        w> can_do mail
        w> can_do index";

    #[test]
    fn what_it_can_do_it_may_be_given() {
        let script = format!("{TWO}\n w> grab\n w< assign H:1 mail");
        assert_eq!((broken(&script), armed("able-only", &script)), (vec![], 1));
    }

    #[test]
    fn what_it_has_taken_back_is_wrong() {
        for taken_back in ["cant_do mail", "reset"] {
            let script = format!("{TWO}\n w> {taken_back}\n w> grab\n w< assign H:1 mail");
            assert_eq!(broken(&script), ["able-only"], "{taken_back}");
        }
    }

    #[test]
    fn what_it_takes_back_after_it_has_asked_it_may_still_be_given() {
        let script = format!("{TWO}\n w> grab\n w> cant_do mail\n w< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }
}
