//! What a store had kept has its old place.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};

#[derive(Debug, Default)]
pub(super) struct ReplayOrder;

impl Rule for ReplayOrder {
    const INFO: RuleInfo = RuleInfo {
        name: "replay-order",
        sentence: "After a restart kept jobs are handed out by their priority, and among equals as they were submitted.",
        defends: &["H-113", "R6"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let &Fact::Inherited { job, legacy } = fact else { return };
        let legacy = ledger.legacies.get(legacy);
        if legacy.is_done {
            return;
        }
        bench.armed();
        if let Some(other) = legacy.overtaken_by() {
            let what = format!("it was {} before the restart, and {other} of then had to come after it", legacy.handle);
            bench.accuse(About::job(ledger, job), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed_on, broken_on, with_store};

    fn restarted(submits: &str) -> String {
        format!("{submits}\n server down\n server up\n w> can_do mail\n w> grab")
    }

    const TWO: &str = "c> submit mail bg w=one
        c< created H:1
        d> submit mail bg w=two
        d< created H:2";

    #[test]
    fn as_they_were_submitted() {
        let script = format!("{}\n w< assign H:1 mail w=one\n w> grab\n w< assign H:2 mail w=two", restarted(TWO));
        assert_eq!(broken_on(with_store(), &script), [""; 0]);
        assert_eq!(armed_on(with_store(), "replay-order", &script), 2);
    }

    #[test]
    fn the_later_first_or_the_less_urgent_first_is_wrong() {
        let later = format!("{}\n w< assign H:1 mail w=two", restarted(TWO));
        // The other may be gone, which is another matter.
        assert_eq!(broken_on(with_store(), &later), [""; 0]);
        assert_eq!(broken_on(with_store(), &format!("{later}\n w> grab\n w< assign H:2 mail w=one")), ["replay-order"]);
        let urgent = restarted(&TWO.replace("bg w=two", "high bg w=two"));
        let less = format!("{urgent}\n w< assign H:1 mail w=one\n w> grab\n w< assign H:2 mail w=two");
        assert_eq!(broken_on(with_store(), &less), ["replay-order"]);
    }

    #[test]
    fn where_the_order_is_open_or_the_other_may_be_elsewhere_any_will_do() {
        let backwards = "w< assign H:1 mail w=two\n w> grab\n w< assign H:2 mail w=one";
        let at_once = "c> submit mail bg w=one
            d> submit mail bg w=two
            d< created H:2
            c< created H:1";
        let open = format!("{}\n {backwards}", restarted(at_once));
        assert_eq!(broken_on(with_store(), &open), [""; 0]);
        let elsewhere = format!("{}\n v> can_do mail\n v> grab\n {backwards}", restarted(TWO));
        assert_eq!(broken_on(with_store(), &elsewhere), [""; 0]);
        let one_line = "c> submit mail bg w=one\n c> submit mail bg w=two\n c< created H:1\n c< created H:2";
        let ordered = format!("{}\n {backwards}", restarted(one_line));
        assert_eq!(broken_on(with_store(), &ordered), ["replay-order"]);
    }
}
