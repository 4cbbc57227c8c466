//! Data races: what runs on many threads is run under ThreadSanitizer, in a copy of the tree.
//!
//! Safe code has none, as long as the compiler and what is unsafe in the crates below is right.
//! First `xtask/races.toml`'s races are planted, with unsafe code, one at a time, and each must be reported; then
//! nothing may be.

mod sanitizer;
mod table;

use std::path::Path;
use std::process::ExitCode;

use self::sanitizer::{Run, Sanitizer};
use self::table::{Race, Table};
use super::home::Homes;
use super::{conclude, sound_tree};
use crate::copy::Copy;
use crate::copy::Edit;
use crate::docs::Tree;

pub(crate) use self::table::check;

/// The packages whose tests are run: those that start tasks.
const PACKAGES: [&str; 3] = ["net", "client", "server"];

/// How the tests say that they need no more than one thread, and how that they run on more.
const ON_ONE: &str = "#[tokio::test]";
const ON_MORE: &str = "#[tokio::test(flavor = \"multi_thread\", worker_threads = 4)]";

/// How many seeds the program gets that has a race planted in it.
const SEEDS_OF_A_RACE: u64 = 4;

/// How much to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many seeds the program itself is put through in real time, with four threads.
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,
    /// Which seed is the first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
}

/// Plants the races one after the other, and then looks for those that nobody has planted.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let advice = "mend what races, or say in xtask/races.supp why it does not";
    conclude("races", look(root, options), advice)
}

/// How many things were wrong.
fn look(root: &Path, options: &Options) -> Result<usize, String> {
    let tree = sound_tree(root, check)?;
    let Table { always, races } = table::read(&tree, &mut Vec::new());
    sanitizer::install_source()?;
    let threads = on_more_threads(&tree);
    let copy = Copy::of(root, "races", &always.iter().chain(&threads).collect::<Vec<_>>())?;
    let sanitizer = Sanitizer::new(root, copy)?;
    let homes = Homes::of(&tree);
    let mut wrong = 0;
    for race in &races {
        wrong += usize::from(!is_reported(&sanitizer, &homes, race)?);
    }
    wrong += judge("tests", &sanitizer.all_tests()?);
    wrong += judge("the program itself", &sanitizer.program(options.first..options.first + options.seeds)?);
    Ok(wrong)
}

/// A change for each test of the packages that needs no more than one thread, so that it has more. Those that stop the
/// clock cannot have more.
fn on_more_threads(tree: &Tree) -> Vec<Edit> {
    let ours = |path: &str| path.split_once('/').is_some_and(|(directory, _)| PACKAGES.contains(&directory));
    let files = tree.ending_in(".rs").filter(|(path, _)| ours(path));
    let edits = files.flat_map(|(path, text)| {
        text.matches(ON_ONE).map(move |old| Edit {
            file: path.to_owned(),
            old: old.to_owned(),
            new: ON_MORE.to_owned(),
        })
    });
    edits.collect()
}

/// Plants a race; whether it was reported, where it is.
fn is_reported(sanitizer: &Sanitizer, homes: &Homes, race: &Race) -> Result<bool, String> {
    let _planted = sanitizer.copy.plant([&race.edit])?;
    let run = match &race.test {
        Some(test) => sanitizer.tests(&homes.of_test(test)?.arguments(), test)?,
        None => sanitizer.program(0..SEEDS_OF_A_RACE)?,
    };
    let seer = race.test.as_deref().unwrap_or("the program itself");
    let reports = run.reports.iter().filter(|report| report.contains(&race.edit.file)).count();
    if reports == 0 {
        eprintln!("{race} is not reported in {seer}\n{}", run.said);
    } else {
        println!("{race} is reported in {seer}, in {reports} places");
    }
    Ok(reports > 0)
}

/// Prints what came of a run with nothing planted; how much of it is wrong.
fn judge(what: &str, run: &Run) -> usize {
    run.reports.iter().for_each(|report| eprintln!("{report}"));
    println!("{what}: {}, {} reports", run.did, run.reports.len());
    if run.is_fine {
        return run.reports.len();
    }
    eprintln!("{what} failed\n{}", run.said);
    run.reports.len() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_on_one_thread_is_put_on_more() {
        let text = "#[tokio::test]\n#[tokio::test]\n#[tokio::test(start_paused = true)]";
        let tree = Tree::from([("net/src/a.rs", text), ("sim/src/b.rs", text)]);
        let edits = on_more_threads(&tree);
        let files: Vec<&str> = edits.iter().map(|edit| edit.file.as_str()).collect();
        assert_eq!(files, ["net/src/a.rs", "net/src/a.rs"]);
        let made = edits.iter().fold(text.to_owned(), |text, edit| edit.made_in(&text));
        assert_eq!(made, format!("{ON_MORE}\n{ON_MORE}\n#[tokio::test(start_paused = true)]"));
    }
}
