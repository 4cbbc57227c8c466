//! A queue is full when it is, and only then.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo, sign_of_life};
use crate::history::Place;
use crate::judge::ledger::{JobId, SubmitId};

/// What only later signs of life can decide: jobs that had been lost took no room, and cancelled ones may live on, both of
/// which are other matters.
#[derive(Debug, Default)]
pub(super) struct QueueLimit {
    /// New jobs that were made where there was no room, for all that was known.
    crowds: Vec<Crowd>,
    /// Submits that were refused where there was room, unless one of these cancelled jobs lived on.
    refusals: Vec<(Vec<JobId>, About, String)>,
}

/// A new job, and those beside which it was made.
#[derive(Debug)]
struct Crowd {
    job: JobId,
    made: Place,
    limit: usize,
    /// Those of the others that have given no sign of life since.
    silent: Vec<JobId>,
    /// How many have.
    alive: usize,
    /// Whether the new one has.
    is_there: bool,
}

impl Rule for QueueLimit {
    const INFO: RuleInfo = RuleInfo {
        name: "queue-limit",
        sentence: "A new job is refused for a full queue if its function has as many jobs as `maxqueue` allows, and \
                   otherwise not.",
        defends: &["H-118", "H-120"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        if let Some((job, at)) = sign_of_life(fact, ledger) {
            self.refusals.retain(|(cancelled, ..)| !cancelled.contains(&job));
            self.is_crowded(job, at, ledger, bench);
        }
        match *fact {
            Fact::Restarted => *self = Self::default(),
            Fact::Full { submit } => self.refused(submit, ledger, bench),
            Fact::Created { submit, job, .. } => self.taken(submit, job, ledger, bench),
            Fact::Finished => {
                self.refusals.drain(..).for_each(|(_, about, what)| bench.accuse(about, what));
            }
            _ => {}
        }
    }
}

impl QueueLimit {
    fn refused(&mut self, submit: SubmitId, ledger: &Ledger, bench: &mut Bench) {
        let about = About::connection(ledger.submit(submit).connection);
        let Some(least) = ledger.least_limit(submit) else {
            let what = "a submit was told that its queue is full, and there is no limit".to_owned();
            return bench.accuse(about, what);
        };
        let Some((most, cancelled)) = ledger.most_jobs_beside(submit) else { return };
        bench.armed();
        if most < least as usize {
            let what =
                format!("a submit was told that its queue is full, with {most} jobs at most where {least} may be");
            self.refusals.push((cancelled, about, what));
        }
    }

    fn taken(&mut self, submit: SubmitId, job: JobId, ledger: &Ledger, bench: &mut Bench) {
        let is_new = ledger[job].maker == Some(submit) && ledger[job].submits.len() == 1;
        let Some(limit) = ledger.greatest_limit(submit).filter(|_| is_new) else { return };
        bench.armed();
        let (limit, silent) = (limit as usize, ledger.jobs_beside(submit, job));
        if silent.len() >= limit {
            let made = ledger.now.place;
            self.crowds.push(Crowd { job, made, limit, silent, alive: 0, is_there: false });
        }
    }

