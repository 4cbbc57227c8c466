//! What was asked for at a time is not done before.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::Start;

#[derive(Debug, Default)]
pub(super) struct EpochEarly;

impl Rule for EpochEarly {
    const INFO: RuleInfo = RuleInfo {
        name: "epoch-early",
        sentence: "A job that was submitted with a time is handed out to nobody before the server's wall clock says it.",
        defends: &["H-113", "D1"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Assigned { job, attempt, .. } = *fact else { return };
        let (Start::At(moment), false) = (ledger[job].start, ledger[job].is_murky) else { return };
        bench.armed();
        let soonest = ledger.terms.wall.soonest(moment, ledger.terms.slack);
        let attempt = &ledger[job].attempts[attempt];
        if attempt.read.at < soonest {
            let what = format!("the job was handed out at {} ms, and its time is {} ms", attempt.read.at.as_millis(), soonest.as_millis());
            bench.accuse(About::job(ledger, job).at(attempt.connection), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const ASKED: &str = "c> submit mail epoch=2
        c< created H:1
        w> can_do mail
        w> grab";

    #[test]
    fn in_time_is_right() {
        let script = format!("{ASKED}\n +2000\n w< assign H:1 mail");
        assert_eq!((broken(&script), armed("epoch-early", &script)), (vec![], 1));
    }

    #[test]
    fn too_early_is_wrong() {
        assert_eq!(broken(&format!("{ASKED}\n +1999\n w< assign H:1 mail")), ["epoch-early"]);
    }

    #[test]
    fn of_two_submits_either_may_have_made_it() {
        // What c asked for under the same key may have come first, and is for now.
        let script = "c> submit mail key=k bg
            d> submit mail key=k epoch=2
            d< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn a_time_that_is_past_or_none_is_now() {
        for epoch in ["-5", "0", "soon"] {
            let asked = ASKED.replace("epoch=2", &format!("epoch={epoch}"));
            assert_eq!(broken(&format!("{asked}\n w< assign H:1 mail")), [""; 0], "{epoch}");
        }
    }
}
