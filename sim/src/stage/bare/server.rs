//! A server of the bare doors: its engine, its store, and how it dies and starts again.

use super::{Bare, Item, ToPeer, down, id, index, server_of};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, When};
use crate::history::{ServerId, What};
use crate::naive::MOST_LAG;
use crate::stage::{Happened, held_for_ever};
use crate::store::{Crash, Disk};
use crate::workload::DRAINS_FOR;
use gearman_engine::{Doors, Effect, Effects, Event};
use gearman_protocol::Time;
use std::time::Duration;

pub(super) struct Server {
    pub(super) id: ServerId,
    /// Its engine, while it is up.
    doors: Option<Box<dyn Doors + Send>>,
    effects: Effects,
    pub(super) disk: Disk,
    /// When its engine is on the agenda already.
    pub(super) alarm: Option<Time>,
    /// If it was told to end, when, and for how long it is down then, in milliseconds.
    told_to_end: Option<(Time, u32)>,
}

impl Server {
    pub(super) const fn new(id: ServerId, disk: Disk) -> Self {
        Self { id, doors: None, effects: Effects::new(), disk, alarm: None, told_to_end: None }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.doors.is_some()
    }

    /// Whether it takes new connections.
    pub(super) const fn lets_in(&self) -> bool {
        self.is_up() && self.told_to_end.is_none()
    }

    /// # Panics
    /// If it was told to end, and has not although it has had the time.
    pub(super) fn must_have_ended(&self, now: Time) {
        let has_time = self.told_to_end.is_none_or(|(told, _)| now <= told + DRAINS_FOR + MOST_LAG);
        assert!(has_time, "the {} was told to end and has not", self.id);
    }

    /// What it holds for ever, when all is done.
    pub(super) fn held(&self, far_jobs: usize) -> Option<String> {
        held_for_ever(self.id, self.doors.as_ref()?.figures().vitals, far_jobs)
    }
}

/// What an event brings besides words to peers.
#[derive(Default)]
struct Aftermath {
    closed: Vec<usize>,
    /// Records that a wrong store calls kept at once.
    kept: Vec<Event>,
    /// Whether the server ends.
    exits: bool,
}

