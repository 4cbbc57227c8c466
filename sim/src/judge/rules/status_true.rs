//! A status is the truth.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Asked, Fate, JobId, Question};
use gearman_protocol::{JobStatus, Report, Response};

#[derive(Debug, Default)]
pub(super) struct StatusTrue;

impl Rule for StatusTrue {
    const INFO: RuleInfo = RuleInfo {
        name: "status-true",
        sentence: "STATUS_RES says whether the job lives, whether a worker holds it, and what the worker said last.",
        defends: &["H-065", "H-119"],
    };

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
        let Fact::Answered { connection, asked, response: Response::Status(status) } = fact else { return };
        let Question::Status(handle) = &asked.question else { return };
        let Some(job) = ledger.by_handle(handle).filter(|&job| !ledger[job].is_murky) else { return };
        bench.armed();
        let wrong = is_known_wrong(job, asked, status, ledger)
            .or_else(|| is_running_wrong(job, asked, status, ledger, *connection))
            .or_else(|| is_progress_wrong(job, status, ledger));
        if let Some(what) = wrong {
            bench.accuse(About::job(ledger, job).at(*connection), what.to_owned());
        }
    }
}

fn is_known_wrong(job: JobId, asked: &Asked, status: &JobStatus, ledger: &Ledger) -> Option<&'static str> {
    let job_now = &ledger[job];
    let had_ended = job_now.over.is_some_and(|over| over < asked.wrote.place);
    let lived = job_now.seen < asked.wrote.place && !ledger.may_be_over(job);
    match status.known {
        true if had_ended => Some("the status of a job that had ended says that it is known"),
        false if lived => Some("the status of a live job says that it is not known"),
        true | false => None,
    }
}

fn is_running_wrong(
    job: JobId,
    asked: &Asked,
    status: &JobStatus,
    ledger: &Ledger,
    connection: crate::history::Connection,
) -> Option<&'static str> {
    let job_now = &ledger[job];
    match (status.running, job_now.attempts.len().checked_sub(1)) {
        (true, None) if job_now.seen < asked.wrote.place && ledger.is_where_it_seems(job, connection) => {
            Some("the status of a job that was never handed out says that it runs")
        }
        (false, Some(last)) => {
            let held = job_now.attempts[last].read.place < asked.wrote.place && ledger.is_surely_held(job, last);
            held.then_some("the status of a job that a worker holds says that it does not run")
        }
        (true, _) | (false, None) => None,
    }
}

/// Whether the numbers are neither none nor what a worker has said.
fn is_progress_wrong(job: JobId, status: &JobStatus, ledger: &Ledger) -> Option<&'static str> {
    if (status.numerator, status.denominator) == (0, 0) {
        return None;
    }
    let numbers = |report: &Report| match report {
        Report::Status { numerator, denominator } => Some((number(numerator)?, number(denominator)?)),
        Report::Data(_) | Report::Warning(_) | Report::Complete(_) | Report::Fail | Report::Exception(_) => None,
    };
    let job = &ledger[job];
    let all = job.attempts.iter().flat_map(|attempt| &attempt.said).filter(|said| said.fate != Fate::Refused);
    let mut all = all.chain(&job.strangers);
    let said = all.any(|said| numbers(&said.report) == Some((status.numerator, status.denominator)));
    (!said).then_some("the status tells a progress that no worker of the job has reported")
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
