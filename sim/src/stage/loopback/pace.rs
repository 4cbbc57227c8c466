//! Simulated time that keeps step with the machine's.

use gearman_net::{Clock, MachineClock};
use gearman_protocol::{Time, UnixMillis};
use std::thread;
use std::time::Duration;

/// Times are cut to whole milliseconds, here and at the server.
const ROUNDING: Duration = Duration::from_millis(2);

/// The steps of a simulation in real time.
pub(super) struct Pace {
    clock: MachineClock,
    steps: Steps,
}

impl Pace {
    /// Simulated time begins now.
    pub(super) fn new(tick: Duration) -> Self {
        let clock = MachineClock::new();
        let wall = clock.wall();
        // Between the two readings others may have run.
        let worst = clock.now() - Time::ZERO;
        Self { clock, steps: Steps { tick, next: Time::ZERO, wall, worst } }
    }

    /// What the wall clock said at the start.
    pub(super) const fn wall(&self) -> UnixMillis {
        self.steps.wall
    }

    /// Waits until the next step may be made.
    pub(super) fn wait(&self) {
        thread::sleep(self.steps.ahead(self.clock.now()));
    }

    /// The step has been made.
    pub(super) fn made(&mut self) {
        self.steps.made(self.clock.now(), self.clock.wall());
    }

    /// By how much two clocks of this run may be apart: simulated time, the servers' and the wall clock's.
    pub(super) fn slack(&self) -> Duration {
        self.steps.worst + ROUNDING
    }
}

/// When the next step may be made, and how late the last ones were.
///
/// What happens in a step has a simulated time between the step's begin and its end. A step is made when its end has
/// come in real time, or later; so real time is never behind simulated time, and how far it was ahead is known.
struct Steps {
    tick: Duration,
    /// When the next step begins, in simulated time.
    next: Time,
    /// What the wall clock said at the start.
    wall: UnixMillis,
    worst: Duration,
}

impl Steps {
    /// For how long the next step must wait.
    fn ahead(&self, now: Time) -> Duration {
        (self.next + self.tick) - now
    }

    /// The next step has been made by now.
    fn made(&mut self, now: Time, wall: UnixMillis) {
        let expected = self.wall.get().saturating_add_unsigned(now.as_millis());
        let apart = Duration::from_millis(wall.get().abs_diff(expected));
        self.worst = self.worst.max(now - self.next).max(apart);
        self.next = self.next + self.tick;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_000_000;

    fn steps() -> Steps {
        let tick = Duration::from_millis(5);
        Steps { tick, next: Time::ZERO, wall: UnixMillis::new(START), worst: Duration::ZERO }
    }

    fn made(steps: &mut Steps, now: u64, wall: i64) {
        steps.made(Time::from_millis(now), UnixMillis::new(START + wall));
    }

    #[test]
    fn no_step_is_made_before_its_end_has_come() {
        let mut steps = steps();
        let ahead = |steps: &Steps, now| steps.ahead(Time::from_millis(now)).as_millis();
        assert_eq!((ahead(&steps, 0), ahead(&steps, 4), ahead(&steps, 9)), (5, 1, 0));
        made(&mut steps, 9, 9);
        assert_eq!((ahead(&steps, 9), ahead(&steps, 10)), (1, 0));
    }

    #[test]
    fn what_stands_at_a_steps_begin_happened_at_most_so_much_later() {
        let mut steps = steps();
        made(&mut steps, 5, 5);
        assert_eq!(steps.worst.as_millis(), 5);
        made(&mut steps, 42, 42);
        assert_eq!(steps.worst.as_millis(), 37);
        made(&mut steps, 43, 43);
        assert_eq!(steps.worst.as_millis(), 37, "who catches up was late all the same");
    }

    #[test]
    fn a_wall_clock_that_is_set_is_noticed_in_either_direction() {
        for (wall, worst) in [(-95, 100), (1005, 1000)] {
            let mut steps = steps();
            made(&mut steps, 5, wall);
            assert_eq!(steps.worst.as_millis(), worst);
        }
    }
}
