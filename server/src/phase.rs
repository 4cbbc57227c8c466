//! How far a server has come with its life.

use gearman_engine::ExitCode;
use gearman_net::sync::{Mutex, Notify};

/// Why a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finish {
    /// [`Control::stop`](crate::Control::stop) was called.
    Stopped,
    /// The engine was done: everything was finished (process exit code 0).
    Finished,
    /// The engine gave up on a drain and something was left (process exit code 3).
    Unfinished,
}

impl Finish {
    /// The exit code of a process that is nothing but this server.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Stopped | Self::Finished => 0,
            Self::Unfinished => 3,
        }
    }
}

impl From<ExitCode> for Finish {
    fn from(code: ExitCode) -> Self {
        match code {
            ExitCode::Finished => Self::Finished,
            ExitCode::Unfinished => Self::Unfinished,
        }
    }
}

/// The stations of a server's life; there is no way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// New connections are taken.
    Accepting,
    /// No new connections are taken; those that are there are served.
    Closed,
    /// Connections write what waits and end.
    Ending(Finish),
    /// No connection is left.
    Ended(Finish),
}

/// The phase, for many to watch.
#[derive(Debug)]
pub(crate) struct Life {
    phase: Mutex<Phase>,
    changed: Notify,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self { phase: Mutex::new(Phase::Accepting), changed: Notify::new() }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.lock().expect("no panic happens under this lock")
    }

    /// Goes on to a later phase; an earlier one changes nothing.
    pub(crate) fn advance(&self, to: Phase) {
        let mut phase = self.phase.lock().expect("no panic happens under this lock");
        if *phase < to {
            *phase = to;
            self.changed.notify_waiters();
        }
    }

    /// Waits until `wanted` says yes.
    pub(crate) async fn reached(&self, wanted: impl Fn(Phase) -> bool) -> Phase {
        loop {
            let changed = self.changed.notified();
            let phase = self.phase();
            if wanted(phase) {
                return phase;
            }
            changed.await;
        }
    }
}
