//! A worker has the time that it was promised.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Attempt, Limit};

#[derive(Debug, Default)]
pub(super) struct TimeoutEarly;

impl Rule for TimeoutEarly {
    const INFO: RuleInfo = RuleInfo {
        name: "timeout-early",
        sentence: "A job with a time limit is not taken from its worker before the limit has passed.",
        defends: &["H-071", "H-131"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let has_limit = |attempt: &Attempt| attempt.limit != Limit::None;
        match *fact {
            Fact::Clash { job, attempts: [first, second] } => {
                let attempts = &ledger[job].attempts;
                if !attempts[first].may_have_finished() && has_limit(&attempts[first]) {
                    let (holder, other) = (attempts[first].connection, attempts[second].connection);
                    let what = format!("{other} was given the job before the limit of {holder} had passed");
                    bench.accuse(About::job(ledger, job).at(other), what);
                }
            }
            Fact::Refused { job, attempt, .. } => {
                let held = &ledger[job].attempts[attempt];
                if has_limit(held) && ledger.is_surely_held(job, attempt) {
                    let what = "a report was refused before the job's limit had passed".to_owned();
                    bench.accuse(About::job(ledger, job).at(held.connection), what);
                }
            }
            Fact::Accepted { job, attempt, .. } if has_limit(&ledger[job].attempts[attempt]) => bench.armed(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::Terms;
    use crate::judge::script::{armed, broken, broken_on, terms};

    const HELD: &str = "c> submit mail bg
        c< created H:1
        w1> can_do mail 100
        w2> can_do mail
        w1> grab
        w1< assign H:1 mail";

    #[test]
    fn within_its_time_a_worker_is_heard() {
        let script = format!("{HELD}\n +99\n w1> complete H:1 done\n w1> grab\n w1< no_job");
        assert_eq!((broken(&script), armed("timeout-early", &script)), (vec![], 1));
    }

    #[test]
    fn a_job_taken_away_or_a_report_refused_before_the_time_is_wrong() {
        let taken = format!("{HELD}\n +99\n w2> grab\n w2< assign H:1 mail");
        assert_eq!(broken(&taken), ["timeout-early"]);
        let refused = format!("{HELD}\n +99\n w1> complete H:1 done\n w1< not_yours");
        assert_eq!(broken(&refused), ["timeout-early"]);
    }

    #[test]
    fn with_this_rule_off_no_other_builds_on_its_promise() {
        let off = Terms { keeps_limits: false, ..terms() };
        let taken = format!("{HELD}\n +50\n w2> grab\n w2< assign H:1 mail");
        assert_eq!(broken_on(off, &taken), [""; 0]);
    }

    #[test]
    fn a_result_on_its_way_may_end_the_job_as_its_next_attempt() {
        let watched = HELD.replace("submit mail bg", "submit mail");
        let ended = format!(
            "{watched}\n +50\n w1> grab\n +49\n w1> complete H:1 done\n +1\n c< complete H:1 done"
        );
        let again = format!("{ended}\n w1< assign H:1 mail\n w1> data H:1 more\n w1< no_such_data");
        assert_eq!(broken(&again), [""; 0]);
    }

    #[test]
    fn when_the_time_may_have_passed_it_is_not_judged() {
        let taken = format!("{HELD}\n +100\n w2> grab\n w2< assign H:1 mail");
        assert_eq!(broken(&taken), [""; 0]);
        let refused = format!("{HELD}\n +99\n w1> complete H:1 done\n +1\n w1< not_yours");
        assert_eq!(broken(&refused), [""; 0]);
    }
}
