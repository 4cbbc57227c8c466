//! Everybody who watches hears everything.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct WatchersHearAll;

impl Rule for WatchersHearAll {
    const INFO: RuleInfo = RuleInfo {
        name: "watchers-hear-all",
        sentence: "Every watcher hears every report of the job, in order, as often as it is attached.",
        defends: &["H-045"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Gap { connection, job } => {
                let what = "a watcher has missed a report".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::TooSeldom { connection, job } => {
                let what = "a watcher heard a report less often than it is attached".to_owned();
                bench.accuse(About::job(ledger, job).at(connection), what);
            }
            Fact::Heard { report, .. } if !report.is_terminal() => bench.armed(),
            _ => {}
        }
    }
}
