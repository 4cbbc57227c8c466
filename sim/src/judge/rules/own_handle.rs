//! A handle names one live job.

use super::coalescing::is_other_unique;
use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnHandle;

impl Rule for OwnHandle {
    const INFO: RuleInfo = RuleInfo {
        name: "own-handle",
        sentence: "No two jobs share a handle.",
        defends: &["H-207"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Mistaken { submit, job } if !is_other_unique(submit, job, ledger) => {
                let about = About::job(ledger, job).at(ledger.submit(submit).connection);
                bench.accuse(about, "a new job was given the handle of another".to_owned());
            }
            Fact::Created { .. } => bench.armed(),
            _ => {}
        }
    }
}
