//! The ways between hosts and servers: which are blocked, and whether anybody answers at their end.

use super::Home;
use super::lane::Toward;
use crate::faults::schedule::Reception;
use crate::history::{Actor, ServerId};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
pub(super) struct Paths {
    /// How many faults block the way between a host and a server, in one direction.
    blocked: BTreeMap<(usize, ServerId, Toward), u32>,
    /// What meets an actor that dials, the latest last.
    doors: BTreeMap<Actor, Vec<Reception>>,
    /// The servers whose process is down: their hosts refuse.
    pub(super) down: BTreeSet<ServerId>,
    /// The servers whose host is without power: nobody answers.
    dark: BTreeSet<ServerId>,
    /// Who waits to connect.
    waiting: Vec<Waker>,
}

impl Paths {
    /// Ready when a connection from there to a server could be made.
    pub(super) fn poll(&mut self, home: Home, server: ServerId, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let Home { host, actor } = home;
        let blocked =
            [Toward::Server, Toward::Peer].into_iter().any(|toward| self.is_blocked(host, server, toward));
        let door = self.door(actor);
        if self.dark.contains(&server) || blocked || door == Some(Reception::Hangs) {
            self.waiting.push(cx.waker().clone());
            Poll::Pending
        } else if self.down.contains(&server) || door == Some(Reception::Refuses) {
            let what = format!("{server}: connection refused");
            Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, what)))
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// A server's host has no power.
    pub(super) fn darken(&mut self, server: ServerId) {
        self.dark.insert(server);
    }

    /// It has power again.
    pub(super) fn lighten(&mut self, server: ServerId) {
        self.dark.remove(&server);
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// What meets an actor that dials, if anything is wrong.
    pub(super) fn door(&self, actor: Actor) -> Option<Reception> {
        self.doors.get(&actor)?.last().copied()
    }

    pub(super) fn shut(&mut self, actor: Actor, reception: Reception) {
        self.doors.entry(actor).or_default().push(reception);
    }

    pub(super) fn reopen(&mut self, actor: Actor, reception: Reception) {
        let doors = self.doors.entry(actor).or_default();
        if let Some(first) = doors.iter().position(|&door| door == reception) {
            doors.remove(first);
        }
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// Whether bytes between a host and a server do not pass in this direction.
    pub(super) fn is_blocked(&self, host: usize, server: ServerId, toward: Toward) -> bool {
        self.blocked.get(&(host, server, toward)).is_some_and(|&faults| faults > 0)
    }

    pub(super) fn block(&mut self, host: usize, server: ServerId, toward: Toward) {
        *self.blocked.entry((host, server, toward)).or_default() += 1;
    }

    pub(super) fn unblock(&mut self, host: usize, server: ServerId, toward: Toward) {
        *self.blocked.entry((host, server, toward)).or_default() -= 1;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}
