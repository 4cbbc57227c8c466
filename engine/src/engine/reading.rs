//! Whom to read from while memory is short.
//!
//! A peer is paused when memory is over its limit and much of an unfinished message of its has arrived. Small
//! messages are still read, because they end jobs and so free memory; and one of the paused peers is read
//! from nevertheless, because else none would ever end. The packet timeout runs on.

use super::limits::LARGE;
use super::{Engine, Turn};
use crate::Effect;
use crate::tables::connections::ConnectionKey;

impl Engine {
    /// A peer's unfinished message has grown, or is finished.
    pub(super) fn watch_input(&mut self, who: ConnectionKey, turn: &mut Turn<'_>) {
        let connection = &self.connections.slab[who];
        let (who, inbound) = (connection.id, connection.fill.inbound);
        if inbound < LARGE {
            self.favoured = self.favoured.filter(|&favoured| favoured != who);
            if self.paused.remove(&who) {
                turn.effects.push(Effect::ResumeReading { who });
            }
        } else if !self.is_memory_short() || self.favoured == Some(who) {
            // It goes on.
        } else if self.favoured.is_none() {
            self.favoured = Some(who);
        } else if self.paused.insert(who) {
            turn.effects.push(Effect::PauseReading { who });
        }
    }

    /// Reads from paused peers again: from all if there is memory, else from one.
    pub(super) fn read_as_memory_allows(&mut self, turn: &mut Turn<'_>) {
        if !self.is_memory_short() {
            self.favoured = None;
            while let Some(who) = self.paused.pop_first() {
                turn.effects.push(Effect::ResumeReading { who });
            }
        } else if self.favoured.is_none()
            && let Some(who) = self.paused.pop_first()
        {
            self.favoured = Some(who);
            turn.effects.push(Effect::ResumeReading { who });
        }
    }

    /// The peer sends nothing more.
    pub(super) fn stop_reading(&mut self, who: ConnectionKey) {
        let who = self.connections.slab[who].id;
        self.paused.remove(&who);
        self.favoured = self.favoured.filter(|&favoured| favoured != who);
    }

    const fn is_memory_short(&self) -> bool {
        self.memory > self.config.memory_limit
    }
}
