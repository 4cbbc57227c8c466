//! What is heard was said.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OwnBytes;

impl Rule for OwnBytes {
    const INFO: RuleInfo = RuleInfo {
        name: "own-bytes",
        sentence: "What a watcher hears is what a worker of the job has said, byte for byte.",
        defends: &["H-010", "H-107", "H-115"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::HeardNobody { connection, job, .. } => {
                let what = "a watcher heard a report that no worker of the job has written".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::Heard { .. } => bench.armed(),
            _ => {}
        }
    }
}
