//! A warning that is repeated is written once a second.

use gearman_protocol::Time;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;
use tracing::callsite::Identifier;

const BETWEEN: Duration = Duration::from_secs(1);

/// When each place in the code last warned, and how often it wanted to since.
pub(super) struct Repeats<K = Identifier>(HashMap<K, (Time, u64)>);

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Repeats<K> {
    /// How many were held back since the last that was written; `None` if this one is held back too.
    pub(super) fn admit(&mut self, place: K, now: Time) -> Option<u64> {
        let Some((written, held_back)) = self.0.get_mut(&place) else {
            self.0.insert(place, (now, 0));
            return Some(0);
        };
        if now.since(*written) < BETWEEN {
            *held_back += 1;
            return None;
        }
        *written = now;
        Some(std::mem::take(held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_warns_once_a_second_and_counts_the_rest() {
        let mut repeats = Repeats::default();
        let mut admit = |place, millis| repeats.admit(place, Time::from_millis(millis));
        assert_eq!(admit("a", 500), Some(0));
        assert_eq!(admit("b", 501), Some(0));
        assert_eq!(admit("a", 501), None);
        assert_eq!(admit("a", 1499), None);
        assert_eq!(admit("a", 1500), Some(2));
        assert_eq!(admit("a", 1501), None);
        assert_eq!(admit("b", 9000), Some(0));
        assert_eq!(admit("a", 9000), Some(1));
    }
}
