//! `status` and `prioritystatus`. What is long is told part by part, and in between everybody else has a turn.

use super::limits::LARGE;
use super::{Engine, Turn};
use crate::ConnectionId;
use crate::tables::connections::ConnectionKey;
use crate::tables::deadlines::Timer;
use crate::tables::functions::{Function, FunctionKey};
use crate::tables::long_tables::{Columns, LongTable};
use gearman_protocol::{AdminReply, FunctionStatus, Priority, PriorityStatus, Response};
use std::time::Duration;

/// How many functions are told of at once.
pub(crate) const PART: usize = 1024;

/// How long all others have before the next part.
const PAUSE: Duration = Duration::from_millis(1);

impl Engine {
    /// Tells of all functions in order of creation: at once if they are few.
    pub(super) fn tell_functions(&mut self, who: ConnectionKey, columns: Columns, turn: &mut Turn<'_>) {
        let first = self.functions.first();
        if self.functions.slab.len() <= PART {
            let (reply, _) = self.part(columns, first);
            return self.send(who, Response::Admin(reply), turn);
        }
        let connection = &mut self.connections.slab[who];
        self.memory -= connection.memory();
        let (peer, ticket) = (connection.id, connection.outbox.await_table());
        self.memory += connection.memory();
        self.watch_output(who);
        self.long_tables.add(peer, LongTable { columns, ticket, next: first });
        self.go_on_telling(peer, turn);
    }

    /// Has the next part told, if there is one.
    pub(super) fn go_on_telling(&mut self, peer: ConnectionId, turn: &Turn<'_>) {
        let due = turn.now + PAUSE;
        if self.long_tables.arm(peer, due) {
            self.deadlines.set(due, Timer::Part(peer));
        }
    }

    /// The next part is due. Nothing is told while the peer has much to read, or while an answer of the store
    /// is owed to it that comes before: [`Self::go_on_telling`] is called when that has changed.
    pub(super) fn tell_part(&mut self, peer: ConnectionId, turn: &mut Turn<'_>) {
        self.long_tables.disarm(peer);
        let who = self.connections.find(peer).expect("a timer goes with its connection");
        let Some(&mut LongTable { columns, ticket, next }) = self.long_tables.first(peer) else { return };
        let connection = &self.connections.slab[who];
        if connection.fill.outward >= LARGE || !connection.outbox.is_first(ticket) {
            return;
        }
        let (reply, next) = self.part(columns, next);
        if next.is_some() {
            self.long_tables.first(peer).expect("it was there").next = next;
            turn.effects.send(peer, Response::Admin(AdminReply::Part(Box::new(reply))));
        } else {
            self.long_tables.pop(peer);
            self.answer(who, ticket, Response::Admin(reply), turn);
        }
        self.go_on_telling(peer, turn);
    }

    /// Some functions from this one on, and which one is next.
    fn part(&self, columns: Columns, from: Option<FunctionKey>) -> (AdminReply, Option<FunctionKey>) {
        match columns {
            Columns::Status => {
                let (rows, next) = self.functions.part(from, PART, status);
                (AdminReply::Status(rows), next)
            }
            Columns::PriorityStatus => {
                let (rows, next) = self.functions.part(from, PART, priority_status);
                (AdminReply::PriorityStatus(rows), next)
            }
        }
    }

    /// The peer is told no more of any table.
    pub(super) fn stop_telling(&mut self, peer: ConnectionId) {
        if let Some(due) = self.long_tables.disarm(peer) {
            self.deadlines.call_off(due, Timer::Part(peer));
        }
        self.long_tables.forget(peer);
    }
}

fn status(function: &Function) -> FunctionStatus {
    FunctionStatus {
        function: function.name.to_bytes(),
        total: function.total(),
        running: u64::from(function.assigned),
        workers: u64::from(function.workers),
    }
}

fn priority_status(function: &Function) -> PriorityStatus {
    PriorityStatus {
        function: function.name.to_bytes(),
        high: function.not_assigned(Priority::High),
        normal: function.not_assigned(Priority::Normal),
        low: function.not_assigned(Priority::Low),
        workers: u64::from(function.workers),
    }
}
