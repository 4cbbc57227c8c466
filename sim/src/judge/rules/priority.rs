//! The urgent first.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Function, Functions, Map, Passes, WaitKind, functions_of, only};
use gearman_engine::Compat;
use gearman_protocol::Priority as Urgency;

/// For each function and priority, the grabs of able workers that were answered with something less urgent.
#[derive(Debug, Default)]
pub(super) struct Priority {
    passes: Map<(Function, Urgency), Passes>,
}

impl Rule for Priority {
    const INFO: RuleInfo = RuleInfo {
        name: "priority",
        sentence: "A grab is answered with the most urgent of the new jobs that wait for any of the worker's functions.",
        defends: &["H-067", "H-113"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Restarted => self.passes.clear(),
            Fact::Assigned { job, attempt, able, .. } => {
                let (given, grab) = (&ledger[job], ledger[job].attempts[attempt].grab);
                let Some(priority) = given.priority.filter(|_| !given.is_murky) else { return };
                // To gearmand 1.1 priority counts within a function only.
                let is_over_all = ledger.terms.compat == Compat::Version2;
                let among = if is_over_all { Functions::MAX } else { only(given.function) };
                for urgent in Urgency::ALL.into_iter().filter(|&urgent| urgent < priority) {
                    for function in functions_of(able & among) {
                        self.passes.entry((function, urgent)).or_default().push(grab, ledger.now.place);
                    }
                }
            }
            Fact::Waited { job, wait } if wait.kind == WaitKind::Fresh => {
                let Some(priority) = ledger[job].priority else { return };
                let Some(passes) = self.passes.get(&(ledger[job].function, priority)) else { return };
                bench.armed();
                if let Some(grab) = passes.within(wait) {
                    let what = format!("the grab #{} was answered with a less urgent job", grab.place);
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::Terms;
    use crate::judge::script::{armed, broken, broken_on, terms};
    use gearman_engine::Compat;

    const TWO: &str = "c> submit mail bg low w=low
        c< created H:1
        c> submit index bg high w=high
        c< created H:2
        w> can_do mail
        w> can_do index
        w> grab";

    #[test]
    fn the_urgent_first_whatever_the_function() {
        let script = format!("{TWO}\n w< assign H:2 index w=high\n w> grab\n w< assign H:1 mail w=low");
        assert_eq!(broken(&script), [""; 0]);
    }

    #[test]
    fn the_urgent_last_is_wrong() {
        let script = format!("{TWO}\n w< assign H:1 mail w=low\n w> grab\n w< assign H:2 index w=high");
        assert_eq!((broken(&script), armed("priority", &script)), (vec!["priority"], 1));
    }

    #[test]
    fn to_gearmand_1_1_priority_counts_within_a_function() {
        let old = || Terms { compat: Compat::Version1_1 { round_robin: false }, ..terms() };
        let among_two = "c> submit mail bg high w=high
            c< created H:1
            c> submit index bg low w=low
            c< created H:2
            w> can_do mail
            w> can_do index
            w> grab
            w< assign H:2 index w=low
            w> grab
            w< assign H:1 mail w=high";
        assert_eq!((broken(among_two), broken_on(old(), among_two)), (vec!["priority"], vec![]));
        assert_eq!(broken_on(old(), &among_two.replace("index", "mail")), ["priority"]);
    }

    #[test]
    fn a_job_that_may_have_come_later_or_was_taken_meanwhile_is_not_judged() {
        let later = "c> submit mail bg low w=low
            c< created H:1
            w> can_do mail
            w> grab
            c> submit mail bg high w=high
            c< created H:2
            w< assign H:1 mail w=low
            w> grab
            w< assign H:2 mail w=high";
        assert_eq!(broken(later), [""; 0]);
        let taken = format!("v> can_do index\n v> grab\n{TWO}\n w< assign H:1 mail w=low\n v< assign H:2 index w=high");
        assert_eq!(broken(&taken), [""; 0]);
    }
}
