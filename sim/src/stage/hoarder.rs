//! An engine that says that it holds a job more than it does.

use gearman_engine::{Doors, Effects, Engine, Event, Figures};
use gearman_protocol::Time;

pub(super) struct Hoarder(pub(super) Engine);

impl Doors for Hoarder {
    fn handle(&mut self, now: Time, event: Event, effects: &mut Effects) {
        self.0.handle(now, event, effects);
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    fn figures(&self) -> Figures {
        let mut figures = self.0.figures();
        figures.vitals.jobs += 1;
        figures
    }
}
