//! Exceptions for those who asked for them.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use gearman_protocol::Report;

#[derive(Debug, Default)]
pub(super) struct ExceptionsAsked;

impl Rule for ExceptionsAsked {
    const INFO: RuleInfo = RuleInfo {
        name: "exceptions-asked",
        sentence: "WORK_EXCEPTION reaches the watchers that asked for it; the others are told of a failure.",
        defends: &["H-044", "H-045"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Heard { connection, job, attempt, said, report } = *fact else { return };
        let said = &ledger[job].attempts[attempt].said[said];
        let Some(link) = ledger.link(connection).filter(|_| matches!(said.report, Report::Exception(_))) else {
            return;
        };
        bench.armed();
        let for_all = ledger.terms.exceptions;
        let sure = link.exceptions_sure.is_some_and(|sure| sure < said.wrote.place);
        let what = match report {
            Report::Exception(_) if !for_all && link.exceptions_asked.is_none() => {
                "a watcher got WORK_EXCEPTION that it had not asked for"
            }
            Report::Fail if for_all || sure => "a watcher that had asked for exceptions got WORK_FAIL instead",
            _ => return,
        };
        bench.accuse(About::job(ledger, job).at(connection), what.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const THROWN: &str = "c> submit mail
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        w> exception H:1 oops";

    #[test]
    fn who_has_not_asked_is_told_of_a_failure() {
        let script = format!("{THROWN}\n c< fail H:1");
        assert_eq!((broken(&script), armed("exceptions-asked", &script)), (vec![], 1));
        assert_eq!(broken(&format!("{THROWN}\n c< exception H:1 oops")), ["exceptions-asked"]);
    }

    #[test]
    fn who_has_asked_is_told_everything() {
        let asked = format!("c> option exceptions\n c< option exceptions\n{THROWN}");
        assert_eq!(broken(&format!("{asked}\n c< exception H:1 oops")), [""; 0]);
        assert_eq!(broken(&format!("{asked}\n c< fail H:1")), ["exceptions-asked"]);
    }

    #[test]
    fn who_is_asking_may_be_told_either() {
        let asking = format!("{THROWN}\n c> option exceptions");
        assert_eq!(broken(&format!("{asking}\n c< exception H:1 oops")), [""; 0]);
        assert_eq!(broken(&format!("{asking}\n c< fail H:1")), [""; 0]);
    }
}
