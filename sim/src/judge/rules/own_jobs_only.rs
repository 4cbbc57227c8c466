//! Nobody hears of another's job.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnJobsOnly;

impl Rule for OwnJobsOnly {
    const INFO: RuleInfo = RuleInfo {
        name: "own-jobs-only",
        sentence: "A connection hears of no job but those that it has submitted in the foreground.",
        defends: &["H-205", "H-207"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::HeardForeign { connection, handle, is_early: false } => {
                let is_mistaken = ledger.by_handle(handle).is_some_and(|job| ledger[job].is_mistaken);
                if !is_mistaken {
                    let about = About { handle: Some(handle.clone()), connection: Some(connection) };
                    bench.accuse(about, format!("{connection} heard of a job that it does not watch"));
                }
            }
            Fact::Heard { .. } => bench.armed(),
            _ => {}
        }
    }
}
