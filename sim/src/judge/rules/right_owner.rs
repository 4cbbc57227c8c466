//! Who does not hold a job has no say in it.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct RightOwner;

impl Rule for RightOwner {
    const INFO: RuleInfo = RuleInfo {
        name: "right-owner",
        sentence: "A report of somebody who never held the job gets an ERROR and goes nowhere.",
        defends: &["H-012", "H-128"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::HeardStranger { connection, job, by } if !ledger[*job].is_murky => {
                let what = format!("a watcher heard what {by} said, which never held the job");
                bench.accuse(About::job(ledger, *job).at(*connection), what);
            }
            Fact::StrangerAccepted { connection, handle } => {
                let about = About { handle: Some(handle.clone()), connection: Some(*connection) };
                bench.accuse(about, "a report was not refused although its sender never held the job".to_owned());
            }
            Fact::StrangerRefused => bench.armed(),
            _ => {}
        }
    }
}
