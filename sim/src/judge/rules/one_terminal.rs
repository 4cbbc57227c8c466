//! One end per attached submit, after its JOB_CREATED, and nothing behind it.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OneTerminal;

impl Rule for OneTerminal {
    const INFO: RuleInfo = RuleInfo {
        name: "one-terminal",
        sentence: "An attached submit gets its JOB_CREATED first, then reports, then exactly one terminal packet.",
        defends: &["H-083", "H-108", "H-116"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let (connection, job, what) = match *fact {
            Fact::HeardEnd { connection, job, excess: true } => {
                (connection, job, "a watcher was told of the job's end once more than it is attached")
            }
            Fact::HeardAfterEnd { connection, job } => {
                (connection, job, "a watcher heard of the job after its end")
            }
            Fact::EndMissing { connection, job, dropped: false } => {
                (connection, job, "the job has ended and a watcher was answered other things without being told")
            }
            Fact::HeardForeign { connection, handle, is_early: true } => {
                let about = About { handle: Some(handle.clone()), connection: Some(connection) };
                return bench.accuse(about, "a report came before the submit's JOB_CREATED".to_owned());
            }
            Fact::HeardEnd { .. } => return bench.armed(),
            _ => return,
        };
        if !ledger[job].is_murky {
            bench.accuse(About::job(ledger, job).at(connection), what.to_owned());
        }
    }
}
