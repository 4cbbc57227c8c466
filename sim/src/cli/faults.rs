//! The classes of faults, and what programs see of them.

use super::{Exit, FaultsArgs, complain, lists};
use crate::compare::{self, Habit, Table};
use crate::faults::FaultClass;
use std::fs;
use std::path::Path;

pub(super) fn faults(args: &FaultsArgs) -> Exit {
    if !args.compare {
        return lists::faults();
    }
    let outcome = args.into.as_deref().map(Page::read).transpose().and_then(|page| compared(args, page));
    outcome.unwrap_or_else(|error| {
        complain(&error);
        Exit::Usage
    })
}

fn compared(args: &FaultsArgs, page: Option<Page>) -> Result<Exit, String> {
    let classes = if args.classes.is_empty() { FaultClass::ALL } else { &args.classes };
    let table = Table::make(classes).map_err(|error| {
        format!("faults --compare: {error}; it needs sockets and processes of this machine, and kill(1)")
    })?;
    match page {
        None => say!("{table}"),
        Some(page) => page.write(&table.to_string())?,
    }
    let complaints = table.complaints();
    complaints.iter().for_each(|line| say!("{line}"));
    Ok(if complaints.is_empty() { Exit::Clean } else { Exit::Wrong })
}

/// Plays a part of the comparison in this process.
pub(super) fn play(address: &str, peer: Option<Habit>) -> Exit {
    match compare::play(address, peer, |line| say!("{line}")) {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(&format!("play: {error}"));
            Exit::Usage
        }
    }
}

/// Between these the table stands.
const MARKS: [&str; 2] = ["<!-- faults -->\n", "<!-- end of faults -->"];

/// A page that has room for the table.
struct Page<'a> {
    file: &'a Path,
    before: String,
    after: String,
}

impl<'a> Page<'a> {
    fn read(file: &'a Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let [begin, end] = MARKS;
        let parts = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let (before, after) = parts
            .ok_or_else(|| format!("{}: it has no {}, and {end} below it", file.display(), begin.trim()))?;
        Ok(Self { file, before: before.to_owned(), after: after.to_owned() })
    }

    fn write(&self, table: &str) -> Result<(), String> {
        let ([begin, end], Self { file, before, after }) = (MARKS, self);
        fs::write(file, format!("{before}{begin}\n{table}\n{end}{after}"))
            .map_err(|error| format!("{}: {error}", file.display()))
    }
}
