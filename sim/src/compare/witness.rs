//! Who writes down what two processes have seen, and says when they have seen enough.

use super::scene::Saw;
use super::sights::{End, Log, Words, words};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whoever has seen all that was expected is given so long to see more; what comes later is told as seen after the next
/// change, and after the last one not at all.
const MORE: Duration = Duration::from_millis(500);
/// When nobody has seen anything for so long, nobody will, on however busy a machine. A system dials again after a
/// second, and then after two.
const LONG: Duration = Duration::from_secs(10);

/// Cloning gives another hold on the same log.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Default)]
struct Seen {
    /// Since it was last asked.
    log: Log,
    /// How many bytes have been read since the beginning, by the peer and by the server.
    read: [usize; 2],
}

impl Witness {
    pub(super) fn note(&self, end: End, nth: usize, saw: Saw) {
        let mut seen = self.lock();
        if let Saw::Read(count) = saw {
            seen.read[end as usize] += count;
        }
        seen.log.push((end, nth, saw));
        self.0.1.notify_all();
    }

    /// How many bytes this end has read since the beginning.
    pub(super) fn read(&self, end: End) -> usize {
        self.lock().read[end as usize]
    }

    /// Waits until the server listens; says whether it does.
    pub(super) fn listens(&self) -> bool {
        let mut seen = self.lock();
        let is_missing = |seen: &mut Seen| !seen.log.contains(&(End::Server, 0, Saw::Listening));
        seen = self.0.1.wait_timeout_while(seen, LONG, is_missing).unwrap_or_else(PoisonError::into_inner).0;
        let before = seen.log.len();
        seen.log.retain(|(.., saw)| *saw != Saw::Listening);
        seen.log.len() < before
    }

    /// What was seen since the last time, once it is what was expected, or nothing comes any more.
    pub(super) fn settle(&self, expected: &Words) -> Words {
        let mut seen = self.lock();
        loop {
            let (before, told) = (seen.log.len(), words(&seen.log));
            let patience = if told == *expected { MORE } else { LONG };
            let no_more = |seen: &mut Seen| seen.log.len() == before;
            let (now, waited) =
                self.0.1.wait_timeout_while(seen, patience, no_more).unwrap_or_else(PoisonError::into_inner);
            seen = now;
            if waited.timed_out() {
                seen.log.clear();
                return told;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
