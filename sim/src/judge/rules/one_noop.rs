//! One NOOP per sleep.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct OneNoop;

impl Rule for OneNoop {
    const INFO: RuleInfo = RuleInfo {
        name: "one-noop",
        sentence: "A worker gets at most one NOOP for each PRE_SLEEP.",
        defends: &["W3"],
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

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    #[test]
    fn one_for_each_sleep() {
        let script = "w> can_do mail
            w> sleep
            w< noop
            w> sleep
            w< noop";
        assert_eq!((broken(script), armed("one-noop", script)), (vec![], 2));
    }

    #[test]
    fn two_for_one_is_wrong() {
        assert_eq!(broken("w> sleep\n w< noop\n w< noop"), ["one-noop"]);
    }

    #[test]
    fn one_that_was_on_its_way_when_the_worker_grabbed_is_right() {
        assert_eq!(broken("w> sleep\n w> grab\n w< noop\n w< no_job\n w> sleep\n w< noop"), [""; 0]);
    }
}
