//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A flag that Ctrl-C sets; the second Ctrl-C ends the process at once.
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
            let Ok(()) = tokio::signal::ctrl_c().await else { return };
            set.store(true, Ordering::Relaxed);
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(super::Exit::Interrupted.code().into());
            }
        });
    });
    flag
}
