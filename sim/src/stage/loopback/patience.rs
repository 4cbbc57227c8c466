//! For how long it is waited until everybody is at rest.

use crate::plan::Plan;
use gearman_protocol::Time;
use std::time::Duration;

/// Where nothing has happened for so long, beyond what a plan can wait for, nothing will, on however busy a machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// A machine on which no step of a run was later than this has let everybody on who had something to do.
const LATE: Duration = Duration::from_secs(1);

/// What a plan is waited for after its storm.
pub(super) struct Patience {
    /// When the storm was over.
    since: Time,
    /// For how long nothing at all may happen.
    silence: Duration,
    /// For how long something may.
    pub(super) bound: Duration,
}

/// What it means that there is no rest yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unrest {
    /// Nothing yet.
    Young,
    /// Somebody waits for ever.
    Stuck,
    /// Nobody knows: the machine may have kept everybody from it.
    Unknown,
}

impl Patience {
    pub(super) fn new(plan: &Plan, since: Time) -> Self {
        let waits = Duration::from_millis(plan.server.wakeup_timeout_ms.into());
        let silence = PATIENCE + plan.workload.longest_act() + plan.workload.longest_errands() + waits;
        // What takes a second or two may take minutes.
        Self { since, silence, bound: 2 * (plan.settles_within() + silence) }
    }

    /// What it means now, where something has happened last at such a time and steps were so late; `sleep` tells
    /// whether no server has anything to do.
    pub(super) fn tell(
        &self,
        now: Time,
        happened: Time,
        slack: Duration,
        sleep: impl FnOnce() -> bool,
    ) -> Unrest {
        let was_in_time = slack <= LATE;
        // Steps that come too late are made up for without waiting: so much of the silence may have been no time.
        let is_silent = now - happened >= self.silence + slack;
        let is_old = now - self.since > self.bound;
        if is_silent && (was_in_time || sleep()) || is_old && was_in_time {
            Unrest::Stuck
        } else if is_old {
            Unrest::Unknown
        } else {
            Unrest::Young
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(now: u64, happened: u64, slack: u64, sleep: bool) -> Unrest {
        let since = Time::from_millis(4_000);
        let patience = Patience { since, silence: Duration::from_secs(20), bound: Duration::from_secs(100) };
        let at = Time::from_millis;
        patience.tell(at(now), at(happened), Duration::from_millis(slack), || sleep)
    }

    #[test]
    fn who_is_silent_for_long_is_stuck_unless_the_machine_keeps_him_from_it() {
        assert_eq!(tell(24_099, 4_000, 100, true), Unrest::Young);
        assert_eq!(tell(24_100, 4_000, 100, true), Unrest::Stuck);
        assert_eq!(tell(24_100, 4_000, 100, false), Unrest::Stuck, "it turns in a circle");
        assert_eq!(tell(90_000, 4_000, 3_000, false), Unrest::Young, "it may not have been let on");
        assert_eq!(tell(90_000, 4_000, 3_000, true), Unrest::Stuck);
        assert_eq!(tell(26_999, 4_000, 3_000, true), Unrest::Young);
    }

    #[test]
    fn who_goes_on_for_ever_is_stuck_on_a_machine_that_was_in_time() {
        assert_eq!(tell(104_000, 103_900, 100, false), Unrest::Young);
        assert_eq!(tell(104_001, 103_900, 100, false), Unrest::Stuck);
        assert_eq!(tell(104_001, 103_900, 1_001, false), Unrest::Unknown);
    }
}
