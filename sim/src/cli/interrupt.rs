//! Ctrl-C, and its like from those who have no keyboard.

use super::Exit;
use crate::stage::loopback;
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
    on_signal(move || {
        if set.swap(true, Ordering::Relaxed) {
            end();
        }
        loopback::give_up();
    });
    flag
}

/// Ctrl-C and SIGTERM end the process at once, and with it the servers that it has started.
///
/// # Panics
/// If the system lets no signal be caught.
pub(super) fn at_once() {
    on_signal(|| end());
}

fn end() -> ! {
    loopback::end_all();
    std::process::exit(exit().code().into())
}

fn on_signal(act: impl Fn() + Send + 'static) {
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
                act();
            }
        });
    });
}

/// How a process ends that was asked to.
pub(super) fn exit() -> Exit {
    if TERMINATED.load(Ordering::Relaxed) { Exit::Terminated } else { Exit::Interrupted }
}
