//! How far a job may have come, and how it may have ended.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a job is between its submit and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stretch {
    /// Submitted, and the submitter has not heard of it.
    Submitted,
    /// Acknowledged, and no worker holds it.
    Waiting,
    /// A worker holds it and has said nothing.
    Assigned,
    /// The worker has said something of it.
    Running,
    /// The worker has sent a part of the result.
    DataSent,
    /// The worker has sent its last word, and it is not known to have arrived.
    Completing,
}

impl Stretch {
    /// All of them, in a job's order.
    pub const ALL: [Self; 6] =
        [Self::Submitted, Self::Waiting, Self::Assigned, Self::Running, Self::DataSent, Self::Completing];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Waiting => "waiting",
            Self::Assigned => "assigned",
            Self::Running => "running",
            Self::DataSent => "data sent",
            Self::Completing => "completing",
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// With WORK_COMPLETE.
    Complete,
    /// With WORK_FAIL, of its worker or of the server.
    Fail,
    /// With WORK_EXCEPTION.
    Exception,
    /// Unheard: while it waited, everybody who wanted it left.
    Left,
    /// With the server's process.
    Lost,
}

impl End {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Fail => "failed",
            Self::Exception => "exception",
            Self::Left => "left by all",
            Self::Lost => "lost with the server",
        }
    }
}
