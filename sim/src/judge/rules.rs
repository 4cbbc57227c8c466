//! The rules, each by its name.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each rule picks the few facts that it has an opinion about"
)]

use super::facts::Fact;
use super::ledger::{JobId, Ledger, Wait, WaitKind};
use super::{About, Bench};
use crate::history::Place;

/// What a rule is, for lists and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name on the command line and in accusations.
    pub name: &'static str,
    /// What it demands, in one sentence.
    pub sentence: &'static str,
    /// Ids of `docs/history.md` whose fault, or one that comes near, it guards against, or of `docs/semantics.md` whose
    /// statement it demands.
    pub defends: &'static [&'static str],
}

/// One rule: it keeps what it must remember between facts, and does constant work for each. What it asks the ledger is
/// constant work too, or looks at the attempts and reports of one job; only where there are limits of queues, when a job
/// is handed out that was submitted under a unique or comes from the store, at restarts, when a server has drained, and
/// once when all is at rest are all jobs or keys looked at.
trait Rule: Default {
    const INFO: RuleInfo;

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench);
}

/// Jobs of which something was said that cannot be if they live, and where.
#[derive(Debug, Default)]
struct Doubts(Vec<(JobId, Place)>);

impl Doubts {
    fn doubt(&mut self, job: JobId, place: Place) {
        if !self.0.iter().any(|&(doubted, _)| doubted == job) {
            self.0.push((job, place));
        }
    }

    /// The job of which this fact shows that it lived after it was doubted.
    fn settled_by(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Option<JobId> {
        if self.0.is_empty() {
            return None;
        }
        let (alive, at) = sign_of_life(fact, ledger)?;
        let index = self.0.iter().position(|&(job, place)| job == alive && place < at)?;
        self.0.swap_remove(index);
        (!ledger[alive].is_murky).then_some(alive)
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A job that certainly lived at some moment after this place.
fn sign_of_life(fact: &Fact<'_>, ledger: &Ledger) -> Option<(JobId, Place)> {
    match *fact {
        Fact::Assigned { job, attempt, .. } => Some((job, ledger[job].attempts[attempt].grab.place)),
        Fact::Accepted { job, attempt, said } => {
            Some((job, ledger[job].attempts[attempt].said[said].wrote.place))
        }
        Fact::Created { submit, job, before: Some(before) } if job == before => {
            Some((job, ledger.submit(submit).wrote.place))
        }
        _ => None,
    }
}

/// Accuses whoever says that there is no job while one waits that waits for this reason: one that was handed out
/// later, or that nobody was ever given.
fn hidden(kind: WaitKind, why: &str, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
    let mut judge = |job: JobId, wait: Wait| {
        if wait.kind != kind {
            return;
        }
        bench.armed();
        if let Some(grab) = ledger.passed_over(job, wait) {
            let what = format!("{why}, and the grab #{} was told that there is no job", grab.place);
            bench.accuse(About::job(ledger, job), what);
        }
    };
    match *fact {
        Fact::Waited { job, wait } => judge(job, wait),
        Fact::Finished => {
            for job in ledger.job_ids() {
                if let Some(wait) = ledger.wait_going_on(job) {
                    judge(job, wait);
                }
            }
        }
        _ => {}
    }
}

macro_rules! rules {
    ($( $module:ident::$rule:ident; )*) => {
        $( mod $module; )*

        static INFOS: &[RuleInfo] = &[$( <$module::$rule as Rule>::INFO ),*];

        /// All rules at work on one history.
        #[derive(Debug, Default)]
        pub(super) struct Rules {
            $( $module: $module::$rule, )*
        }

        impl Rules {
            /// Shows a fact to every rule that is on.
            pub(super) fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench) {
                bench.current = 0;
                $(
                    if bench.on[bench.current] {
                        self.$module.see(fact, ledger, bench);
                    }
                    bench.current += 1;
                )*
            }
        }
    };
}

rules! {
    one_terminal::OneTerminal;
    one_holder::OneHolder;
    run_once::RunOnce;
    retry_limit::RetryLimit;
    requeue::Requeue;
    accepted_runs::AcceptedRuns;
    no_job_means_none::NoJobMeansNone;
    coalescing::Coalescing;
    own_handle::OwnHandle;
    as_submitted::AsSubmitted;
    able_only::AbleOnly;
    fifo::Fifo;
    priority::Priority;
    take_turns::TakeTurns;
    wake_up::WakeUp;
    one_noop::OneNoop;
    timeout_early::TimeoutEarly;
    timeout_late::TimeoutLate;
    epoch_early::EpochEarly;
    epoch_late::EpochLate;
    owner_heard::OwnerHeard;
    right_owner::RightOwner;
    late_result::LateResult;
    watchers_hear_all::WatchersHearAll;
    own_bytes::OwnBytes;
    own_jobs_only::OwnJobsOnly;
    exceptions_asked::ExceptionsAsked;
    removed_stays_removed::RemovedStaysRemoved;
    status_true::StatusTrue;
    answers_in_order::AnswersInOrder;
    broken_peer_alone::BrokenPeerAlone;
    kept_jobs_run::KeptJobsRun;
    ended_stays_ended::EndedStaysEnded;
    replay_order::ReplayOrder;
    refused_never_runs::RefusedNeverRuns;
    drain_keeps_its_word::DrainKeepsItsWord;
    queue_limit::QueueLimit;
    one_servers_handle::OneServersHandle;
    asked_of_one::AskedOfOne;
}

/// The rule that promises that no time limit ends early.
pub(super) const PROMISES_LIMITS: &str = <timeout_early::TimeoutEarly as Rule>::INFO.name;

/// Every rule, in the order of [`super::Verdict::counts`].
#[must_use]
pub fn rules() -> &'static [RuleInfo] {
    INFOS
}
