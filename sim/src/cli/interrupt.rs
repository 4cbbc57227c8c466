//! Ctrl-C, and its like from those who have no keyboard.

use super::Exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tokio::signal::unix::{SignalKind, signal};

/// Whether the process was asked to end by SIGTERM, rather than by Ctrl-C.
static TERMINATED: AtomicBool = AtomicBool::new(false);

/// A flag that Ctrl-C and SIGTERM set; the second of them ends the process at once.
///
/// # Panics
/// If the system lets no signal be caught.
pub(super) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.expect("the system lets signals be caught");
    thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => TERMINATED.store(true, Ordering::Relaxed),
                }
                if set.swap(true, Ordering::Relaxed) {
                    std::process::exit(exit().code().into());
                }
            }
        });
    });
    flag
}

/// How a process ends that was asked to.
pub(super) fn exit() -> Exit {
    if TERMINATED.load(Ordering::Relaxed) { Exit::Terminated } else { Exit::Interrupted }
}
