//! A worker gets what the client gave.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Handed, JobId};

#[derive(Debug, Default)]
pub(super) struct AsSubmitted;

impl Rule for AsSubmitted {
    const INFO: RuleInfo = RuleInfo {
        name: "as-submitted",
        sentence: "Function, unique, reducer and workload reach the worker byte for byte, at every attempt.",
        defends: &["H-061", "H-089", "H-101", "H-205"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, ref handed, .. } => {
                let connection = ledger[job].attempts[attempt].connection;
                let first = ledger[job].handed.as_ref();
                if !is_of_a_submit(job, handed, ledger) {
                    let what = "a worker was given what nobody submitted".to_owned();
                    bench.accuse(About::job(ledger, job).at(connection), what);
                } else if first.is_some_and(|first| !first.agrees(handed)) {
                    let what = "a worker was given something else than the worker before".to_owned();
                    bench.accuse(About::job(ledger, job).at(connection), what);
                } else {
                    bench.armed();
                }
            }
            Fact::Created { submit, job, .. } if ledger[job].submits.len() == 1 => {
                let Some(handed) = &ledger[job].handed else { return };
                if !is_of_a_submit(job, handed, ledger) {
                    let what = "a worker was given what nobody submitted".to_owned();
                    bench.accuse(About::job(ledger, job).at(ledger.submit(submit).connection), what);
                }
            }
            _ => {}
        }
    }
}

/// Whether it can be what one of the job's submits asked for. While none is known, anything can.
fn is_of_a_submit(job: JobId, handed: &Handed, ledger: &Ledger) -> bool {
    let job = &ledger[job];
    let mut known = job.submits.iter().chain(ledger.open_submits(job.key));
    job.submits.is_empty() || job.is_mistaken || known.any(|&submit| handed.fits(ledger.submit(submit)))
}
