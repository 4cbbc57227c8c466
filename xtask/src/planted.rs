//! Bugs on purpose: every sentence of `docs/semantics.md`, and of what threads rely on in `docs/simulation.md`, is broken
//! once, in a copy of the tree, and a test that the page names beside it must fail.
//!
//! `xtask/planted-bugs.toml` says how each is broken: a text in a file, and what stands there instead.
//! That the texts are still there is looked at with the documentation, at every push; that the tests see the bugs takes
//! a build for each, and is seen at night, and for a few of them at each push.
//!
//! Beside them stand bugs of the past ([`historical`]), which the simulator must see, and data races ([`races`]), which
//! ThreadSanitizer must.

mod bugs;
pub(crate) mod historical;
mod home;
mod page;
pub(crate) mod races;
mod slice;
mod trial;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use self::bugs::{Bug, Table};
use self::home::Homes;
use self::page::Sentence;
use self::slice::Slice;
use crate::copy::{Copy, Edit};
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
    #[command(flatten)]
    slice: Slice,
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
    let advice = "write a test, or name the one that sees it";
    conclude("planted-bugs", plant_all(root, options), advice)
}

/// Says how many things were wrong, and what to do about it, or why it is not known.
fn conclude(task: &str, wrong: Result<usize, String>, advice: &str) -> ExitCode {
    match wrong {
        Ok(0) => return ExitCode::SUCCESS,
        Ok(wrong) => eprintln!("{task}: {wrong} of the above are wrong: {advice}"),
        Err(error) => eprintln!("{task}: {error}"),
    }
    ExitCode::FAILURE
}

/// The tree, if nothing is wrong with what shall be planted in it.
fn sound_tree(root: &Path, check: fn(&Tree, &mut Vec<Problem>)) -> Result<Tree, String> {
    let tree = Tree::read(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut problems = Vec::new();
    check(&tree, &mut problems);
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    if problems.is_empty() { Ok(tree) } else { Err("mend what is said above first".to_owned()) }
}

/// How many things were wrong.
fn plant_all(root: &Path, options: &Options) -> Result<usize, String> {
    let tree = sound_tree(root, check)?;
    let mut problems = Vec::new();
    let sentences = page::read(&tree, &mut problems);
    let Table { blind, bugs } = bugs::read(&tree, &mut problems);
    let whole = bugs.clone();
    let bugs = chosen(bugs, options)?;
    let homes = Homes::of(&tree);
    let blind: Vec<&Edit> = blind.iter().map(|bug| &bug.edit).collect();
    let copy = Copy::of(root, "planted", &blind)?;
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
        options.directory.as_ref().is_none_or(|name| bug.edit.file.split('/').next() == Some(name.as_str()))
    };
    let bugs: Vec<Bug> = bugs.into_iter().filter(|bug| asked(bug) && inside(bug)).collect();
    if bugs.is_empty() {
        return Err(format!(
            "no such bug is in {TABLE}: name sentences of the pages, and a directory of the tree"
        ));
    }
    Ok(options.slice.of(bugs))
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
        let planted = copy.plant([&bug.edit])?;
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
