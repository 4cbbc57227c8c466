//! The classes of faults, and what programs see of them.

use super::page::Page;
use super::{Exit, FaultsArgs, complain, lists};
use crate::compare::{self, Habit, Table};
use crate::faults::FaultClass;

pub(super) fn faults(args: &FaultsArgs) -> Exit {
    if !args.compare {
        return lists::faults();
    }
    let outcome = args
        .into
        .as_deref()
        .map(|file| Page::at(file, "faults"))
        .transpose()
        .and_then(|page| compared(args, page));
    outcome.unwrap_or_else(|error| {
        complain(&error);
        Exit::Usage
    })
}

fn compared(args: &FaultsArgs, page: Option<Page<'_>>) -> Result<Exit, String> {
    let classes = if args.classes.is_empty() { FaultClass::ALL } else { &args.classes };
    let table = Table::make(classes).map_err(|error| {
        format!("faults --compare: {error}; it needs sockets and processes of this machine, and kill(1)")
    })?;
    match page {
        None => say!("{table}"),
        Some(page) => page.write(&table)?,
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
