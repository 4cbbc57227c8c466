//! Bugs on purpose: every sentence of `docs/semantics.md`, and of what threads rely on in `docs/simulation.md`, is broken
//! once, in a copy of the tree, and a test that the page names beside it must fail.
//!
//! `xtask/planted-bugs.toml` says how each is broken: a text in a file, and what stands there instead.
//! That the texts are still there is looked at with the documentation, at every push; that the tests see the bugs takes
//! a build for each, and is seen at night, and for a few of them at each push.

mod bugs;
mod copy;
mod home;
mod page;
mod trial;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use self::bugs::{Bug, Table};
use self::copy::Copy;
use self::home::Homes;
use self::page::Sentence;
use crate::docs::{Problem, Tree};

pub(crate) use self::bugs::TABLE;
pub(crate) use self::home::tests_in;

/// Which bugs to plant; all unless something is said.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only those that break these sentences, such as J7.
    #[arg(value_name = "SENTENCE")]
    sentences: Vec<String>,
    /// Only those in this package's files, such as engine.
    #[arg(long = "in", value_name = "DIRECTORY")]
    directory: Option<String>,
    /// Only so many, counted round and round from `--first`: a slice that another number moves on.
    #[arg(long, value_name = "N", requires = "first")]
    count: Option<usize>,
    /// Where the slice begins; any number will do.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
}

/// What the table and the page have wrong with each other, and with the tree.
pub(crate) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let sentences = page::read(tree, problems);
    let Table { blind, bugs } = bugs::read(tree, problems);
    for sentence in &sentences {
        if !bugs.iter().any(|bug| bug.sentence == sentence.id) {
            problems.push(sentence.problem(format!("no bug in {TABLE} breaks {}", sentence.id)));
        }
        if sentence.tests.is_empty() {
            problems.push(sentence.problem(format!("no test is named beside {}", sentence.id)));
        }
    }
    for bug in &bugs {
        if !sentences.iter().any(|sentence| sentence.id == bug.sentence) {
            problems.push(bug.problem(format!("no page has a sentence {}", bug.sentence)));
        }
    }
    blind.iter().chain(&bugs).for_each(|bug| bug.check(tree, problems));
}

/// Plants the bugs one after the other, and prints which tests saw each.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match plant_all(root, options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(unseen) => {
            eprintln!(
                "planted-bugs: {unseen} of the above are wrong: write a test, or name the one that sees it"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("planted-bugs: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many things were wrong.
fn plant_all(root: &Path, options: &Options) -> Result<usize, String> {
    let tree = Tree::read(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut problems = Vec::new();
    check(&tree, &mut problems);
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if !problems.is_empty() {
        return Ok(problems.len());
    }
    let sentences = page::read(&tree, &mut problems);
    let Table { blind, bugs } = bugs::read(&tree, &mut problems);
    let whole = bugs.clone();
    let bugs = chosen(bugs, options)?;
    let homes = Homes::of(&tree);
    let copy = Copy::of(root, &blind)?;
    let sentences: Vec<&Sentence> =
        sentences.iter().filter(|sentence| bugs.iter().any(|bug| bug.sentence == sentence.id)).collect();
    let healthy = without_bugs(&copy, &homes, &sentences)?;
    if healthy > 0 {
        return Ok(healthy);
    }
    let mut wrong = 0;
    for sentence in sentences {
        let are_all = count(&bugs, sentence) == count(&whole, sentence);
        wrong += plant(&copy, &homes, sentence, &bugs, are_all)?;
    }
    Ok(wrong)
}

/// How many of these bugs break the sentence.
fn count(bugs: &[Bug], sentence: &Sentence) -> usize {
    bugs.iter().filter(|bug| bug.sentence == sentence.id).count()
}

/// The bugs that are asked for.
fn chosen(bugs: Vec<Bug>, options: &Options) -> Result<Vec<Bug>, String> {
    let asked = |bug: &Bug| options.sentences.is_empty() || options.sentences.contains(&bug.sentence);
    let inside = |bug: &Bug| {
        options.directory.as_ref().is_none_or(|name| bug.file.split('/').next() == Some(name.as_str()))
    };
    let mut bugs: Vec<Bug> = bugs.into_iter().filter(|bug| asked(bug) && inside(bug)).collect();
    if bugs.is_empty() {
        return Err(format!(
            "no such bug is in {TABLE}: name sentences of the pages, and a directory of the tree"
        ));
    }
    if let (Some(first), Some(count)) = (options.first, options.count) {
        let middle = first % bugs.len();
        bugs.rotate_left(middle);
        bugs.truncate(count);
    }
    Ok(bugs)
}

/// Runs every test that is to fail later, which proves nothing unless it passes now. How many do not.
fn without_bugs(copy: &Copy, homes: &Homes, sentences: &[&Sentence]) -> Result<usize, String> {
    let tests: BTreeSet<&str> =
        sentences.iter().flat_map(|sentence| sentence.tests.iter().map(String::as_str)).collect();
    let mut wrong = 0;
    for (home, tests) in homes.of_tests(&tests)? {
        let outcome = trial::run(copy, &home, &tests)?;
        for test in tests.iter().filter(|test| !outcome.passed.contains(**test)) {
            eprintln!("{test} of {home} does not pass, with no bug planted");
            wrong += 1;
        }
    }
    Ok(wrong)
}

/// Plants the bugs of one sentence. How many things were wrong: bugs that no test saw or that could not be tried, and,
/// if these are all of its bugs, tests that saw none.
fn plant(
    copy: &Copy,
    homes: &Homes,
    sentence: &Sentence,
    bugs: &[Bug],
    are_all: bool,
) -> Result<usize, String> {
    let tests: BTreeSet<&str> = sentence.tests.iter().map(String::as_str).collect();
    let (mut wrong, mut saw) = (0, BTreeSet::new());
    for bug in bugs.iter().filter(|bug| bug.sentence == sentence.id) {
        let planted = copy.plant(bug)?;
        let mut failed = BTreeSet::new();
        for (home, tests) in homes.of_tests(&tests)? {
            match trial::run(copy, &home, &tests) {
                Ok(outcome) => failed.extend(outcome.failed),
                Err(error) => eprintln!("{bug}: {error}"),
            }
        }
        drop(planted);
        if failed.is_empty() {
            eprintln!("{bug}: no test that {} names sees it", sentence.page);
            wrong += 1;
        } else {
            println!("{bug}: seen by {}", failed.iter().cloned().collect::<Vec<_>>().join(", "));
        }
        saw.extend(failed);
    }
    for test in tests.iter().filter(|test| are_all && !saw.contains(**test)) {
        eprintln!("{}: {test} sees no bug that breaks the sentence", sentence.id);
        wrong += 1;
    }
    Ok(wrong)
}