    /// A job has shown that it lived at this place.
    fn is_crowded(&mut self, alive: JobId, at: Place, ledger: &Ledger, bench: &mut Bench) {
        self.crowds.retain_mut(|crowd| {
            if crowd.made >= at {
                return true;
            }
            crowd.is_there |= crowd.job == alive;
            if let Some(index) = crowd.silent.iter().position(|&job| job == alive) {
                crowd.silent.swap_remove(index);
                crowd.alive += 1;
            }
            if !crowd.is_there || crowd.alive < crowd.limit {
                return true;
            }
            let what = format!("it was made beside {0} jobs of its function, where {0} may be", crowd.limit);
            bench.accuse(About::job(ledger, crowd.job), what);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, armed_on, broken, broken_on, with_store};

    const TWO_JOBS: &str = "a> maxqueue mail 2
        a< line OK
        c> submit mail bg
        c< created H:1
        d> submit mail bg
        d< created H:2";

    /// Both of them live.
    const ALIVE: &str = "w> can_do mail
        w> grab
        w< assign H:1 mail
        w> grab
        w< assign H:2 mail
        w> grab";

    fn then(lines: &str) -> String {
        format!("{TWO_JOBS}\n{lines}")
    }

    #[test]
    fn what_is_over_the_limit_is_refused() {
        let script = then("c> submit mail\n c< full");
        assert_eq!(broken(&script), [""; 0]);
        assert_eq!(armed("queue-limit", &script), 3);
    }

    #[test]
    fn what_is_over_the_limit_is_not_taken() {
        let over = |function| then(&format!("c> submit {function}\n c< created H:3\n {ALIVE}\n w< assign H:3 {function}"));
        assert_eq!(broken(&over("mail")), ["queue-limit"]);
        let elsewhere = then(&format!("c> submit index\n c< created H:3\n {ALIVE}\n w< no_job"));
        assert_eq!(broken(&elsewhere), [""; 0]);
    }

    #[test]
    fn whether_the_others_lived_only_signs_of_life_can_tell() {
        let over = then("w> can_do mail\n w> grab\n c> submit mail\n c< created H:3\n w< assign H:1 mail");
        assert_eq!(broken(&over), [""; 0]);
        assert_eq!(armed("queue-limit", &over), 3);
    }

    #[test]
    fn a_limit_that_was_lowered_may_have_been_passed_before() {
        let lowered = then("a> maxqueue mail 1\n a< line OK\n c> submit mail bg\n c< created H:3");
        let alive = format!("{lowered}\n {ALIVE}\n w< no_job");
        assert!(!broken(&alive).contains(&"queue-limit"), "the third was lost");
        assert_eq!(broken(&format!("{lowered}\n {ALIVE}\n w< assign H:3 mail")), ["queue-limit"]);
    }

    #[test]
    fn what_shares_a_job_needs_no_room() {
        let script = "a> maxqueue mail 1
            a< line OK
            c> submit mail key=k bg
            c< created H:1
            d> submit mail key=k bg
            d< created H:1";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn what_is_within_the_limit_is_not_refused() {
        let script = "a> maxqueue mail 2
            a< line OK
            c> submit mail bg
            c< created H:1
            c> submit mail bg
            c< full";
        assert_eq!(broken(script), ["queue-limit"]);
    }

    #[test]
    fn where_there_is_no_limit_nothing_is_full() {
        assert_eq!(broken("c> submit mail\n c< full"), ["queue-limit"]);
        assert_eq!(broken("a> maxqueue index 1\n a< line OK\n c> submit mail\n c< full"), ["queue-limit"]);
        let lifted = "a> maxqueue mail 0\n a< line OK\n c> submit mail low\n c< full";
        assert_eq!(broken(lifted), ["queue-limit"]);
    }

    #[test]
    fn of_three_limits_any_may_be_the_one() {
        let limits = then("").replace("mail 2", "mail 1 2 3");
        assert_eq!(broken(&format!("{limits}\n c> submit mail bg\n c< full")), [""; 0]);
        let third = format!("{limits}\n c> submit mail bg\n c< created H:3");
        assert_eq!(broken(&format!("{third}\n {ALIVE}\n w< assign H:3 mail")), [""; 0]);
        let fourth = format!("{third}\n d> submit mail bg\n d< created H:4\n {ALIVE}\n w< assign H:3 mail");
        assert_eq!(broken(&format!("{fourth}\n w> grab\n w< assign H:4 mail")), ["queue-limit"]);
        let lifted = limits.replace("1 2 3", "1 1 0");
        assert_eq!(broken(&format!("{lifted}\n c> submit mail bg\n c< created H:3\n {ALIVE}\n w< assign H:3 mail")), [""; 0]);
    }

    #[test]
    fn a_limit_that_may_be_set_may_be_kept_or_not() {
        let open = "c> submit mail bg
            c< created H:1
            a> maxqueue mail 1
            c> submit mail bg";
        assert_eq!(broken(&format!("{open}\n c< full")), [""; 0]);
        assert_eq!(broken(&format!("{open}\n c< created H:2")), [""; 0]);
    }

    #[test]
    fn a_limit_that_may_be_lifted_may_be_kept_or_not() {
        let lifting = then("a> maxqueue mail 0\n c> submit mail bg");
        assert_eq!(broken(&format!("{lifting}\n c< full")), [""; 0]);
        assert_eq!(broken(&format!("{lifting}\n c< created H:3")), [""; 0]);
        let lifted = then("a> maxqueue mail 0\n a< line OK\n c> submit mail bg");
        assert_eq!(broken(&format!("{lifted}\n c< full")), ["queue-limit"]);
    }

    #[test]
    fn a_job_that_may_have_ended_may_have_made_room_or_not() {
        let ending = then("w> can_do mail
            w> grab
            w< assign H:1 mail
            w> complete H:1 x
            c> submit mail bg");
        assert_eq!(broken(&format!("{ending}\n c< full")), [""; 0]);
        assert_eq!(broken(&format!("{ending}\n c< created H:3")), [""; 0]);
        let ended = ending.replace("c> submit", "w> echo a\n w< echo a\n c> submit");
        assert_eq!(broken(&format!("{ended}\n c< full")), ["queue-limit"]);
    }

    #[test]
    fn a_cancelled_job_takes_no_room_unless_it_lives_on() {
        let cancelled = then("a> cancel H:1\n a< line OK\n c> submit mail bg\n c< full");
        assert_eq!(broken(&cancelled), ["queue-limit"]);
        let lives_on = format!("{cancelled}\n w> can_do mail\n w> grab\n w< assign H:1 mail");
        assert_eq!(broken(&lives_on), ["removed-stays-removed"]);
    }

    #[test]
    fn a_limit_is_gone_with_the_server_and_stored_jobs_are_not() {
        let later = then("server down\n server up\n c> submit mail bg");
        assert_eq!(broken_on(with_store(), &format!("{later}\n c< full")), ["queue-limit"]);
        let limited = then("server down\n server up\n b> maxqueue mail 2\n b< line OK\n c> submit mail bg");
        assert_eq!(broken_on(with_store(), &format!("{limited}\n c< full")), [""; 0]);
        assert_eq!(armed_on(with_store(), "queue-limit", &format!("{limited}\n c< full")), 2);
        assert_eq!(broken(&format!("{limited}\n c< full")), ["queue-limit"]);
    }
}
