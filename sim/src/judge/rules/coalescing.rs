//! Equal uniques are one job, as long as it lives.

use super::{About, Bench, Doubts, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Handed, JobId, SubmitId};

/// Jobs beside which a second one was made, while they lived for all that was known. Whether they did, only a
/// later sign of life can tell: a job that had been lost was no reason not to make another.
#[derive(Debug, Default)]
pub(super) struct Coalescing(Doubts);

impl Rule for Coalescing {
    const INFO: RuleInfo = RuleInfo {
        name: "coalescing",
        sentence: "Submits of one function and one unique share a job while it lives, and others do not.",
        defends: &["H-002", "H-094", "H-101", "H-126"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        if let Some(job) = self.0.settled_by(fact, ledger) {
            bench.accuse(About::job(ledger, job), "a second job was made of a unique whose job lived on".to_owned());
        }
        match *fact {
            Fact::Restarted => self.0.clear(),
            Fact::Created { submit, job, before } => {
                if let Some(handed) = ledger[job].handed.as_ref().filter(|_| ledger[job].submits.len() == 1) {
                    shares(job, handed, ledger, bench);
                }
                if let Some(before) = before {
                    self.created(submit, job, before, ledger, bench);
                }
            }
            Fact::Assigned { job, ref handed, .. } => shares(job, handed, ledger, bench),
            Fact::Mistaken { submit, job } if is_other_unique(submit, job, ledger) => {
                let about = About::job(ledger, job).at(ledger.submit(submit).connection);
                bench.accuse(about, "two submits with different uniques share a job".to_owned());
            }
            _ => {}
        }
    }
}

impl Coalescing {
    fn created(&mut self, id: SubmitId, job: JobId, before: JobId, ledger: &Ledger, bench: &mut Bench) {
        let submit = ledger.submit(id);
        if job != before {
            if ledger[before].seen < submit.wrote.place && !ledger.may_be_over(before) {
                self.0.doubt(before, ledger.now.place);
            }
            return;
        }
        bench.armed();
        let job_now = &ledger[job];
        let had_ended = job_now.over.is_some_and(|over| over < submit.wrote.place);
        if had_ended && !job_now.cancelling && !job_now.is_murky {
            let about = About::job(ledger, job).at(submit.connection);
            bench.accuse(about, "a submit was attached to a job that had ended".to_owned());
        }
    }
}

/// What was handed out may show that another unique's submit has made the job.
fn shares(job: JobId, handed: &Handed, ledger: &Ledger, bench: &mut Bench) {
    let told = &ledger[job];
    let mut known = told.submits.iter().chain(ledger.open_submits(told.key));
    let is_own = told.submits.is_empty() || known.any(|&submit| handed.fits(ledger.submit(submit)));
    if !is_own && !told.is_mistaken && ledger.is_of_another_key(job, handed) {
        let what = "what was handed out was submitted with another unique than what was acknowledged".to_owned();
        bench.accuse(About::job(ledger, job), what);
    }
}

/// Whether the submit and the job are of one function and both have a unique.
pub(super) fn is_other_unique(submit: SubmitId, job: JobId, ledger: &Ledger) -> bool {
    let (submit, job) = (ledger.submit(submit), &ledger[job]);
    submit.function == job.function && submit.key.is_some() && job.key.is_some()
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const FIRST: &str = "c> submit mail key=k bg
        c< created H:1";

    #[test]
    fn equal_uniques_share_a_job_while_it_lives() {
        let script = format!("{FIRST}\n d> submit mail key=k\n d< created H:1");
        assert_eq!((broken(&script), armed("coalescing", &script)), (vec![], 1));
    }

    #[test]
    fn a_second_job_beside_one_that_lives_on_is_wrong() {
        let second = format!("{FIRST}\n d> submit mail key=k\n d< created H:2");
        // Until the first shows a sign of life it may have been lost, which would be another fault.
        assert_eq!(broken(&second), [""; 0]);
        assert_eq!(broken(&format!("{second}\n w> can_do mail\n w> grab\n w< assign H:1 mail")), ["coalescing"]);
    }

    #[test]
    fn other_functions_other_uniques_and_none_are_other_jobs() {
        let script = format!("{FIRST}\n d> submit index key=k\n d< created H:2\n d> submit mail\n d< created H:3");
        assert_eq!(broken(&script), [""; 0]);
        assert_eq!(broken(&format!("{FIRST}\n d> submit mail key=l\n d< created H:1")), ["coalescing"]);
    }

    /// The server took both for one, and only the answer of the second arrived.
    const SHARED: &str = "c> submit mail key=k w=one
        c closes
        w> can_do mail
        w> grab
        d> submit mail key=l w=two";

    #[test]
    fn a_worker_that_is_given_what_another_unique_asked_for_shows_that_two_share_a_job() {
        let read_before = format!("{SHARED}\n d< created H:1\n w< assign H:1 mail w=one");
        assert_eq!(broken(&read_before), ["coalescing"]);
        let read_after = format!("{SHARED}\n w< assign H:1 mail w=one\n d< created H:1");
        assert_eq!(broken(&read_after), ["coalescing"]);
        let own = format!("{SHARED}\n d< created H:1\n w< assign H:1 mail w=two");
        assert_eq!(broken(&own), [""; 0]);
        // What nobody has submitted is another matter.
        let nobodys = format!("{SHARED}\n d< created H:1\n w< assign H:1 mail w=three");
        assert_eq!(broken(&nobodys), ["as-submitted"]);
    }

    const DONE: &str = "w> can_do mail
        w> grab
        w< assign H:1 mail
        w> complete H:1 done";

    #[test]
    fn a_submit_that_is_attached_to_the_dead_is_wrong() {
        let script = format!("{FIRST}\n{DONE}\n w> grab\n w< no_job\n d> submit mail key=k bg\n d< created H:1");
        assert_eq!(broken(&script), ["coalescing"]);
    }

    #[test]
    fn while_the_end_is_under_way_both_are_right() {
        let attached = format!("{FIRST}\n{DONE}\n d> submit mail key=k bg\n d< created H:1");
        assert_eq!(broken(&attached), [""; 0]);
        assert_eq!(broken(&format!("{FIRST}\n{DONE}\n d> submit mail key=k bg\n d< created H:2")), [""; 0]);
    }
}
