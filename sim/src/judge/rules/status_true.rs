//! A status is the truth.

use super::{About, Bench, Doubts, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Asked, Attempt, Fate, JobId, Limit, Question, Said};
use crate::history::Connection;
use gearman_protocol::{JobStatus, Report, Response};

/// Jobs that were said not to be known. Whether that was wrong, only a later sign of life can tell.
#[derive(Debug, Default)]
pub(super) struct StatusTrue(Doubts);

impl Rule for StatusTrue {
    const INFO: RuleInfo = RuleInfo {
        name: "status-true",
        sentence: "STATUS_RES says whether the job lives, whether a worker holds it, and what its worker has said of it last.",
        defends: &["H-065", "H-119", "K9", "K26"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        if let Some(job) = self.0.settled_by(fact, ledger) {
            let what = "the status said that the job is not known, and it lived on".to_owned();
            bench.accuse(About::job(ledger, job), what);
        }
        let (connection, asked, status) = match fact {
            Fact::Answered { connection, asked, response: Response::Status(status) } => (*connection, asked, status),
            Fact::Restarted => return self.0.clear(),
            _ => return,
        };
        let Question::Status(handle) = &asked.question else { return };
        let Some(job) = ledger.by_handle(handle).filter(|&job| !ledger[job].is_murky) else { return };
        bench.armed();
        let lived = ledger[job].seen < asked.wrote.place && !ledger.may_be_over(job);
        if lived && !status.known {
            return self.0.doubt(job, ledger.now.place);
        }
        let wrong = is_known_wrong(job, asked, status, ledger)
            .or_else(|| is_running_wrong(job, asked, status, ledger, connection))
            .or_else(|| is_progress_wrong(job, status, ledger))
            .or_else(|| is_progress_old(job, asked, status, ledger, connection));
        if let Some(what) = wrong {
            bench.accuse(About::job(ledger, job).at(connection), what.to_owned());
        }
    }
}

fn is_known_wrong(job: JobId, asked: &Asked, status: &JobStatus, ledger: &Ledger) -> Option<&'static str> {
    let had_ended = ledger[job].over.is_some_and(|over| over < asked.wrote.place) && !ledger[job].cancelling;
    (status.known && had_ended).then_some("the status of a job that had ended says that it is known")
}

fn is_running_wrong(
    job: JobId,
    asked: &Asked,
    status: &JobStatus,
    ledger: &Ledger,
    connection: Connection,
) -> Option<&'static str> {
    if status.running {
        let job_now = &ledger[job];
        let is_new = job_now.attempts.is_empty() && job_now.seen < asked.wrote.place;
        return (is_new && ledger.is_where_it_seems(job, connection))
            .then_some("the status of a job that was never handed out says that it runs");
    }
    let is_held = status.known && holder(job, asked, ledger).is_some();
    is_held.then_some("the status of a job that a worker holds says that it does not run")
}

/// The attempt whose worker has certainly held the job since before this was asked. Whether a time limit is kept is
/// another matter.
fn holder<'a>(job: JobId, asked: &Asked, ledger: &'a Ledger) -> Option<&'a Attempt> {
    let last = ledger[job].attempts.len().checked_sub(1)?;
    let attempt = &ledger[job].attempts[last];
    let is_held = attempt.read.place < asked.wrote.place && ledger.is_surely_held(job, last);
    (is_held && attempt.limit == Limit::None).then_some(attempt)
}

/// Whether the numbers are neither none nor what a worker has said.
fn is_progress_wrong(job: JobId, status: &JobStatus, ledger: &Ledger) -> Option<&'static str> {
    if (status.numerator, status.denominator) == (0, 0) {
        return None;
    }
    let job = &ledger[job];
    let all = job.attempts.iter().flat_map(|attempt| &attempt.said).filter(|said| said.fate != Fate::Refused);
    let mut all = all.chain(&job.strangers);
    let said = all.any(|said| numbers(&said.report) == Some((status.numerator, status.denominator)));
    (!said).then_some("the status tells a progress that no worker of the job has reported")
}

/// Whether the numbers are older than what the worker that holds the job is known to have said before anybody asked.
fn is_progress_old(
    job: JobId,
    asked: &Asked,
    status: &JobStatus,
    ledger: &Ledger,
    connection: Connection,
) -> Option<&'static str> {
    let attempt = holder(job, asked, ledger).filter(|_| status.known)?;
    let said = attempt.said.iter().filter(|said| matches!(said.report, Report::Status { .. }));
    let is_known = |said: &&Said| said.came_before(connection, asked.wrote.place);
    let since = said.clone().rfind(is_known)?.wrote.place;
    let mut since = said.filter(|said| said.wrote.place >= since).map(|said| numbers(&said.report));
    // What is no number may be read as any.
    let is_old = since.all(|said| said.is_some_and(|said| said != (status.numerator, status.denominator)));
    is_old.then_some("the status tells an older progress than the worker's last")
}

