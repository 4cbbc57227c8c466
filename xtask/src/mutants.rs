//! Mutation: each expression and each function of the server is changed in a copy of the tree, and the tests and the
//! simulator must see it.
//!
//! cargo-mutants says what to change. As many changes as can be are built into one program, in which a variable chooses
//! one ([`together`]); cargo-mutants tries the others, with a build for each ([`alone`]).
//!
//! What nobody sees is either a hole in the tests, or a change that changes nothing: these stand in
//! `xtask/mutants.toml`, each with the reason why.

mod alone;
mod change;
mod compiler;
mod guards;
mod judge;
mod listed;
mod report;
mod together;
mod tried;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::judge::{Choice, Package};
use self::listed::Listed;
use self::report::Report;
use crate::room::Room;

pub(crate) use self::listed::check;

/// Which changes to try; all unless something is said.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// In which packages; in all four if none is named.
    #[arg(value_name = "PACKAGE")]
    packages: Vec<Package>,
    /// Only in lines that have changed since this commit.
    #[arg(long, value_name = "COMMIT")]
    since: Option<String>,
    /// Of each package at most so many, spread over it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Which so many; any number will do, and the same brings the same.
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Write the table into this page, between the comments <!-- mutants --> and <!-- end of mutants -->.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

/// Tries the changes, and prints those that nobody saw.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match try_all(root, options) {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(wrong) => eprintln!(
            "mutants: {wrong} of the above are wrong: write a test that sees the change, or say in {} why it changes \
             nothing",
            listed::TABLE
        ),
        Err(error) => eprintln!("mutants: {error}"),
    }
    ExitCode::FAILURE
}

/// How many were wrong.
fn try_all(root: &Path, options: &Options) -> Result<usize, String> {
    let listed = Listed::read(root)?;
    let choice = Choice::new(root, options.since.as_deref(), options.count, options.first)?;
    let room = options.into.as_deref().map(|page| Room::in_page(page, "mutants")).transpose()?;
    let packages = if options.packages.is_empty() { &Package::ALL[..] } else { &options.packages };
    let mut report = Report::new(listed, choice.is_whole());
    for &package in packages {
        report.add(package, judge::judge(root, package, &choice)?);
    }
    print!("{report}");
    room.map_or(Ok(()), |room| room.fill(&report.markdown()))?;
    Ok(report.wrong())
}
