//! The ways between hosts and the server: which are blocked, and whether anybody answers at their end.

use super::Home;
use super::lane::Toward;
use crate::faults::schedule::Reception;
use crate::history::Actor;
use std::collections::BTreeMap;
use std::io;
use std::task::{Context, Poll, Waker};

/// The server's place among the hosts.
pub(crate) const SERVER: usize = 0;

#[derive(Debug, Default)]
pub(super) struct Paths {
    /// How many faults block the way from one host to another.
    blocked: BTreeMap<(usize, usize), u32>,
    /// What meets an actor that dials, the latest last.
    doors: BTreeMap<Actor, Vec<Reception>>,
    /// Whether the server's process is down: its host refuses.
    pub(super) server_is_down: bool,
    /// Whether the server's host is without power: nobody answers.
    pub(super) server_is_dark: bool,
    /// Who waits to connect.
    waiting: Vec<Waker>,
}

impl Paths {
    /// Ready when a connection from there to the server could be made.
    pub(super) fn poll(&mut self, home: Home, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let Home { host, actor } = home;
        let blocked = self.is_blocked(host, Toward::Server) || self.is_blocked(host, Toward::Peer);
        let door = self.door(actor);
        if self.server_is_dark || blocked || door == Some(Reception::Hangs) {
            self.waiting.push(cx.waker().clone());
            Poll::Pending
        } else if self.server_is_down || door == Some(Reception::Refuses) {
            Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, "server: connection refused")))
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// The server's host has power again, or none.
    pub(super) fn set_dark(&mut self, is_dark: bool) {
        self.server_is_dark = is_dark;
        if !is_dark {
            self.waiting.drain(..).for_each(Waker::wake);
        }
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

    /// Whether bytes between `host` and the server do not pass in this direction.
    pub(super) fn is_blocked(&self, host: usize, toward: Toward) -> bool {
        self.blocked.get(&ends(host, toward)).is_some_and(|&faults| faults > 0)
    }

    pub(super) fn block(&mut self, host: usize, toward: Toward) {
        *self.blocked.entry(ends(host, toward)).or_default() += 1;
    }

    pub(super) fn unblock(&mut self, host: usize, toward: Toward) {
        *self.blocked.entry(ends(host, toward)).or_default() -= 1;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

const fn ends(host: usize, toward: Toward) -> (usize, usize) {
    match toward {
        Toward::Server => (host, SERVER),
        Toward::Peer => (SERVER, host),
    }
}
