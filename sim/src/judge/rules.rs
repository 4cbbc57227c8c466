//! The rules, each by its name.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each rule picks the few facts that it has an opinion about"
)]

use super::facts::Fact;
use super::ledger::Ledger;
use super::{About, Bench};

/// What a rule is, for lists and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name on the command line and in accusations.
    pub name: &'static str,
    /// What it demands, in one sentence.
    pub sentence: &'static str,
    /// The faults in `docs/history.md` that it guards against.
    pub defends: &'static [&'static str],
}

/// One rule: it keeps what it must remember between facts, and does constant work for each.
trait Rule: Default {
    const INFO: RuleInfo;

    fn see(&mut self, fact: &Fact<'_>, ledger: &Ledger, bench: &mut Bench);
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
    wake_up::WakeUp;
    one_noop::OneNoop;
    timeout_early::TimeoutEarly;
    timeout_late::TimeoutLate;
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
}

/// Every rule, in the order of [`super::Verdict::counts`].
#[must_use]
pub fn rules() -> &'static [RuleInfo] {
    INFOS
}
