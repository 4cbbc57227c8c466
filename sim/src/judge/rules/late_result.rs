//! Too late is too late.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Attempt, Fate};

#[derive(Debug, Default)]
pub(super) struct LateResult;

impl Rule for LateResult {
    const INFO: RuleInfo = RuleInfo {
        name: "late-result",
        sentence: "A report of a worker that has lost the job gets an ERROR and goes nowhere.",
        defends: &["H-012", "H-071"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let (job, attempt, what) = match *fact {
            Fact::Heard { job, attempt, said, .. } => {
                let held = &ledger[job].attempts[attempt];
                if held.said[said].fate != Fate::Refused && !is_late(held, said) {
                    return;
                }
                (job, held, "a watcher heard a report of a worker that had lost the job")
            }
            Fact::Refused { job, attempt, said } => {
                let held = &ledger[job].attempts[attempt];
                bench.armed();
                if !held.said[said].is_heard {
                    return;
                }
                (job, held, "a report was refused, and a watcher heard it all the same")
            }
            Fact::Accepted { job, attempt, said } => {
                let held = &ledger[job].attempts[attempt];
                if !is_late(held, said) {
                    return;
                }
                (job, held, "a report of a worker that had lost the job was not refused")
            }
            _ => return,
        };
        if !ledger[job].is_murky {
            bench.accuse(About::job(ledger, job).at(attempt.connection), what.to_owned());
        }
    }
}

/// Whether it was written when the worker had certainly lost the job.
fn is_late(attempt: &Attempt, said: usize) -> bool {
    let said = &attempt.said[said];
    said.is_clear && attempt.released.is_some_and(|(place, _)| place < said.wrote.place)
}
