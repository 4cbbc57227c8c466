//! What is asked about the lives of jobs; nothing here changes them.

use super::{End, Lives, Open, Stretch, key};
use crate::history::{Actor, Connection, ServerId};
use bytes::Bytes;
use gearman_protocol::{FunctionName, Submit, Time};
use std::collections::BTreeMap;

impl Lives {
    /// Whether an actor that connects to this server was at another one last, and whether it comes back to this one.
    pub fn moves(&self, actor: Actor, server: ServerId) -> (bool, bool) {
        let mut before = self.peers.iter().rev().filter(|peer| peer.actor == actor).map(|peer| peer.server);
        let is_elsewhere = before.next().is_some_and(|last| last != server);
        (is_elsewhere, is_elsewhere && before.any(|earlier| earlier == server))
    }

    /// For how many functions this connection has said that it works.
    pub fn functions(&self, connection: Connection) -> usize {
        self.peers.get(connection.index()).map_or(0, |peer| peer.hands.functions())
    }

    /// Whether this connection works at the job beside one that it was given later.
    pub fn works_beside(&self, connection: Connection, handle: &[u8]) -> bool {
        self.peers.get(connection.index()).is_some_and(|peer| peer.hands.have_beside(handle))
    }

    /// How many milliseconds there are from this time to a moment of the wall clock, in seconds since 1970, if nobody
    /// sets it.
    pub fn until_epoch(&self, at: Time, epoch_s: i64) -> i64 {
        let now = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        (epoch_s - self.begun_s).saturating_mul(1000).saturating_sub(now)
    }

    /// How many jobs ended, by how.
    #[must_use]
    pub const fn ends(&self) -> &BTreeMap<End, u64> {
        &self.ends
    }

    /// Where the jobs are that this connection submits, watches or holds.
    pub fn concerning(&self, connection: Connection) -> Vec<Stretch> {
        let Some(peer) = self.peers.get(connection.index()) else { return Vec::new() };
        let open = peer.open.iter().map(|_| Stretch::Submitted);
        let known = peer.holds.iter().chain(&peer.watches).filter_map(|handle| self.jobs.get(handle));
        open.chain(known.map(|job| job.stretch)).collect()
    }

    /// Where the jobs are that this connection submits or watches.
    pub fn wanted_by(&self, connection: Connection) -> Vec<Stretch> {
        let Some(peer) = self.peers.get(connection.index()) else { return Vec::new() };
        let open = peer.open.iter().map(|_| Stretch::Submitted);
        open.chain(peer.watches.iter().filter_map(|handle| self.jobs.get(handle)).map(|job| job.stretch))
            .collect()
    }

    /// Where the job with this handle is, if it lives.
    pub fn of_handle(&self, handle: &[u8]) -> Option<Stretch> {
        self.jobs.get(handle).map(|job| job.stretch)
    }

    /// Where the job is that a submit on this connection would share, if there is one.
    pub fn shared_by(&self, connection: Connection, submit: &Submit) -> Option<Stretch> {
        let key = key(submit)?;
        self.with_key(connection, |function, other| *function == submit.function && *other == key)
    }

    /// Where a job with this unique is, if one lives at the server of this connection.
    pub fn of_unique(&self, connection: Connection, unique: &Bytes) -> Option<Stretch> {
        self.with_key(connection, |_, other| other == unique)
    }

    fn with_key(
        &self,
        connection: Connection,
        is_it: impl Fn(&FunctionName, &Bytes) -> bool,
    ) -> Option<Stretch> {
        let server = self.peers.get(connection.index())?.server;
        let has = |function: &FunctionName, key: &Option<Bytes>| {
            key.as_ref().is_some_and(|key| is_it(function, key))
        };
        let mut jobs = self.jobs.values().filter(|job| job.server == server);
        if let Some(job) = jobs.find(|job| has(&job.function, &job.key)) {
            return Some(job.stretch);
        }
        let peers = self.peers.iter().filter(|peer| peer.server == server);
        let mut open = peers.flat_map(|peer| &peer.open);
        open.any(|open| has(&open.function, &open.key)).then_some(Stretch::Submitted)
    }

    /// How far workers had come with jobs that have proved to take them longer than their limit, since this was
    /// last asked.
    pub fn take_overdue(&mut self) -> Vec<Stretch> {
        std::mem::take(&mut self.overdue)
    }

    /// Where the jobs are that were asked for by the calendar and that nobody was given yet.
    pub fn for_later(&self) -> Vec<Stretch> {
        self.jobs.values().filter(|job| job.is_for_later).map(|job| job.stretch).collect()
    }

    /// Where all live jobs of a server are.
    pub fn all(&self, server: ServerId) -> Vec<Stretch> {
        let peers = self.peers.iter().filter(|peer| peer.server == server);
        let open = peers.flat_map(|peer| peer.open.iter().map(|_| Stretch::Submitted));
        let known = self.jobs.values().filter(|job| job.server == server);
        open.chain(known.map(|job| job.stretch)).collect()
    }

    /// Which jobs wait for whom, a line each.
    pub fn waits(&self) -> Vec<String> {
        let names = |connections: &[Connection]| {
            let names: Vec<String> = connections.iter().map(Connection::to_string).collect();
            names.join(", ")
        };
        let open = self.peers.iter().enumerate().flat_map(|(index, peer)| {
            let submits = peer.open.iter();
            submits.map(move |Open { function, .. }| {
                format!("c{index} waits for the answer to its submit for {function}")
            })
        });
        let jobs = self.jobs.iter().map(|(handle, job)| {
            let handle = handle.escape_ascii();
            let whom = match job.holder {
                Some(holder) => format!("is {} and waits for {holder}, which holds it", job.stretch),
                None => format!("is {} and waits for a worker", job.stretch),
            };
            let watchers = if job.watchers.is_empty() { "nobody".to_owned() } else { names(&job.watchers) };
            format!("{handle} ({}) {whom}; it is watched by {watchers}", job.function)
        });
        open.chain(jobs).collect()
    }
}
