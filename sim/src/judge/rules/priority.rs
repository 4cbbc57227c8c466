//! The urgent first.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Function, Map, Passes, functions_of};
use gearman_protocol::Priority as Urgency;

/// For each function and priority, the grabs of able workers that were answered with something less urgent.
#[derive(Debug, Default)]
pub(super) struct Priority {
    passes: Map<(Function, Urgency), Passes>,
}

impl Rule for Priority {
    const INFO: RuleInfo = RuleInfo {
        name: "priority",
        sentence: "A grab is answered with the most urgent job that waits for any of the worker's functions.",
        defends: &["H-067", "H-113"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Restarted => self.passes.clear(),
            Fact::Assigned { job, attempt, able, .. } => {
                let (given, grab) = (&ledger[job], ledger[job].attempts[attempt].grab);
                let Some(priority) = given.priority.filter(|_| !given.is_murky) else { return };
                for urgent in Urgency::ALL.into_iter().filter(|&urgent| urgent < priority) {
                    for function in functions_of(able) {
                        self.passes.entry((function, urgent)).or_default().push(grab, ledger.now.place);
                    }
                }
            }
            Fact::Waited { job, wait } => {
                let Some(priority) = ledger[job].priority else { return };
                let Some(passes) = self.passes.get(&(ledger[job].function, priority)) else { return };
                bench.armed();
                if let Some(grab) = passes.within(wait) {
                    let what = format!("the grab #{} was answered with a less urgent job", grab.place);
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            _ => {}
        }
    }
}
