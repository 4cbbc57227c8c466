//! One function after the other.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Function, Job, Map, Passes, WaitKind, functions_of};
use gearman_engine::Compat;
use gearman_protocol::Priority;

/// For each function and priority, the grabs that were answered with another function that was as urgent, though it
/// was this one's turn. Where priority counts within a function alone there is none.
#[derive(Debug, Default)]
pub(super) struct TakeTurns {
    passes: Map<(Function, Option<Priority>), Passes>,
}

impl Rule for TakeTurns {
    const INFO: RuleInfo = RuleInfo {
        name: "take-turns",
        sentence: "Of a worker's functions with equally urgent new jobs the newest is served first, and then that which was served longest ago.",
        defends: &["O2", "O3", "O7"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Restarted => self.passes.clear(),
            Fact::Assigned { job, attempt, ahead, .. } => {
                let (given, grab) = (&ledger[job], ledger[job].attempts[attempt].grab);
                let Some(rank) = rank(given, ledger).filter(|_| !given.is_murky) else { return };
                for function in functions_of(ahead) {
                    self.passes.entry((function, rank)).or_default().push(grab, ledger.now.place);
                }
            }
            Fact::Waited { job, wait } if wait.kind == WaitKind::Fresh => {
                let waiting = &ledger[job];
                let Some(rank) = rank(waiting, ledger) else { return };
                let Some(passes) = self.passes.get(&(waiting.function, rank)) else { return };
                bench.armed();
                if let Some(grab) = passes.within(wait) {
                    let what = format!("it was its function's turn, and the grab #{} was answered with another", grab.place);
                    bench.accuse(About::job(ledger, job), what);
                }
            }
            _ => {}
        }
    }
}

