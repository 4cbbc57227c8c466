//! One NOOP per sleep.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OneNoop;

impl Rule for OneNoop {
    const INFO: RuleInfo = RuleInfo {
        name: "one-noop",
        sentence: "A worker gets at most one NOOP for each PRE_SLEEP.",
        defends: &["H-008", "H-048"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Nooped { connection } = *fact else { return };
        let Some(link) = ledger.link(connection) else { return };
        bench.armed();
        if link.sleep.noops > link.sleep.sleeps {
            let what = format!("{} NOOPs for {} PRE_SLEEPs", link.sleep.noops, link.sleep.sleeps);
            bench.accuse(About::connection(connection), what);
        }
    }
}
