//! Nobody sleeps while there is work.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Function, Map, Passes, functions_of};

/// For each function, when an able sleeper was seen that had not been woken.
#[derive(Debug, Default)]
pub(super) struct WakeUp {
    sleepers: Map<Function, Passes>,
}

impl Rule for WakeUp {
    const INFO: RuleInfo = RuleInfo {
        name: "wake-up",
        sentence: "While a job waits, every worker that sleeps and can do it has been sent a NOOP.",
        defends: &["H-008", "H-047", "H-048", "H-077", "H-099", "H-100"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        // With a limit on wake-ups any one sleeper may be left alone.
        if ledger.terms.worker_wakeup.is_some() {
            return;
        }
        match *fact {
            Fact::Restarted => self.sleepers.clear(),
            Fact::SleptOn { asked, able, .. } => {
                bench.armed();
                for function in functions_of(able) {
                    self.sleepers.entry(function).or_default().push(asked, ledger.now.place);
                }
            }
            Fact::Waited { job, wait } => {
                let sleepers = self.sleepers.get(&ledger[job].function);
                if let Some(asked) = sleepers.and_then(|sleepers| sleepers.within(wait)) {
                    let what = format!(
                        "the job waited, and the sleeper that asked #{} had not been woken for it",
                        asked.place
                    );
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            _ => {}
        }
    }
}
