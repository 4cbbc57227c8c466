//! A job is in one hand.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Limit;

#[derive(Debug, Default)]
pub(super) struct OneHolder;

impl Rule for OneHolder {
    const INFO: RuleInfo = RuleInfo {
        name: "one-holder",
        sentence: "A job is held by at most one live worker at a time.",
        defends: &["H-021", "H-075"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Clash { job, attempts: [first, second] } => {
                let attempts = &ledger[job].attempts;
                let (holder, other) = (&attempts[first], &attempts[second]);
                // An ended job and a time limit have rules of their own.
                if !holder.may_have_finished() && holder.limit == Limit::None {
                    let what = format!(
                        "{} was given the job while {} held it, which had neither left nor given it up",
                        other.connection, holder.connection
                    );
                    bench.accuse(About::job(ledger, job).at(other.connection), what);
                }
            }
            Fact::Assigned { attempt, .. } if attempt > 0 => bench.armed(),
            _ => {}
        }
    }
}
