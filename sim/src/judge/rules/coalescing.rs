//! Equal uniques are one job, as long as it lives.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct Coalescing;

impl Rule for Coalescing {
    const INFO: RuleInfo = RuleInfo {
        name: "coalescing",
        sentence: "Submits of one function and one unique share a job while it lives, and others do not.",
        defends: &["H-002", "H-094", "H-101", "H-126"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Created { submit, job, before: Some(before) } => {
                let submitted = ledger.submit(submit);
                let about = About::job(ledger, job).at(submitted.connection);
                if job != before {
                    let was_there = ledger[before].seen < submitted.wrote.place;
                    if was_there && !ledger.may_be_over(before) {
                        let other = &ledger[before].handle;
                        bench.accuse(about, format!("a second job was made although {other} lives and is the same"));
                    }
                    return;
                }
                bench.armed();
                if ledger[job].over.is_some_and(|over| over < submitted.wrote.place) && !ledger[job].is_murky {
                    bench.accuse(about, "a submit was attached to a job that had ended".to_owned());
                }
            }
            Fact::Mistaken { submit, job } if is_other_unique(submit, job, ledger) => {
                let about = About::job(ledger, job).at(ledger.submit(submit).connection);
                bench.accuse(about, "two submits with different uniques share a job".to_owned());
            }
            _ => {}
        }
    }
}

/// Whether the submit and the job are of one function and both have a unique.
pub(super) fn is_other_unique(submit: usize, job: crate::judge::ledger::JobId, ledger: &Ledger) -> bool {
    let (submit, job) = (ledger.submit(submit), &ledger[job]);
    submit.function == job.function && submit.key.is_some() && job.key.is_some()
}
