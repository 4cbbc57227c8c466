//! The changes that are known to change nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::docs::{Problem, Tree};

/// The list, with a reason for each.
pub(super) const TABLE: &str = "xtask/mutants.toml";

/// The list as a table by name, without places: these move with every line.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// How many changes of that name may go unseen.
    times: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    nothing: Vec<Nothing>,
}

/// Changes that change nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {
    /// Their name, without the place in the file.
    mutant: String,
    /// How many of that name.
    #[serde(default = "once")]
    times: usize,
    /// Why nobody can see them.
    because: String,
}

const fn once() -> usize {
    1
}

impl Listed {
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join(TABLE)).map_err(|error| format!("{TABLE}: {error}"))?;
        Self::parse(&text)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut listed = Self::default();
        for Nothing { mutant, times, because } in parse(text)? {
            if because.trim().is_empty() {
                return Err(format!("{TABLE}: no reason is given for {mutant}"));
            }
            if listed.times.insert(mutant.clone(), times).is_some() {
                return Err(format!("{TABLE}: {mutant} stands there twice"));
            }
        }
        Ok(listed)
    }

    /// Takes one of that name off the list; whether there was one.
    pub(super) fn take(&mut self, mutant: &str) -> bool {
        match self.times.get_mut(without_place(mutant).as_str()) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }

    /// What is left of a package's files: listed, but seen by somebody, or not there any more.
    pub(super) fn left<'a>(&'a self, directory: &'a str) -> impl Iterator<Item = &'a str> {
        let of_the_package = move |name: &&String| name.split('/').next() == Some(directory);
        self.times
            .iter()
            .filter(|(_, times)| **times > 0)
            .map(|(name, _)| name)
            .filter(of_the_package)
            .map(String::as_str)
    }
}

fn parse(text: &str) -> Result<Vec<Nothing>, String> {
    let file: File = toml::from_str(text).map_err(|error| format!("{TABLE}: {error}"))?;
    Ok(file.nothing)
}

/// `engine/src/a.rs:7:24: replace + with - in f` as `engine/src/a.rs: replace + with - in f`.
fn without_place(mutant: &str) -> String {
    let Some((place, change)) = mutant.split_once(": ") else { return mutant.to_owned() };
    format!("{}: {change}", place.split(':').next().unwrap_or(place))
}

/// What is wrong with the list, as far as can be said without trying: it cannot be read, or names a file that is gone.
pub(crate) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let Some(text) = tree.get(TABLE) else { return };
    let mut wrong = |what| problems.push(Problem { file: TABLE.to_owned(), line: 1, what });
    let listed = match Listed::parse(text) {
        Ok(listed) => listed,
        Err(error) => return wrong(error),
    };
    for name in listed.times.into_keys() {
        let file = name.split(':').next().unwrap_or_default();
        if tree.get(file).is_none() {
            wrong(format!("no file {file}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_place_and_keeps_its_colons() {
        let name = "engine/src/tables/list.rs:83:5: replace List::len -> usize with 0";
        assert_eq!(without_place(name), "engine/src/tables/list.rs: replace List::len -> usize with 0");
    }

    #[test]
    fn a_list_names_files_that_are_there_and_gives_reasons() {
        let listed = |name: &str, because: &str| {
            let text =
                format!("[[nothing]]\nmutant = \"{name}: replace f with ()\"\nbecause = \"{because}\"\n");
            let mut problems = Vec::new();
            check(&Tree::from([("engine/src/a.rs", ""), (TABLE, text.as_str())]), &mut problems);
            problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>()
        };
        assert!(listed("engine/src/a.rs", "f does nothing").is_empty());
        assert_eq!(listed("engine/src/b.rs", "f does nothing"), ["no file engine/src/b.rs"]);
        assert_eq!(listed("engine/src/a.rs", " ").len(), 1);
    }

    #[test]
    fn as_many_may_go_unseen_as_are_listed() {
        let name = "engine/src/a.rs: replace + with - in f";
        let mut listed = Listed { times: BTreeMap::from([(name.to_owned(), 2)]) };
        let at = |line: u32| format!("engine/src/a.rs:{line}:1: replace + with - in f");
        assert!(listed.take(&at(1)));
        assert_eq!(listed.left("engine").collect::<Vec<_>>(), [name]);
        assert!(listed.take(&at(2)));
        assert_eq!(listed.left("engine").count(), 0);
        assert!(!listed.take(&at(3)));
    }
}
