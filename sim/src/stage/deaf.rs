//! An engine that does not hear that it shall end.

use gearman_engine::{Doors, Effects, Engine, Event};
use gearman_protocol::Time;

pub(super) struct Deaf(pub(super) Engine);

impl Doors for Deaf {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        if event != Event::Drain {
            self.0.handle(now, event, effects);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
}
