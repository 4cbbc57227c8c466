//! How the program ends.

use std::process::{ExitCode, Termination};

/// What a code means, for the end of the help.
pub(super) const HELP: &str = "\
Exit codes:
    0  clean
    1  wrong: a rule was broken
    2  usage, a plan that cannot be read, or a seed that this machine cannot run
    3  stuck: somebody waits for ever
    4  a panic
    5  not deterministic
    6  nothing was tested: the campaign was too poor
  130  interrupted (Ctrl-C)
  143  terminated (SIGTERM, SIGHUP)
When several seeds fail, the code is that of the first that this machine could run.";

/// The end of the program, by what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong.
    Clean,
    /// A rule was broken.
    Wrong,
    /// What was typed or saved makes no sense, or the machine does not let it be run.
    Usage,
    /// Somebody waits for ever.
    Stuck,
    /// Something of ours panicked.
    Panic,
    /// The same plan did not do the same.
    NotDeterministic,
    /// The campaign was too poor to have tested anything.
    Untested,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM or SIGHUP.
    Terminated,
}

impl Exit {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Wrong => 1,
            Self::Usage => 2,
            Self::Stuck => 3,
            Self::Panic => 4,
            Self::NotDeterministic => 5,
            Self::Untested => 6,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
