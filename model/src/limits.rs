//! Limits: on memory, on what waits for a slow reader, on how long a message may take.

use crate::Model;
use crate::connection::{LARGE, Presence};
use crate::job::Job;
use gearman_engine::{
    ABILITY_OVERHEAD, Buffered, CONNECTION_OVERHEAD, ConnectionId, Effect, FUNCTION_OVERHEAD, JOB_OVERHEAD,
    WATCHER_OVERHEAD,
};
use gearman_protocol::{FunctionName, Mode, Submit};
use std::time::Duration;

fn function_cost(name: &FunctionName) -> usize {
    FUNCTION_OVERHEAD + name.as_bytes().len()
}

impl Model {
    /// Bytes of workloads, buffers and tables.
    fn memory(&self) -> usize {
        let watched = |job: &Job| if job.is_live() { job.watchers.len() * WATCHER_OVERHEAD } else { 0 };
        let jobs = self.jobs.iter().map(|job| JOB_OVERHEAD + job.workload.len() + watched(job));
        let peers = self.connections.iter().map(|peer| {
            let tables = CONNECTION_OVERHEAD + peer.peer.len() + peer.abilities.len() * ABILITY_OVERHEAD;
            tables + peer.fill.inbound + peer.outward()
        });
        let functions = self.functions.iter().map(|function| function_cost(&function.name));
        jobs.chain(peers).chain(functions).sum()
    }

    fn is_memory_short(&self) -> bool {
        self.memory() > self.config.memory_limit
    }

    /// Whether so much more would be too much. What was last told of the request's own parts does not count twice.
    pub(crate) fn is_too_much(&self, from: ConnectionId, bytes: usize) -> bool {
        let mut peers = self.connections.iter();
        let told = peers.find(|connection| connection.id == from).map_or(0, |peer| peer.fill.inbound);
        self.memory() - told + bytes > self.config.memory_limit
    }

    /// What a job with its function and its watcher takes.
    pub(crate) fn cost_of(&self, submit: &Submit) -> usize {
        let watcher = if submit.mode == Mode::Foreground { WATCHER_OVERHEAD } else { 0 };
        JOB_OVERHEAD + submit.workload.len() + watcher + self.cost_of_function(&submit.function)
    }

    /// What a function takes, if it is not there already.
    pub(crate) fn cost_of_function(&self, name: &FunctionName) -> usize {
        let is_known = self.functions.iter().any(|function| function.name == *name);
        if is_known { 0 } else { function_cost(name) }
    }

    pub(crate) fn buffered(&mut self, from: ConnectionId, fill: Buffered) {
        let (now, limit) = (self.now, self.config.packet_timeout);
        let Some(connection) = self.connections.iter_mut().find(|connection| connection.id == from) else {
            return;
        };
        let before = std::mem::replace(&mut connection.fill, fill);
        if fill.outward < LARGE && connection.held.is_empty() {
            connection.largest = 0;
        }
        match connection.presence {
            Presence::Here => {
                let earned = Duration::from_secs((fill.inbound / LARGE) as u64);
                connection.patience = fill.partial_since.map(|since| since + limit + earned);
                self.read_or_pause(from);
            }
            // Whoever takes something is waited for.
            Presence::Closing if fill.outward < before.outward && connection.patience.is_some() => {
                connection.patience = Some(now + limit);
            }
            Presence::Leaving | Presence::Closing => {}
        }
    }

    /// Pauses a peer that sends a large message while memory is short, unless it is the one that may go on.
    fn read_or_pause(&mut self, who: ConnectionId) {
        let is_short = self.is_memory_short();
        let favoured = self.favoured;
        let Some(connection) = self.connection(who) else { return };
        if connection.fill.inbound < LARGE {
            self.favoured = favoured.filter(|favoured| *favoured != who);
            self.resume(who);
        } else if is_short && favoured.is_none() {
            self.favoured = Some(who);
        } else if is_short && favoured != Some(who) && !connection.paused {
            connection.paused = true;
            self.effects.push(Effect::PauseReading { who });
        }
    }

    fn resume(&mut self, who: ConnectionId) {
        if let Some(connection) = self.connection(who)
            && std::mem::take(&mut connection.paused)
        {
            self.effects.push(Effect::ResumeReading { who });
        }
    }

    /// Reads from paused peers again: from all if there is memory, or else from one.
    pub(crate) fn read_as_memory_allows(&mut self) {
        let is_short = self.is_memory_short();
        let paused: Vec<_> = self.connections.iter().filter(|peer| peer.paused).map(|peer| peer.id).collect();
        if !is_short {
            self.favoured = None;
            paused.into_iter().for_each(|who| self.resume(who));
        } else if self.favoured.is_none()
            && let Some(&who) = paused.first()
        {
            self.favoured = Some(who);
            self.resume(who);
        }
    }

    /// Closes connections for which more waits than may, their largest packet not counted. Whether there were any.
    pub(crate) fn cut_slow_readers(&mut self) -> bool {
        let limit = self.config.output_limit;
        let slow = self.connections.iter().filter(|peer| peer.outward() > limit.saturating_add(peer.largest));
        let slow = slow.filter(|peer| peer.presence == Presence::Here);
        let slow: Vec<_> = slow.map(|peer| peer.id).collect();
        slow.iter().for_each(|who| self.cut(*who));
        !slow.is_empty()
    }

    /// Closes a connection at once, whatever it has not read.
    fn cut(&mut self, who: ConnectionId) {
        let Some(connection) = self.connection(who) else { return };
        connection.presence = Presence::Closing;
        connection.held.clear();
        self.effects.push(Effect::Close { who, after_flush: false });
        self.let_go(who);
    }
}
