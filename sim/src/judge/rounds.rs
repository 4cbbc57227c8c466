//! Which server each entry of a history is about, and what only several servers can be wrong about.

use super::facts::Fact;
use super::ledger::Map;
use crate::history::{Actor, Connection, Entry, ServerId, What};
use bytes::Bytes;
use gearman_protocol::{FunctionName, Handle, Request, Response, Submit};

/// What was heard at all servers.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    links: Vec<Link>,
    /// Which server has given a handle out.
    givers: Map<Handle, ServerId>,
    /// Over which connection each peer has asked for something that nobody else asks for.
    asked: Map<(Actor, FunctionName, Bytes), Connection>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    actor: Actor,
    server: ServerId,
    /// Whether its peer knows that it is over.
    is_over: bool,
}

impl Rounds {
    /// Whom this entry is about.
    pub(super) fn server(&mut self, entry: &Entry) -> ServerId {
        match &entry.what {
            What::ServerUp(server)
            | What::ServerDrains(server)
            | What::ServerEnds(server)
            | What::ServerDown(server) => *server,
            What::StormOver | What::AtRest => ServerId::default(),
            What::Connected { connection, actor, server } => {
                let link = Link { actor: *actor, server: *server, is_over: false };
                let known = self.links.len();
                self.links.resize(known.max(connection.index() + 1), link);
                self.links[connection.index()] = link;
                *server
            }
            What::Closed { connection, .. } => {
                self.links[connection.index()].is_over = true;
                self.links[connection.index()].server
            }
            What::Wrote { connection, .. }
            | What::WroteMalformed { connection, .. }
            | What::Read { connection, .. }
            | What::ReadMalformed { connection, .. }
            | What::Ended { connection } => self.links[connection.index()].server,
        }
    }

    /// What follows from an entry when there are several servers.
    pub(super) fn observe<'a>(&mut self, entry: &'a Entry, facts: &mut Vec<Fact<'a>>) {
        match &entry.what {
            What::Wrote { connection, request: Request::Submit(submit) } => {
                self.submitted(*connection, submit, facts);
            }
            What::Read { connection, response } => self.read(*connection, response, facts),
            What::Wrote { .. }
            | What::WroteMalformed { .. }
            | What::ReadMalformed { .. }
            | What::Connected { .. }
            | What::Closed { .. }
            | What::Ended { .. }
            | What::ServerUp(_)
            | What::ServerDrains(_)
            | What::ServerEnds(_)
            | What::ServerDown(_)
            | What::StormOver
            | What::AtRest => {}
        }
    }

    /// Under the key `-` the same may be asked for again and again.
    fn submitted(&mut self, connection: Connection, submit: &Submit, facts: &mut Vec<Fact<'_>>) {
        if submit.unique.as_bytes() == b"-" {
            return;
        }
        let Link { actor, server, .. } = self.links[connection.index()];
        let wish = (actor, submit.function.clone(), submit.workload.clone());
        let before = self.asked.insert(wish, connection);
        let elsewhere = before.filter(|before| {
            let before = self.links[before.index()];
            before.server != server && !before.is_over
        });
        facts.push(Fact::Asked { connection, elsewhere });
    }

    fn read<'a>(&mut self, connection: Connection, response: &'a Response, facts: &mut Vec<Fact<'a>>) {
        let server = self.links[connection.index()].server;
        match response {
            Response::JobCreated { handle } => {
                self.givers.insert(handle.clone(), server);
            }
            Response::Status(status) => {
                let giver = self.givers.get(&status.handle).copied();
                if let Some(giver) = giver.filter(|&giver| giver != server) {
                    facts.push(Fact::StatusOfAnother { connection, giver, status });
                }
            }
            Response::JobAssign(_)
            | Response::Noop
            | Response::NoJob
            | Response::Work { .. }
            | Response::StatusUnique(_)
            | Response::Echo { .. }
            | Response::Option { .. }
            | Response::Error { .. }
            | Response::Admin(_) => {}
        }
    }
}
