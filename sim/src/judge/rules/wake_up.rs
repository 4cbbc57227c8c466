//! Nobody sleeps while there is work.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Function, JobId, Limit, Map, Passes, Wait, WaitKind, functions_of};

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
            Fact::Waited { job, wait } if can_only_have_waited(job, wait, ledger) => {
                let sleepers = self.sleepers.get(&ledger[job].function);
                if let Some(asked) = sleepers.and_then(|sleepers| sleepers.within(wait)) {
                    let what = format!(
                        "the job waited, and the sleeper that asked #{} had not been woken for it",
                        asked.place
                    );
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            // Nothing is on its way, and who sleeps now is not about to be woken. Of other jobs one that nobody is woken for
            // may have been lost long before, and one that is due for less than this may be late, which other rules see.
            Fact::Rested => {
                for (job, _) in ledger.left_waiting().filter(|(_, wait)| wait.kind == WaitKind::Due) {
                    if let Some(since) = ledger.sleeper(ledger[job].function) {
                        let what = format!("all is at rest, it is due, and nobody wakes who sleeps since #{since}");
                        bench.accuse(About::job(ledger, job), what);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether the job was in its queue all the time. One that came back late, by a time limit perhaps, need not have
/// been, and that is the business of other rules.
fn can_only_have_waited(job: JobId, wait: Wait, ledger: &Ledger) -> bool {
    let before = ledger[job].attempts.iter().rev().nth(1);
    match wait.kind {
        WaitKind::Fresh => true,
        WaitKind::Lost => before.is_some_and(|before| before.limit == Limit::None),
        WaitKind::Expired | WaitKind::Due => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{SLEEPS, armed, broken};

    use crate::judge::Terms;
    use crate::judge::script::{broken_on, terms};

    #[test]
    fn a_sleeper_is_woken() {
        let script = format!("{SLEEPS}\n w> echo x\n w< noop\n w< echo x\n w> grab\n w< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }

    const SLEPT_ON: &str = "w> echo x
        w< echo x
        v> can_do mail
        v> grab
        v< assign H:1 mail";

    #[test]
    fn a_sleeper_that_sleeps_on_while_a_job_waits_is_wrong() {
        let script = format!("{SLEEPS}\n{SLEPT_ON}");
        assert_eq!((broken(&script), armed("wake-up", &script)), (vec!["wake-up"], 1));
        // With a limit it may have been another's turn.
        assert_eq!(broken_on(Terms { worker_wakeup: Some(1), ..terms() }, &script), [""; 0]);
    }

    #[test]
    fn an_ability_that_comes_in_sleep_wakes_too() {
        let script = format!("{SLEEPS}\n w> can_do mail\n{SLEPT_ON}").replacen("w> can_do mail", "w> can_do index", 1);
        assert_eq!(broken(&script), ["wake-up"]);
        let without = format!("{SLEEPS}\n{SLEPT_ON}").replacen("w> can_do mail", "w> can_do index", 1);
        assert_eq!(broken(&without), [""; 0]);
    }

    #[test]
    fn a_job_that_may_be_taken_already_wakes_nobody_for_certain() {
        // The other worker asked before the sleeper was answered.
        let script = format!("v> can_do mail\n v> grab\n{SLEEPS}\n w> echo x\n w< echo x\n v< assign H:1 mail");
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn a_question_asked_before_the_job_was_there_proves_nothing() {
        let script = "w> can_do mail
            w> sleep
            c> submit mail bg
            w> echo x
            w< echo x
            c< created H:1
            v> can_do mail
            v> grab
            v< assign H:1 mail";
        assert_eq!(broken(script), [""; 0]);
    }

    const LATER: &str = "w> can_do mail
        w> grab
        w< no_job
        w> sleep
        c> submit mail epoch=2
        c< created H:1";

    #[test]
    fn when_all_is_at_rest_nobody_sleeps_beside_a_job_that_is_due() {
        assert_eq!(broken(&format!("{LATER}\n +5000\n all rest")), ["wake-up"]);
        assert_eq!(broken(&format!("{LATER}\n +5000\n w< noop\n all rest")), [""; 0]);
        for too_early in ["all rest", "+4000\n all rest", "+5000"] {
            assert_eq!(broken(&format!("{LATER}\n {too_early}")), [""; 0]);
        }
        // It may have left, be able to do something else, or be about to ask.
        for why in ["w closes", "w> cant_do mail", "w> grab"] {
            assert_eq!(broken(&format!("{LATER}\n +5000\n {why}\n all rest")), [""; 0], "{why}");
        }
        let taken = "v> can_do mail\n v> grab\n v< assign H:1 mail";
        assert_eq!(broken(&format!("{LATER}\n +5000\n {taken}\n all rest")), [""; 0]);
    }

    #[test]
    fn at_rest_any_other_job_may_have_been_lost() {
        assert_eq!(broken(&format!("{SLEEPS}\n all rest")), [""; 0]);
    }
}
