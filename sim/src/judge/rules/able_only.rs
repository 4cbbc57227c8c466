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
