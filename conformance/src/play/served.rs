//! The transcript as the server: `listen`, `accept`, and `start` for the program under test.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::player::{Player, Step};
use super::program::Running;
use super::timeline::Way;
use super::{FailureKind, Row};
use crate::language::Statement;

/// What a transcript that plays the server holds.
#[derive(Debug, Default)]
pub(super) struct Served {
    listener: Option<(String, TcpListener)>,
    /// Where it listens, or listened last: a server that comes back has the same port.
    address: Option<SocketAddr>,
    programs: BTreeMap<String, Running>,
}

impl Served {
    /// Stops listening, if that is what has this name.
    pub(super) fn close(&mut self, name: &str) -> bool {
        let is_it = self.listener.as_ref().is_some_and(|(known, _)| known == name);
        if is_it {
            self.listener = None;
        }
        is_it
    }

    /// Kills a program, if one has this name; says how it had crashed.
    pub(super) async fn end(&mut self, name: &str) -> Option<String> {
        self.programs.remove(name)?.end().await
    }

    /// Kills every program; says how one had crashed, and what they wrote last.
    pub(super) async fn finish(&mut self) -> (Option<String>, Vec<String>) {
        let (mut crashed, mut log) = (None, Vec::new());
        for (_, program) in std::mem::take(&mut self.programs) {
            log.extend(program.log());
            crashed = program.end().await.or(crashed);
        }
        (crashed, log)
    }
}

impl Player<'_> {
    pub(super) async fn listen(&mut self, name: &str, statement: &Statement) -> Step {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let bound = TcpListener::bind(self.served.address.unwrap_or(any_port)).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                self.timeline.note(name, Way::Own, format!("listen at {address}"));
                self.served.address = Some(address);
                self.served.listener = Some((name.to_owned(), listener));
                Ok(())
            }
            Err(error) => {
                let summary = format!("`{name}` cannot listen: {error}");
                Err(self.failure(statement, FailureKind::Control, summary, Vec::new()))
            }
        }
    }

    pub(super) async fn accept(&mut self, names: &[String], statement: &Statement) -> Step {
        for name in names {
            let deadline = Instant::now() + self.usual_wait;
            let Some((_, listener)) = &self.served.listener else {
                // Only a transcript whose branches listen and do not comes here.
                let summary = "nobody can connect: the transcript does not listen".to_owned();
                return Err(self.failure(statement, FailureKind::Control, summary, Vec::new()));
            };
            match timeout_at(deadline, listener.accept()).await {
                Ok(Ok((stream, _))) => {
                    let connection = Connection::accepted(stream, name, self.timeline.clone());
                    self.connections.insert(name.clone(), connection);
                }
                Ok(Err(error)) => {
                    let summary = format!("`{name}` cannot be accepted: {error}");
                    return Err(self.failure(statement, FailureKind::Control, summary, Vec::new()));
                }
                Err(_) if self.has_ended_program() => {
                    let summary = "the program ended without a connection".to_owned();
                    return Err(self.failure(statement, FailureKind::Mismatch, summary, Vec::new()));
                }
                Err(_) => {
                    let got = format!("nobody within {:?}", self.usual_wait);
                    let expected = "a connection from the program under test".to_owned();
                    let row = Row::differs(name, expected, got);
                    let summary = "nobody connects".to_owned();
                    return Err(self.failure(statement, FailureKind::Mute, summary, vec![row]));
                }
            }
        }
        Ok(())
    }

    fn has_ended_program(&mut self) -> bool {
        let programs = &self.served.programs;
        let ours = self.connections.iter_mut().filter(|(name, _)| programs.contains_key(*name));
        ours.map(|(_, connection)| connection.is_ended()).fold(false, |any, ended| any | ended)
    }

    pub(super) fn start(&mut self, names: &[String], statement: &Statement) -> Step {
        for name in names {
            let (Some(program), Some(address)) = (self.stage.program, self.served.address) else {
                unreachable!(
                    "cases with a program are played with one, and the language lets them listen first"
                );
            };
            match program.start(address) {
                Ok((running, stream)) => {
                    self.served.programs.insert(name.clone(), running);
                    let connection = Connection::program(stream, name, self.timeline.clone());
                    self.connections.insert(name.clone(), connection);
                }
                Err(error) => {
                    let summary = format!("`{name}` cannot be started: {error}");
                    return Err(self.failure(statement, FailureKind::Control, summary, Vec::new()));
                }
            }
        }
        Ok(())
    }
}
