//! Work that a signal ends, with all that the work has started.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Refusal;
use crate::report::Exit;

/// The signals that end work at once.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// Does the work to its end, or until SIGINT, SIGTERM or SIGHUP.
///
/// The servers and programs that the work has started belong to process groups of their own, so a signal that ended
/// this tool alone would leave them behind; here they are killed with the runtime, whose tasks hold them.
pub(super) fn until_told<T>(work: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    past_interrupts(0, work)
}

/// The same for work that looks after so many Ctrl-C itself.
pub(super) fn past_interrupts<T>(
    interrupts: u32,
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let own = |error: io::Error| Refusal { exit: Exit::Own, message: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(own)?;
    runtime.block_on(async {
        // They are listened for before anything is started.
        let mut signals = Signals::listen().map_err(own)?;
        tokio::select! {
            done = work => done,
            name = signals.end(interrupts) => Err(Refusal {
                exit: Exit::Interrupted,
                message: format!("ended by {name}, and all that it had started"),
            }),
        }
    })
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the signal that ends everything, and gives its name.
    async fn end(&mut self, mut interrupts: u32) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.hangup.recv() => return "SIGHUP",
                _ = self.interrupt.recv() => match interrupts.checked_sub(1) {
                    Some(left) => interrupts = left,
                    None => return "SIGINT",
                },
            }
        }
    }
}
