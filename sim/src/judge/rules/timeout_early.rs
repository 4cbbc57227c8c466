//! A worker has the time that it was promised.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Attempt, Limit};

#[derive(Debug, Default)]
pub(super) struct TimeoutEarly;

impl Rule for TimeoutEarly {
    const INFO: RuleInfo = RuleInfo {
        name: "timeout-early",
        sentence: "A job with a time limit is not taken from its worker before the limit has passed.",
        defends: &["H-071", "H-131"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let has_limit = |attempt: &Attempt| attempt.limit != Limit::None;
        match *fact {
            Fact::Clash { job, attempts: [first, second] } => {
                let attempts = &ledger[job].attempts;
                if !attempts[first].may_have_finished() && has_limit(&attempts[first]) {
                    let (holder, other) = (attempts[first].connection, attempts[second].connection);
                    let what = format!("{other} was given the job before the limit of {holder} had passed");
                    bench.accuse(About::job(ledger, job).at(other), what);
                }
            }
            Fact::Refused { job, attempt, .. } => {
                let held = &ledger[job].attempts[attempt];
                if has_limit(held) && ledger.is_surely_held(job, attempt) {
                    let what = "a report was refused before the job's limit had passed".to_owned();
                    bench.accuse(About::job(ledger, job).at(held.connection), what);
                }
            }
            Fact::Accepted { job, attempt, .. } if has_limit(&ledger[job].attempts[attempt]) => bench.armed(),
            _ => {}
        }
    }
}