fn numbers(report: &Report) -> Option<(u32, u32)> {
    match report {
        Report::Status { numerator, denominator } => Some((number(numerator)?, number(denominator)?)),
        Report::Data(_) | Report::Warning(_) | Report::Complete(_) | Report::Fail | Report::Exception(_) => None,
    }
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::judge::script::{armed, broken};

    const HELD: &str = "c> submit mail bg
        c< created H:1
        w> can_do mail
        w> grab
        w< assign H:1 mail
        w> status H:1 3 10";

    #[test]
    fn the_truth_is_right() {
        let script = format!("{HELD}\n d> get_status H:1\n d< known H:1 running done=3 of=10");
        assert_eq!((broken(&script), armed("status-true", &script)), (vec![], 1));
    }

    #[test]
    fn of_what_a_worker_is_known_to_have_said_the_last_is_told() {
        let since = format!("{HELD}\n w> status H:1 7 10");
        let heard = format!("{since}\n w> echo x\n w< echo x");
        for (told, is_right) in [("done=7 of=10", true), ("done=3 of=10", false), ("", false)] {
            let asked = |before: &str| format!("{before}\n d> get_status H:1\n d< known H:1 running {told}");
            assert_eq!(broken(&asked(&heard)).is_empty(), is_right, "{told}");
            // It may not have come to the server yet, or be followed by what has.
            assert_eq!(broken(&asked(&since)), [""; 0], "{told}");
            let timed = heard.replace("can_do mail", "can_do mail 500");
            assert_eq!(broken(&asked(&timed)), [""; 0], "{told}");
        }
        let watched = since.replace("mail bg", "mail") + "\n c< status H:1 3 10\n c< status H:1 7 10";
        let asked = format!("{watched}\n d> get_status H:1\n d< known H:1 running");
        assert_eq!(broken(&format!("{asked} done=7 of=10")), [""; 0]);
        assert_eq!(broken(&format!("{asked} done=3 of=10")), ["status-true"]);
        // What its own watcher reads before the answer has been said before it.
        let early = since.replace("mail bg", "mail").replace("\n w> status H:1 7", "\n c> get_status H:1\n w> status H:1 7");
        let answered = format!("{early}\n c< status H:1 3 10\n c< status H:1 7 10\n c< known H:1 running");
        assert_eq!(broken(&format!("{answered} done=7 of=10")), [""; 0]);
        assert_eq!(broken(&format!("{answered} done=3 of=10")), ["status-true"]);
        let more = format!("{heard}\n w> status H:1 9 10\n d> get_status H:1\n d< known H:1 running");
        assert_eq!(broken(&format!("{more} done=9 of=10")), [""; 0]);
        assert_eq!(broken(&format!("{more} done=3 of=10")), ["status-true"]);
        let unclear = format!("{heard}\n w> status H:1 much 10\n d> get_status H:1\n d< known H:1 running");
        assert_eq!(broken(&unclear), [""; 0]);
        // Another worker's word of the same job is over with its attempt.
        let lost = format!("{heard}\n w closes\n v> can_do mail\n v> grab\n v< assign H:1 mail");
        assert_eq!(broken(&format!("{lost}\n d> get_status H:1\n d< known H:1 running")), [""; 0]);
    }

    #[test]
    fn a_limit_that_is_not_kept_is_another_matter() {
        let timed = HELD.replace("can_do mail", "can_do mail 500");
        assert_eq!(broken(&format!("{timed}\n d> get_status H:1\n d< known H:1 done=3 of=10")), [""; 0]);
    }

    #[test]
    fn what_is_not_so_is_wrong() {
        let asked = format!("{HELD}\n d> get_status H:1");
        assert_eq!(broken(&format!("{asked}\n d< known H:1 done=3 of=10")), ["status-true"]);
        assert_eq!(broken(&format!("{asked}\n d< known H:1 running done=10 of=3")), ["status-true"]);
        let waiting = "c> submit mail bg
            c< created H:1
            d> get_status H:1
            d< known H:1 running";
        assert_eq!(broken(waiting), ["status-true"]);
        let ended = format!("{HELD}\n w> complete H:1 x\n w> grab\n w< no_job\n d> get_status H:1\n d< known H:1");
        assert_eq!(broken(&ended), ["status-true"]);
    }

    #[test]
    fn unknown_is_wrong_if_the_job_lives_on() {
        let unknown = format!("{HELD}\n d> get_status H:1\n d< unknown H:1");
        assert_eq!(broken(&unknown), [""; 0]);
        assert_eq!(broken(&format!("{unknown}\n w> data H:1 x\n w> grab\n w< no_job")), ["status-true"]);
    }

    #[test]
    fn a_progress_that_somebody_told_who_may_hold_the_job_unseen_is_right() {
        // What w is given it has not read, and still it can name the job: another round of it, perhaps.
        let script = "w> can_do mail
            w> grab
            w> status H:1 3 10
            c> submit mail bg
            c< created H:1
            d> get_status H:1
            d< known H:1 running done=3 of=10";
        assert_eq!(broken(script), [""; 0]);
    }

    #[test]
    fn while_things_change_either_is_right() {
        for (before, status) in [("w closes", "known H:1"), ("w> complete H:1 x", "unknown H:1")] {
            let script = format!("{HELD}\n {before}\n d> get_status H:1\n d< {status}");
            assert_eq!(broken(&script), [""; 0], "{before}");
        }
    }
}
