//! The table of the races.

use std::fmt;

use serde::Deserialize;

use crate::copy::{Edit, first_line};
use crate::docs::{Problem, Tree};
use crate::planted::bugs::read_table;
use crate::planted::home::tests_in;
use crate::planted::page;

/// The table.
const TABLE: &str = "xtask/races.toml";

/// One race.
#[derive(Debug, Deserialize)]
#[serde(from = "Row")]
pub(super) struct Race {
    /// The id of the sentence that it breaks.
    sentence: String,
    /// The test that runs into it; the program itself does if there is none.
    pub(super) test: Option<String>,
    pub(super) edit: Edit,
}

/// A race as the table has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    breaks: String,
    test: Option<String>,
    #[serde(rename = "in")]
    file: String,
    old: String,
    new: String,
}

impl From<Row> for Race {
    fn from(Row { breaks, test, file, old, new }: Row) -> Self {
        Self { sentence: breaks, test, edit: Edit { file, old, new } }
    }
}

impl fmt::Display for Race {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}, `{}`,", self.sentence, self.edit.file, first_line(&self.edit.new))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// What is changed all the while.
    pub(super) always: Vec<Edit>,
    #[serde(rename = "race")]
    pub(super) races: Vec<Race>,
}

/// Reads the table.
pub(super) fn read(tree: &Tree, problems: &mut Vec<Problem>) -> Table {
    read_table(TABLE, tree, problems)
}

/// What the table has wrong with the tree.
pub(crate) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let Table { always, races } = read(tree, problems);
    let sentences = page::read(tree, &mut Vec::new());
    let mut wrong: Vec<String> = always.iter().filter_map(|edit| edit.problem(tree)).collect();
    for race in &races {
        wrong.extend(race.edit.problem(tree).map(|what| format!("{race} {what}")));
        if !sentences.iter().any(|sentence| sentence.id == race.sentence) {
            wrong.push(format!("{race} no page has a sentence {}", race.sentence));
        }
        let Some(name) = &race.test else { continue };
        if !tree.ending_in(".rs").any(|(_, text)| tests_in(text).any(|test| test == name)) {
            wrong.push(format!("{race} there is no test {name}"));
        }
    }
    problems.extend(wrong.into_iter().map(|what| Problem { file: TABLE.to_owned(), line: 1, what }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_that_cannot_be_planted_or_run_into_is_a_problem() {
        let race = "[[race]]\nbreaks = 'H1'\ntest = 'it_runs'\nin = 'net/tests/a.rs'\nnew = 'no'\nold = ";
        let problems_of = |old: &str, test: &str| {
            let table = format!("always = []\n{race}'{old}'");
            let row = "| H1 | it runs | `it_runs` |";
            let files = [("net/tests/a.rs", test), (TABLE, &table), ("docs/simulation.md", row)];
            let mut problems = Vec::new();
            check(&Tree::from(files), &mut problems);
            problems.iter().map(Problem::to_string).collect::<Vec<_>>()
        };
        assert_eq!(problems_of("ok", "#[test]\nfn it_runs() { ok }"), [""; 0]);
        let gone = "xtask/races.toml:1: H1 in net/tests/a.rs, `no`, there is no test it_runs";
        assert_eq!(problems_of("ok", "fn it_runs() { ok }"), [gone]);
        assert_eq!(problems_of("fine", "#[test]\nfn it_runs() { ok }").len(), 1);
    }
}
