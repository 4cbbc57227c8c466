//! The story of one job: the entries of a history that have to do with it.
#![expect(clippy::wildcard_enum_match_arm, reason = "a job has to do with few of the many kinds of entries")]

use crate::history::{Connection, Entry, ServerId, What};
use gearman_protocol::{FunctionName, Handle, Request, Response};
use std::collections::{BTreeMap, VecDeque};

/// The entries that have to do with the job of this handle: its submits, grabs, reports and answers, and what
/// became of the connections concerned. Of several lives of its server it is the one in which `until` stands.
#[must_use]
pub fn story<'a>(entries: &'a [Entry], handle: &Handle, until: u64) -> Vec<&'a Entry> {
    let server = server_of(entries, handle);
    let before = entries.iter().filter(|entry| entry.place <= until);
    let began = before
        .filter(|entry| matches!(entry.what, What::ServerUp(up) if up == server))
        .last()
        .map_or(0, |entry| entry.place);
    let life: Vec<&Entry> = entries.iter().filter(|entry| (began..=until).contains(&entry.place)).collect();
    let mut teller = Teller { told: vec![false; life.len()], ..Teller::new(handle, server) };
    for (index, entry) in life.iter().enumerate() {
        teller.take(index, entry);
    }
    let told = std::mem::take(&mut teller.told);
    let kept = life.into_iter().zip(told).filter(|(entry, told)| *told || teller.is_about(entry));
    kept.map(|(entry, _)| entry).collect()
}

/// The server that has told somebody of this handle; the first one if none has.
fn server_of(entries: &[Entry], handle: &Handle) -> ServerId {
    let names = |response: &Response| match response {
        Response::JobCreated { handle: named } | Response::Work { handle: named, .. } => named == handle,
        Response::JobAssign(assignment) => assignment.handle == *handle,
        _ => false,
    };
    let teller = entries.iter().find_map(|entry| match &entry.what {
        What::Read { connection, response } if names(response) => Some(*connection),
        _ => None,
    });
    let of_teller = |entry: &Entry| match entry.what {
        What::Connected { connection, server, .. } if Some(connection) == teller => Some(server),
        _ => None,
    };
    entries.iter().find_map(of_teller).unwrap_or_default()
}

struct Teller<'a> {
    handle: &'a Handle,
    server: ServerId,
    /// Which entries name the job, or were answered with it.
    told: Vec<bool>,
    concerned: Vec<Connection>,
    function: Option<FunctionName>,
    threads: BTreeMap<Connection, Thread>,
}

/// What a connection has asked and was not told yet, by index.
#[derive(Default)]
struct Thread {
    submits: VecDeque<usize>,
    grab: Option<usize>,
}

impl<'a> Teller<'a> {
    const fn new(handle: &'a Handle, server: ServerId) -> Self {
        Self {
            handle,
            server,
            told: Vec::new(),
            concerned: Vec::new(),
            function: None,
            threads: BTreeMap::new(),
        }
    }

    fn take(&mut self, index: usize, entry: &Entry) {
        match &entry.what {
            What::Wrote { connection, request } => self.asked(index, *connection, request),
            What::Read { connection, response } => self.answered(index, *connection, response),
            _ => {}
        }
    }

    fn asked(&mut self, index: usize, connection: Connection, request: &Request) {
        let thread = self.threads.entry(connection).or_default();
        match request {
            Request::Submit(_) => thread.submits.push_back(index),
            Request::Grab(_) => thread.grab = Some(index),
            Request::Work { handle, .. } | Request::GetStatus { handle } if handle == self.handle => {
                self.tell(index, connection);
            }
            _ => {}
        }
    }

    fn answered(&mut self, index: usize, connection: Connection, response: &Response) {
        let thread = self.threads.entry(connection).or_default();
        let (named, asked) = match response {
            Response::JobCreated { handle } => (handle, thread.submits.pop_front()),
            Response::JobAssign(assignment) => {
                if assignment.handle == *self.handle {
                    self.function = Some(assignment.function.clone());
                }
                (&assignment.handle, thread.grab)
            }
            Response::Work { handle, .. } => (handle, None),
            Response::Status(status) => (&status.handle, None),
            _ => return,
        };
        if named == self.handle {
            self.tell(index, connection);
            asked.into_iter().for_each(|asked| self.told[asked] = true);
        }
    }

    fn tell(&mut self, index: usize, connection: Connection) {
        self.told[index] = true;
        self.concerned.push(connection);
    }

    /// Whether an entry that does not name the job says what became of those who do.
    fn is_about(&self, entry: &Entry) -> bool {
        match &entry.what {
            What::ServerUp(server)
            | What::ServerDrains(server)
            | What::ServerEnds(server)
            | What::ServerDown(server) => *server == self.server,
            What::StormOver | What::AtRest => true,
            What::Connected { connection, .. }
            | What::Closed { connection, .. }
            | What::Ended { connection } => self.concerned.contains(connection),
            What::Wrote { connection, request } if self.concerned.contains(connection) => match request {
                Request::CanDo { function, .. } | Request::CantDo { function } => {
                    self.function.as_ref() == Some(function)
                }
                Request::ResetAbilities => self.function.is_some(),
                _ => false,
            },
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::script;

    #[test]
    fn a_story_holds_what_concerns_its_job_and_nothing_else() {
        let entries = script::entries(
            "c> submit mail w=one
             c> submit mail w=two
             w> can_do mail
             w> can_do index
             c< created H:1
             c< created H:2
             w> grab
             w< assign H:2 mail w=two
             w> grab
             w< assign H:1 mail w=one
             w closes",
        );
        let told: Vec<String> =
            story(&entries, &Handle::new("H:2"), u64::MAX).iter().map(|e| e.what.to_string()).collect();
        let wanted = [
            "server up",
            "c0 is a0, connected",
            "c0 > SUBMIT_JOB mail unique \"\" \"two\"",
            "c1 is a1, connected",
            "c1 > CAN_DO mail",
            "c0 < JOB_CREATED H:2",
            "c1 > GRAB_JOB",
            "c1 < JOB_ASSIGN H:2 mail \"two\"",
            "c1 closed by the peer",
        ];
        assert_eq!(told, wanted);
    }
}
