//! The entries of a history that tell of one job or one connection.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a story is made of the few entries that name its subject"
)]

use crate::history::{Connection, Entry, What};
use crate::judge::Accusation;
use gearman_protocol::{Handle, Request, Response};
use std::collections::BTreeSet;
use std::fmt;

/// How many lines of the beginning and of the end are shown.
const FIRST: usize = 8;
const LAST: usize = 16;

/// The entries that tell of what an accusation is about, up to it.
pub(super) struct Story<'a> {
    about: String,
    lines: Vec<&'a Entry>,
}

impl<'a> Story<'a> {
    pub(super) fn of(accusation: &Accusation, entries: &'a [Entry]) -> Self {
        let entries = &entries[..entries.partition_point(|entry| entry.place <= accusation.place)];
        match (&accusation.handle, accusation.connection) {
            (Some(handle), _) => Self { about: handle.to_string(), lines: of_job(handle, entries) },
            (None, Some(connection)) => {
                Self { about: connection.to_string(), lines: of_connection(connection, entries) }
            }
            (None, None) => Self { about: String::new(), lines: Vec::new() },
        }
    }
}

impl fmt::Display for Story<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nthe story of {}", self.about)?;
        let (first, last) = if self.lines.len() <= FIRST + LAST {
            (&self.lines[..], &[][..])
        } else {
            (&self.lines[..FIRST], &self.lines[self.lines.len() - LAST..])
        };
        first.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if !last.is_empty() {
            writeln!(f, "     ... {} lines ...", self.lines.len() - FIRST - LAST)?;
        }
        last.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What names the job, the submits that it answers, and the ends of the connections that have to do with it.
fn of_job<'a>(handle: &Handle, entries: &'a [Entry]) -> Vec<&'a Entry> {
    let mut concerned = BTreeSet::new();
    let mut open: Vec<(Connection, &Entry)> = Vec::new();
    let mut lines = Vec::new();
    for entry in entries {
        match &entry.what {
            What::ServerDown => {
                // Handles begin again with the next server.
                (concerned, open, lines) = (BTreeSet::new(), Vec::new(), Vec::new());
            }
            What::Wrote { connection, request: Request::Submit(_) } => open.push((*connection, entry)),
            What::Read { connection, response: Response::JobCreated { handle: created } } => {
                let submit =
                    open.iter().position(|(from, _)| from == connection).map(|place| open.remove(place).1);
                if created == handle {
                    concerned.insert(*connection);
                    lines.extend(submit);
                    lines.push(entry);
                }
            }
            what if names(what, handle) => {
                concerned.extend(connection(what));
                lines.push(entry);
            }
            What::Closed { connection, .. } | What::Ended { connection }
                if concerned.contains(connection) =>
            {
                lines.push(entry);
            }
            _ => {}
        }
    }
    lines.sort_by_key(|entry| entry.place);
    lines
}

fn of_connection(wanted: Connection, entries: &[Entry]) -> Vec<&Entry> {
    entries.iter().filter(|entry| connection(&entry.what) == Some(wanted)).collect()
}

fn names(what: &What, wanted: &Handle) -> bool {
    match what {
        What::Wrote { request: Request::Work { handle, .. } | Request::GetStatus { handle }, .. }
        | What::Read { response: Response::Work { handle, .. }, .. } => handle == wanted,
        What::Read { response: Response::JobAssign(assignment), .. } => assignment.handle == *wanted,
        What::Read { response: Response::Status(status), .. } => status.handle == *wanted,
        _ => false,
    }
}

const fn connection(what: &What) -> Option<Connection> {
    match what {
        What::Connected { connection, .. }
        | What::Wrote { connection, .. }
        | What::WroteMalformed { connection, .. }
        | What::Read { connection, .. }
        | What::ReadMalformed { connection, .. }
        | What::Closed { connection, .. }
        | What::Ended { connection } => Some(*connection),
        What::ServerUp | What::ServerDown | What::StormOver => None,
    }
}
