//! Bugs of the past: what some server did wrong according to `docs/history.md` is done wrong once more, in a copy of the
//! tree, and the simulator must see it.
//!
//! The simulator's own saboteurs stand around the doors of an engine that is right, and reach nothing inside.
//! `xtask/historical-bugs.toml` says how each bug is brought back inside: in the links of a list, in a timer, where a
//! packet is cut.

mod hunt;
mod report;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::hunt::Sight;
use self::report::{Report, Row};
use self::table::{Bug, TABLE};
use super::slice::Slice;
use super::{conclude, sound_tree};
use crate::copy::Copy;
use crate::room::Room;

pub(crate) use self::table::check;

/// Which bugs to bring back; all unless something is said.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    slice: Slice,
    /// In how many seeds each must be seen.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Write the table into this page, between the comments <!-- historical --> and <!-- end of historical -->.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "count"])]
    into: Option<PathBuf>,
}

/// Brings the bugs back one after the other, and prints which rule saw each.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let advice = "see what the simulator lacks, or name the rule that sees it";
    conclude("historical-bugs", bring_back_all(root, options), advice)
}

/// How many were not seen as they should be.
fn bring_back_all(root: &Path, options: &Options) -> Result<usize, String> {
    let tree = sound_tree(root, check)?;
    let bugs = chosen(table::read(&tree, &mut Vec::new()), options)?;
    let room = options.into.as_deref().map(|page| Room::in_page(page, "historical")).transpose()?;
    let copy = Copy::of(root, "planted", &[])?;
    let stages: BTreeSet<_> = bugs.iter().map(|bug| bug.stage).collect();
    hunt::without_bugs(&copy, stages)?;
    println!("{}", Row::HEAD);
    let rows = bugs.into_iter().map(|bug| {
        let row = Row { sight: bring_back(&copy, &bug, options.seeds), bug };
        println!("{row}");
        row
    });
    let report = Report { rows: rows.collect(), seeds: options.seeds };
    println!("{}", report.sum());
    room.map_or(Ok(()), |room| room.fill(&report.markdown()))?;
    Ok(report.wrong())
}

/// The bugs that are asked for.
fn chosen(bugs: Vec<Bug>, Options { ids, slice, .. }: &Options) -> Result<Vec<Bug>, String> {
    if let Some(unknown) = ids.iter().find(|id| bugs.iter().all(|bug| bug.id != **id)) {
        return Err(format!("no bug is called {unknown}: {TABLE} has them all"));
    }
    let asked = bugs.into_iter().filter(|bug| ids.is_empty() || ids.contains(&bug.id));
    Ok(slice.of(asked.collect()))
}

/// Brings one back.
fn bring_back(copy: &Copy, bug: &Bug, seeds: u64) -> Result<Sight, String> {
    let _planted = copy.plant(&bug.edits)?;
    hunt::build(copy)?;
    hunt::hunt(copy, bug, seeds)
}