impl Bare<'_> {
    /// A server starts, with what its store has.
    pub(super) fn start(&mut self, number: usize) {
        let id = self.servers[number].id;
        self.servers[number].doors = Some((self.make)(id));
        self.see(What::ServerUp(id));
        self.tell(number, Event::Wall { now: self.wall.at(self.now) });
        for job in self.servers[number].disk.read() {
            self.tell(number, Event::Replayed { job });
        }
    }

    pub(super) fn tell(&mut self, number: usize, event: Event) {
        let server = &mut self.servers[number];
        let Some(doors) = &mut server.doors else { return };
        doors.handle(self.now, event, &mut server.effects);
        let mut effects = std::mem::take(&mut server.effects);
        let mut aftermath = Aftermath::default();
        for effect in effects.drain() {
            self.carry(number, effect, &mut aftermath);
        }
        self.servers[number].effects = effects;
        for event in aftermath.kept {
            self.tell(number, event);
        }
        for link in aftermath.closed {
            self.end(link);
            if self.links.close_server(link) {
                self.answer(link, ToPeer::Closed);
                self.tell(number, Event::Closed { from: id(link) });
            }
        }
        if aftermath.exits {
            self.leave(number);
        }
        self.set_engine_alarm(number);
    }

    fn carry(&mut self, number: usize, effect: Effect, aftermath: &mut Aftermath) {
        match effect {
            Effect::Send { to, response } => self.answer(index(to), ToPeer::Response(response)),
            Effect::Close { who, .. } => aftermath.closed.push(index(who)),
            Effect::Store { job } => {
                let record = job.record;
                let disk = &mut self.servers[number].disk;
                let task = disk.keep(self.now, job);
                if disk.answers_first() {
                    aftermath.kept.push(Event::Stored { record, outcome: Ok(()) });
                }
                self.wait_for_store(number, task);
            }
            Effect::Forget { record } => {
                let task = self.servers[number].disk.forget(self.now, record);
                task.into_iter().for_each(|task| self.wait_for_store(number, task));
            }
            Effect::PauseReading { .. }
            | Effect::ResumeReading { .. }
            | Effect::StopAccepting
            | Effect::Draining { .. } => {}
            Effect::Exit { .. } => aftermath.exits = true,
        }
    }

    fn wait_for_store(&mut self, number: usize, task: u64) {
        let due = self.servers[number].disk.due(task);
        self.put(due, Item::Written(number, task));
        self.count_bites(number);
    }

    fn count_bites(&mut self, number: usize) {
        for (class, stretch) in self.servers[number].disk.take_bites() {
            self.journal.bit_a_job(class, stretch);
        }
    }

    fn set_engine_alarm(&mut self, number: usize) {
        let server = &mut self.servers[number];
        let deadline = server.doors.as_ref().and_then(|doors| doors.deadline());
        let Some(at) = deadline.map(|at| at.max(self.now)) else { return };
        if server.alarm.is_none_or(|alarm| at < alarm) {
            server.alarm = Some(at);
            self.put(at, Item::Elapses(number));
        }
    }

    /// Lets the crashes happen whose moment has come.
    pub(super) fn blow(&mut self) {
        for (stretch, connection) in self.journal.take_moves() {
            if !self.machines[self.links.actor(connection.index())].is_core() {
                *self.reached.entry(stretch).or_default() += 1;
            }
        }
        if self.to_come.is_empty() {
            return;
        }
        let millis = self.now.as_millis();
        let stored = self.servers.iter().map(|server| server.disk.asked()).sum::<u64>();
        let is_due = |fault: &Fault| match fault.when {
            When::At(ms) => u64::from(ms) <= millis,
            When::Reached { stretch, nth } => self.reached.get(&stretch).is_some_and(|&count| count >= nth),
            When::Storing { nth } => u64::from(nth) <= stored,
        };
        let is_up = |fault: &Fault| {
            server_of(&fault.deed).is_some_and(|server| self.servers[usize::from(server)].is_up())
        };
        if let Some(index) = self.to_come.iter().position(|fault| is_up(fault) && is_due(fault)) {
            let fault = self.to_come.remove(index);
            if let Deed::ServerDrain { server, down_ms } = fault.deed {
                self.drain(usize::from(server), down_ms);
            } else {
                self.crash(fault);
            }
        }
    }

    /// A server is told to end; who was told so before is not told again.
    fn drain(&mut self, number: usize, down_ms: u32) {
        let (id, class) = (self.servers[number].id, FaultClass::ServerDrain);
        if self.servers[number].told_to_end.is_some() {
            return;
        }
        self.journal.happened(class);
        self.journal.touched_all(class, id);
        let what = format!("the {id}, back {down_ms} ms after its end");
        self.happened.push(Happened { at: self.now, class, what });
        self.servers[number].told_to_end = Some((self.now, down_ms));
        self.journal.server_drains(self.now, id);
        self.tell(number, Event::Drain);
    }

    /// A server has ended, as it was told.
    fn leave(&mut self, number: usize) {
        let Some((_, down_ms)) = self.servers[number].told_to_end else {
            unreachable!("the {} has ended by itself", self.servers[number].id)
        };
        self.servers[number].must_have_ended(self.now);
        self.journal.server_ends(self.now, self.servers[number].id);
        self.fall(number, self.now + Duration::from_millis(down_ms.into()), Crash::Process);
    }

    fn crash(&mut self, fault: &Fault) {
        let Some((number, down_ms, how)) = down(&fault.deed) else { return };
        let number = usize::from(number);
        let id = self.servers[number].id;
        let (class, until) = (fault.deed.class(), self.now + Duration::from_millis(down_ms.into()));
        self.journal.happened(class);
        self.journal.touched_all(class, id);
        let what = format!("the {id}, back at {} ms", until.as_millis());
        self.happened.push(Happened { at: self.now, class, what });
        self.fall(number, until, how);
    }

    fn fall(&mut self, number: usize, until: Time, how: Crash) {
        let server = &mut self.servers[number];
        (server.doors, server.alarm, server.told_to_end) = (None, None, None);
        self.journal.server_down(self.now, server.id);
        self.servers[number].disk.crash(how);
        self.count_bites(number);
        for link in self.links.of(number) {
            self.links.end(link);
            if self.links.close_server(link) {
                if how == Crash::Power {
                    self.links.lose_answers(link);
                }
                self.answer(link, ToPeer::Closed);
            }
        }
        self.put(until, Item::Starts(number));
    }
}
