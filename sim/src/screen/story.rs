//! The entries of a history that tell of one job or one connection, cut to what fits a screen.

use crate::history::{Connection, Entry, What};
use crate::judge::{Accusation, story};
use std::fmt;

/// How many lines of the beginning and of the end are shown.
const FIRST: usize = 4;
const LAST: usize = 8;

/// The entries that tell of what an accusation is about, up to it.
pub(super) struct Story<'a> {
    about: String,
    lines: Vec<&'a Entry>,
}

impl<'a> Story<'a> {
    pub(super) fn of(accusation: &Accusation, entries: &'a [Entry]) -> Self {
        match (&accusation.handle, accusation.connection) {
            (Some(handle), _) => {
                Self { about: handle.to_string(), lines: story(entries, handle, accusation.place) }
            }
            (None, Some(connection)) => {
                let entries = entries.iter().take_while(|entry| entry.place <= accusation.place);
                let told = entries.filter(|entry| self::connection(&entry.what) == Some(connection));
                Self { about: connection.to_string(), lines: told.collect() }
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

const fn connection(what: &What) -> Option<Connection> {
    match what {
        What::Connected { connection, .. }
        | What::Wrote { connection, .. }
        | What::WroteMalformed { connection, .. }
        | What::Read { connection, .. }
        | What::ReadMalformed { connection, .. }
        | What::Closed { connection, .. }
        | What::Ended { connection } => Some(*connection),
        What::ServerUp(_)
        | What::ServerDrains(_)
        | What::ServerEnds(_)
        | What::ServerDown(_)
        | What::StormOver
        | What::AtRest => None,
    }
}
