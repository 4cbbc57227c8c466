//! What people and machines are told about a run.

pub mod failure;
pub mod json;
pub mod junit;
pub mod matrix;
pub mod terminal;

use crate::run::CaseResult;
use crate::verdict::Verdict;

/// How a run ended, as the process says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was met.
    Met,
    /// Something failed, or passed that was expected to fail.
    NotMet,
    /// The command line, a transcript or a profile makes no sense, or no case was selected.
    Usage,
    /// The target cannot be reached or is not sane.
    NoTarget,
    /// The target crashed or hung.
    Broken,
    /// The tool itself failed.
    Own,
    /// A signal told it to end.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::NotMet => 1,
            Self::Usage => 2,
            Self::NoTarget => 3,
            Self::Broken => 4,
            Self::Own => 5,
            Self::Interrupted => 130,
        }
    }

    /// The exit that all of these results together ask for: the worst news wins.
    #[must_use]
    pub fn of(results: &[CaseResult]) -> Self {
        let any = |is: fn(Verdict) -> bool| results.iter().any(|result| is(result.verdict));
        if any(|verdict| matches!(verdict, Verdict::Crash | Verdict::Hang)) {
            Self::Broken
        } else if any(|verdict| verdict == Verdict::Unsound) {
            Self::NoTarget
        } else if any(|verdict| !verdict.is_met()) {
            Self::NotMet
        } else {
            Self::Met
        }
    }
}
