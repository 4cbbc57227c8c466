//! Waiting for what another program does in its own time.

use std::thread;
use std::time::Duration;

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether `condition` came true before it had been looked at for so long.
///
/// It is a limit on looking and not on the clock: a machine that stands still meanwhile costs nobody's patience.
pub(crate) fn comes_true(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..within.as_millis() / PAUSE.as_millis() {
        if condition() {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
}
