//! Who holds a job is listened to.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Limit;

#[derive(Debug, Default)]
pub(super) struct OwnerHeard;

impl Rule for OwnerHeard {
    const INFO: RuleInfo = RuleInfo {
        name: "owner-heard",
        sentence: "The worker that holds a job is not refused when it reports on it.",
        defends: &["H-011", "H-059"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Refused { job, attempt, .. } => {
                let held = &ledger[job].attempts[attempt];
                // A limit has a rule of its own.
                if held.limit == Limit::None && ledger.is_surely_held(job, attempt) {
                    let what = "a report was refused although its worker holds the job".to_owned();
                    bench.accuse(About::job(ledger, job).at(held.connection), what);
                }
            }
            Fact::Accepted { .. } => bench.armed(),
            _ => {}
        }
    }
}
