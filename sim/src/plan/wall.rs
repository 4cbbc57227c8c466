//! What the servers' wall clocks say, and from when on they must know it.

use super::Plan;
use crate::faults::schedule::{Deed, Fault, When};
use gearman_protocol::{Time, UnixMillis};
use std::time::Duration;

/// By so much at most a server hears late that its clock was set: it compares its clocks once in a second, and it
/// may stand still for most of another.
const HEARS_WITHIN: Duration = Duration::from_millis(2000);
/// What is due is handed out within this.
const ACTS_WITHIN: Duration = Duration::from_millis(100);
/// What is due for so long is there, however late the server may be.
pub(crate) const LATE: Duration = Duration::from_millis(2500);

/// The wall clock of all servers of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wall {
    start: UnixMillis,
    /// When it is set, in order, and by how many milliseconds it is ahead from then on of what it would have said.
    steps: Vec<(Time, i64)>,
}

impl Wall {
    /// That of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let step = |fault: &Fault| match (fault.when, &fault.deed) {
            (When::At(ms), Deed::ClockStep { by_ms }) => {
                Some((Time::from_millis(ms.into()), i64::from(*by_ms)))
            }
            _ => None,
        };
        let mut steps: Vec<(Time, i64)> = plan.faults.iter().filter_map(step).collect();
        steps.sort_unstable();
        let mut lead = 0;
        for (_, by) in &mut steps {
            lead += *by;
            *by = lead;
        }
        Self { start: UnixMillis::new(plan.world.epoch_ms), steps }
    }

    /// What it says at a time.
    #[must_use]
    pub fn at(&self, time: Time) -> UnixMillis {
        let lead = self.steps.iter().rev().find(|(at, _)| *at <= time).map_or(0, |(_, lead)| *lead);
        UnixMillis::new(self.start.get().saturating_add_unsigned(time.as_millis()).saturating_add(lead))
    }

    /// From when on a server may take it that this moment has come, if clocks are no more exact than `slack`.
    #[must_use]
    pub(crate) fn soonest(&self, moment: UnixMillis, slack: Duration) -> Time {
        let possible = self.reigns().filter_map(|(from, until, lead)| {
            let from = back(from, slack);
            let due = back(self.shown_at(moment, lead), slack).max(from);
            let last = until.map(|until| until + HEARS_WITHIN + slack);
            last.is_none_or(|last| due <= last).then_some(due)
        });
        possible.min().unwrap_or(Time::ZERO)
    }

    /// From when on every server that had been asked by `since` must have taken it that this moment has come.
    #[must_use]
    pub(crate) fn latest(&self, moment: UnixMillis, since: Time, slack: Duration) -> Time {
        let certain = self.reigns().filter_map(|(from, until, lead)| {
            let heard = if from == Time::ZERO { from } else { from + HEARS_WITHIN };
            let due = self.shown_at(moment, lead).max(heard).max(since) + ACTS_WITHIN + slack;
            let last = until.map(|until| back(until, slack));
            last.is_none_or(|last| due <= last).then_some(due)
        });
        certain.min().unwrap_or(Time::ZERO)
    }

    /// From when on whoever has been asked for something for this moment, and still has it, is not late with it: it has
    /// forgotten it.
    pub(super) fn overdue(&self, moment: UnixMillis, slack: Duration) -> Time {
        let last_set = self.steps.last().map_or(Time::ZERO, |&(at, _)| at);
        self.latest(moment, last_set, slack) + LATE
    }

    /// From when to when it has which lead.
    fn reigns(&self) -> impl Iterator<Item = (Time, Option<Time>, i64)> + '_ {
        let starts = std::iter::once((Time::ZERO, 0)).chain(self.steps.iter().copied());
        let ends = self.steps.iter().map(|(at, _)| Some(*at)).chain([None]);
        starts.zip(ends).map(|((from, lead), until)| (from, until, lead))
    }

    /// When it says this with such a lead.
    fn shown_at(&self, moment: UnixMillis, lead: i64) -> Time {
        let millis = moment.get().saturating_sub(self.start.get()).saturating_sub(lead);
        Time::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// So much earlier, but not before the start.
pub(crate) fn back(time: Time, by: Duration) -> Time {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Time::from_millis(time.as_millis().saturating_sub(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_SLACK: Duration = Duration::ZERO;

    fn wall(steps: &[(u64, i64)]) -> Wall {
        let steps = steps.iter().map(|&(at, lead)| (Time::from_millis(at), lead)).collect();
        Wall { start: UnixMillis::new(1_000_000), steps }
    }

    /// The soonest and the latest at which 1,003,000 has come, in milliseconds.
    fn due(wall: &Wall, slack: Duration) -> (u64, u64) {
        let moment = UnixMillis::new(1_003_000);
        (wall.soonest(moment, slack).as_millis(), wall.latest(moment, Time::ZERO, slack).as_millis())
    }

    #[test]
    fn a_clock_that_is_never_set_says_when_something_is_due() {
        assert_eq!(wall(&[]).at(Time::from_millis(5)), UnixMillis::new(1_000_005));
        assert_eq!(due(&wall(&[]), NO_SLACK), (3000, 3100));
        assert_eq!(due(&wall(&[]), Duration::from_millis(10)), (2990, 3110));
    }

    #[test]
    fn what_is_overdue_is_so_by_the_clock_that_stays() {
        let overdue = |steps: &[(u64, i64)]| {
            wall(steps).overdue(UnixMillis::new(1_003_000), Duration::from_millis(10)).as_millis()
        };
        assert_eq!(overdue(&[]), 5610);
        assert_eq!(overdue(&[(500, -1000)]), 6610);
        // Who was asked before it was set back may have it still.
        assert_eq!(overdue(&[(3200, -1000)]), 7810);
    }

    #[test]
    fn set_forwards_it_may_be_due_at_once_and_must_be_when_it_was_heard() {
        let ahead = wall(&[(1000, 1500)]);
        assert_eq!(ahead.at(Time::from_millis(999)), UnixMillis::new(1_000_999));
        assert_eq!(ahead.at(Time::from_millis(1000)), UnixMillis::new(1_002_500));
        assert_eq!(due(&ahead, NO_SLACK), (1500, 3100));
        assert_eq!(due(&wall(&[(500, 2600)]), NO_SLACK), (500, 2600));
    }

    #[test]
    fn set_back_it_may_be_due_before_that_was_heard_and_must_be_later() {
        assert_eq!(due(&wall(&[(2900, -1000)]), NO_SLACK), (3000, 5000));
        assert_eq!(due(&wall(&[(500, -1000)]), NO_SLACK), (4000, 4100));
        assert_eq!(due(&wall(&[(3200, -1000)]), NO_SLACK), (3000, 3100));
        // Who asks after that finds a clock that has said it before and will again.
        let moment = UnixMillis::new(1_003_000);
        let asked = Time::from_millis(3300);
        assert_eq!(wall(&[(3200, -1000)]).latest(moment, asked, NO_SLACK), Time::from_millis(5300));
    }
}
