//! The server of the bare doors: its engine, its store, and how it dies and starts again.

use super::{Bare, Item, ToPeer, down, id, index};
use crate::faults::schedule::{Fault, When};
use crate::history::What;
use crate::stage::{Happened, MakeDoors};
use crate::store::{Crash, Disk};
use gearman_engine::{Doors, Effect, Effects, Event};
use std::time::Duration;

pub(super) struct Server<'a> {
    make: MakeDoors<'a>,
    /// Its engine, while it is up.
    doors: Option<Box<dyn Doors + Send>>,
    effects: Effects,
    pub(super) disk: Disk,
}

impl<'a> Server<'a> {
    pub(super) const fn new(make: MakeDoors<'a>, disk: Disk) -> Self {
        Self { make, doors: None, effects: Effects::new(), disk }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.doors.is_some()
    }
}

/// What an event brings besides words to peers.
#[derive(Default)]
struct Aftermath {
    closed: Vec<usize>,
    /// Records that a wrong store calls kept at once.
    kept: Vec<Event>,
}

impl Bare<'_> {
    /// A server starts, with what its store has.
    pub(super) fn start(&mut self) {
        self.server.doors = Some((self.server.make)());
        self.see(What::ServerUp);
        for job in self.server.disk.read() {
            self.tell(Event::Replayed { job });
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        let Some(doors) = &mut self.server.doors else { return };
        doors.handle(self.now, event, &mut self.server.effects);
        let mut effects = std::mem::take(&mut self.server.effects);
        let mut aftermath = Aftermath::default();
        for effect in effects.drain() {
            self.carry(effect, &mut aftermath);
        }
        self.server.effects = effects;
        for event in aftermath.kept {
            self.tell(event);
        }
        for link in aftermath.closed {
            self.end(link);
            if self.links.close_server(link) {
                self.answer(link, ToPeer::Closed);
                self.tell(Event::Closed { from: id(link) });
            }
        }
        self.set_engine_alarm();
    }

    fn carry(&mut self, effect: Effect, aftermath: &mut Aftermath) {
        match effect {
            Effect::Send { to, response } => self.answer(index(to), ToPeer::Response(response)),
            Effect::Close { who, .. } => aftermath.closed.push(index(who)),
            Effect::Store { job } => {
                let record = job.record;
                let task = self.server.disk.keep(self.now, job);
                if self.server.disk.answers_first() {
                    aftermath.kept.push(Event::Stored { record, outcome: Ok(()) });
                }
                self.wait_for_store(task);
            }
            Effect::Forget { record } => {
                let task = self.server.disk.forget(self.now, record);
                task.into_iter().for_each(|task| self.wait_for_store(task));
            }
            Effect::PauseReading { .. }
            | Effect::ResumeReading { .. }
            | Effect::StopAccepting
            | Effect::Draining { .. }
            | Effect::Exit { .. } => {}
        }
    }

    fn wait_for_store(&mut self, task: u64) {
        let due = self.server.disk.due(task);
        self.put(due, Item::Written(task));
        self.count_bites();
    }

    fn count_bites(&mut self) {
        for (class, stretch) in self.server.disk.take_bites() {
            self.journal.bit_a_job(class, stretch);
        }
    }

    fn set_engine_alarm(&mut self) {
        let deadline = self.server.doors.as_ref().and_then(|doors| doors.deadline());
        let Some(at) = deadline.map(|at| at.max(self.now)) else { return };
        if self.engine_alarm.is_none_or(|alarm| at < alarm) {
            self.engine_alarm = Some(at);
            self.put(at, Item::Elapses);
        }
    }

    /// Lets the crashes happen whose moment has come.
    pub(super) fn blow(&mut self) {
        for (stretch, connection) in self.journal.take_moves() {
            if !self.machines[self.links.actor(connection.index())].is_core() {
                *self.reached.entry(stretch).or_default() += 1;
            }
        }
        if self.to_come.is_empty() || !self.server.is_up() {
            return;
        }
        let (millis, stored) = (self.now.as_millis(), self.server.disk.asked());
        let is_due = |fault: &Fault| match fault.when {
            When::At(ms) => u64::from(ms) <= millis,
            When::Reached { stretch, nth } => self.reached.get(&stretch).is_some_and(|&count| count >= nth),
            When::Storing { nth } => u64::from(nth) <= stored,
        };
        if let Some(index) = self.to_come.iter().position(|fault| is_due(fault)) {
            let fault = self.to_come.remove(index);
            self.crash(fault);
        }
    }

    fn crash(&mut self, fault: &Fault) {
        let Some((down_ms, how)) = down(&fault.deed) else { return };
        let (class, until) = (fault.deed.class(), self.now + Duration::from_millis(down_ms.into()));
        self.journal.happened(class);
        self.journal.touched_all(class);
        let what = format!("the server, back at {} ms", until.as_millis());
        self.happened.push(Happened { at: self.now, class, what });
        self.server.doors = None;
        self.engine_alarm = None;
        self.journal.server_down(self.now);
        self.server.disk.crash(how);
        self.count_bites();
        for link in 0..self.links.len() {
            self.links.end(link);
            if self.links.close_server(link) {
                if how == Crash::Power {
                    self.links.lose_answers(link);
                }
                self.answer(link, ToPeer::Closed);
            }
        }
        self.put(until, Item::Starts);
    }
}
