//! Ctrl-C, and its like from those who have no keyboard.

use super::Exit;
use crate::stage::loopback;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};
use tokio::signal::unix::{SignalKind, signal};

/// Whether the process was asked to end by SIGTERM or SIGHUP, rather than by Ctrl-C.
static TERMINATED: AtomicBool = AtomicBool::new(false);

/// A flag that Ctrl-C, SIGTERM and SIGHUP set; the second of them ends the process at once.
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

/// Ctrl-C, SIGTERM and SIGHUP end the process at once, and with it the servers that it has started.
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
            // Servers have groups of their own, and would outlive a terminal that is closed.
            let mut hang_up = if ignores_hang_up() { None } else { signal(SignalKind::hangup()).ok() };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => TERMINATED.store(true, Ordering::Relaxed),
                    Some(()) = async { hang_up.as_mut()?.recv().await } => TERMINATED.store(true, Ordering::Relaxed),
                }
                act();
            }
        });
    });
}

/// Whether whoever has started this process, as nohup does, wants it to outlive its terminal.
fn ignores_hang_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|signals| signals & 1 != 0)
}

/// How a process ends that was asked to.
pub(super) fn exit() -> Exit {
    if TERMINATED.load(Ordering::Relaxed) { Exit::Terminated } else { Exit::Interrupted }
}