/// Among which jobs of other functions this one has its turn: those of its priority, or all where priority counts
/// within a function alone. Unknown if its priority is.
fn rank(job: &Job, ledger: &Ledger) -> Option<Option<Priority>> {
    match ledger.terms.compat {
        Compat::Version2 => job.priority.map(Some),
        Compat::Version1_1 { .. } => Some(None),
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::Terms;
    use crate::judge::script::{armed, armed_on, broken, broken_on, terms};
    use gearman_engine::Compat;

    /// Two jobs of each of two functions, and a worker that has registered `index` last.
    const FOUR: &str = "c> submit mail bg w=m1
        c< created H:1
        c> submit mail bg w=m2
        c< created H:2
        c> submit index bg w=i1
        c< created H:3
        c> submit index bg w=i2
        c< created H:4
        w> can_do mail
        w> can_do index
        w> grab";

    const IN_TURN: &str = "w< assign H:3 index w=i1
        w> grab
        w< assign H:1 mail w=m1
        w> grab
        w< assign H:4 index w=i2
        w> grab
        w< assign H:2 mail w=m2";

    const ONE_AFTER_THE_OTHER: &str = "w< assign H:3 index w=i1
        w> grab
        w< assign H:4 index w=i2
        w> grab
        w< assign H:1 mail w=m1
        w> grab
        w< assign H:2 mail w=m2";

    fn old(round_robin: bool) -> Terms {
        Terms { compat: Compat::Version1_1 { round_robin }, ..terms() }
    }

    #[test]
    fn the_newest_first_and_then_in_turn() {
        let script = format!("{FOUR}\n {IN_TURN}");
        assert_eq!(broken(&script), [""; 0]);
        assert_eq!(broken_on(old(true), &script), [""; 0]);
        // Without turns the newest is always first.
        assert_eq!(broken_on(old(false), &script), ["take-turns"]);
    }

    #[test]
    fn the_same_again_is_wrong() {
        let script = format!("{FOUR}\n {ONE_AFTER_THE_OTHER}");
        assert_eq!((broken(&script), armed("take-turns", &script)), (vec!["take-turns"], 2));
        assert_eq!(broken_on(old(true), &script), ["take-turns"]);
        assert_eq!((broken_on(old(false), &script), armed_on(old(false), "take-turns", &script)), (vec![], 0));
    }

    #[test]
    fn the_oldest_first_is_wrong() {
        let script = format!("{FOUR}\n w< assign H:1 mail w=m1\n w> grab\n w< assign H:3 index w=i1");
        assert_eq!(broken(&script), ["take-turns"]);
    }

    #[test]
    fn what_is_registered_again_keeps_its_turn_and_what_was_taken_back_loses_it() {
        let then = |said: &str| format!("{FOUR}\n w< assign H:3 index w=i1\n {said}\n w> grab\n w< assign H:4 index w=i2\n w> grab\n w< assign H:1 mail w=m1");
        assert_eq!(broken(&then("w> can_do index")), ["take-turns"]);
        for said in ["w> cant_do index\n w> can_do index", "w> reset\n w> can_do mail\n w> can_do index"] {
            assert_eq!(broken(&then(&format!("w> complete H:3 done\n {said}"))), [""; 0], "{said}");
        }
    }

    #[test]
    fn after_a_job_that_was_not_there_turns_begin_anew() {
        let wrong = "w< assign H:3 index w=i1
            w> complete H:3 done
            w> get_status H:3
            w< unknown H:3
            w> grab
            w< assign H:3 index w=i1";
        let then = |rest: &str| broken(&format!("{FOUR}\n {wrong}\n {rest}"));
        assert_eq!(then("w> grab\n w< assign H:4 index w=i2\n w> grab\n w< assign H:1 mail w=m1"), ["run-once"]);
        let again = "w> grab
            w< assign H:1 mail w=m1
            w> grab
            w< assign H:2 mail w=m2
            w> grab
            w< assign H:4 index w=i2";
        // Whose turn it was is not known, as long as `index` was not served.
        assert_eq!(then(again), ["run-once"]);
        let known = "w> grab
            w< assign H:4 index w=i2
            w> grab
            w< assign H:1 mail w=m1
            c> submit index bg w=i3
            c< created H:5
            w> grab
            w< assign H:2 mail w=m2
            w> grab
            w< assign H:5 index w=i3";
        assert_eq!(then(known), ["run-once", "take-turns"]);
    }

    #[test]
    fn what_is_asked_behind_a_grab_does_not_count_for_it() {
        let piped = |grab: &str| {
            format!(
                "c> submit mail bg w=m1
                c< created H:1
                c> submit index bg w=i1
                c< created H:2
                w> can_do mail
                {grab}
                w< assign H:1 mail w=m1
                w> grab
                w< assign H:2 index w=i1"
            )
        };
        assert_eq!(broken(&piped("w> grab\n w> can_do index")), [""; 0]);
        assert_eq!(broken(&piped("w> can_do index\n w> grab")), ["take-turns"]);
    }

    #[test]
    fn priority_counts_over_all_functions_but_for_the_old() {
        let script = "c> submit mail bg high w=m1
            c< created H:1
            c> submit index bg low w=i1
            c< created H:2
            w> can_do mail
            w> can_do index
            w> grab
            w< assign H:1 mail w=m1
            w> grab
            w< assign H:2 index w=i1";
        assert_eq!(broken(script), [""; 0]);
        assert_eq!(broken_on(old(true), script), ["take-turns"]);
        assert_eq!(broken_on(old(false), script), ["take-turns"]);
    }

    #[test]
    fn a_job_that_may_have_come_later_or_was_taken_meanwhile_is_not_judged() {
        let later = "c> submit mail bg w=m1
            c< created H:1
            w> can_do mail
            w> can_do index
            w> grab
            c> submit index bg w=i1
            c< created H:2
            w< assign H:1 mail w=m1
            w> grab
            w< assign H:2 index w=i1";
        assert_eq!(broken(later), [""; 0]);
        let taken = "v> can_do index
            v> grab
            c> submit mail bg w=m1
            c< created H:1
            c> submit index bg w=i1
            c< created H:2
            w> can_do mail
            w> can_do index
            w> grab
            w< assign H:1 mail w=m1
            v< assign H:2 index w=i1";
        assert_eq!(broken(taken), [""; 0]);
    }
}
