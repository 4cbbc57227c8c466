//! A worker gets what the client gave.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Handed, JobId};

#[derive(Debug, Default)]
pub(super) struct AsSubmitted;

impl Rule for AsSubmitted {
    const INFO: RuleInfo = RuleInfo {
        name: "as-submitted",
        sentence: "Function, unique, reducer and workload reach the worker byte for byte, at every attempt.",
        defends: &["H-058", "H-061", "H-089", "H-101", "H-205"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        match *fact {
            Fact::Assigned { job, attempt, ref handed, .. } => {
                let connection = ledger[job].attempts[attempt].connection;
                let first = ledger[job].handed.as_ref();
                if !is_of_a_submit(job, handed, ledger) {
                    let what = "a worker was given what nobody submitted".to_owned();
                    bench.accuse(About::job(ledger, job).at(connection), what);
                } else if first.is_some_and(|first| !first.agrees(handed)) {
                    let what = "a worker was given something else than the worker before".to_owned();
                    bench.accuse(About::job(ledger, job).at(connection), what);
                } else {
                    bench.armed();
                }
            }
            Fact::Created { submit, job, .. } if ledger[job].submits.len() == 1 => {
                let Some(handed) = &ledger[job].handed else { return };
                if !is_of_a_submit(job, handed, ledger) {
                    let what = "a worker was given what nobody submitted".to_owned();
                    bench.accuse(About::job(ledger, job).at(ledger.submit(submit).connection), what);
                }
            }
            _ => {}
        }
    }
}

/// Whether it can be what one of the job's submits asked for. While none is known, anything can.
fn is_of_a_submit(job: JobId, handed: &Handed, ledger: &Ledger) -> bool {
    let told = &ledger[job];
    let mut known = told.submits.iter().chain(ledger.open_submits(told.key));
    (told.submits.is_empty() || told.is_old) && ledger.was_ever_asked_for(handed)
        || told.is_mistaken
        || known.any(|&submit| handed.fits(ledger.submit(submit)))
        || ledger.is_of_another_key(job, handed)
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken, broken_on, with_store};

    const SUBMITTED: &str = "c> submit mail key=k reducer=sum bg w=hello
        c< created H:1
        w> can_do mail
        w> grab_all";

    #[test]
    fn what_was_submitted_is_handed_out() {
        let script = format!("{SUBMITTED}\n w< assign H:1 mail key=k reducer=sum w=hello");
        assert_eq!((broken(&script), armed("as-submitted", &script)), (vec![], 1));
    }

    #[test]
    fn anything_else_is_wrong() {
        for given in ["key=k reducer=sum w=hell", "key=l reducer=sum w=hello", "key=k reducer=min w=hello"] {
            let script = format!("{SUBMITTED}\n w< assign H:1 mail {given}");
            assert_eq!(broken(&script), ["as-submitted"], "{given}");
        }
    }

    #[test]
    fn an_assignment_before_its_job_created_is_held_against_it_later() {
        let early = "w> can_do mail
            c> submit mail bg w=hello
            w> grab
            w< assign H:1 mail w=other";
        assert_eq!(broken(early), [""; 0]);
        assert_eq!(broken(&format!("{early}\n c< created H:1")), ["as-submitted"]);
    }

    #[test]
    fn what_a_store_gives_back_was_submitted_once() {
        let restarted = "c> submit mail bg w=hello
            c< created H:1
            server down
            server up
            w> can_do mail
            w> grab";
        assert_eq!(broken_on(with_store(), &format!("{restarted}\n w< assign H:1 mail w=hello")), [""; 0]);
        assert_eq!(broken_on(with_store(), &format!("{restarted}\n w< assign H:1 mail w=hel")), ["as-submitted"]);
    }

    #[test]
    fn a_submit_may_join_a_job_of_an_earlier_life() {
        let joined = "c> submit mail key=k bg w=hello
            c< created H:1
            server down
            server up
            d> submit mail key=k w=other
            d< created H:1
            w> can_do mail
            d closes
            d ended
            w> grab";
        assert_eq!(broken_on(with_store(), &format!("{joined}\n w< assign H:1 mail w=hello")), [""; 0]);
        assert_eq!(broken_on(with_store(), &format!("{joined}\n w< assign H:1 mail w=hel")), ["as-submitted"]);
    }

    #[test]
    fn of_several_submits_any_may_have_made_the_job() {
        let script = "c> submit mail key=k bg w=one
            d> submit mail key=k bg w=two
            c< created H:1
            w> can_do mail
            w> grab
            w< assign H:1 mail w=two";
        assert_eq!(broken(script), [""; 0]);
    }
}
