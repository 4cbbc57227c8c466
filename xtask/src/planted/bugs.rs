//! The bugs: each a change of one file.

use std::fmt;

use serde::Deserialize;

use crate::copy::{Edit, first_line};
use crate::docs::{Problem, Tree};

/// The table of them.
pub(crate) const TABLE: &str = "xtask/planted-bugs.toml";

/// One bug.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Row")]
pub(super) struct Bug {
    /// The id of the sentence that it breaks.
    pub(super) sentence: String,
    pub(super) edit: Edit,
}

/// A bug as the table has it: a change and what it breaks, which is nothing if all are to be blind to something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default = "no_sentence")]
    breaks: String,
    #[serde(rename = "in")]
    file: String,
    old: String,
    new: String,
}

fn no_sentence() -> String {
    "blind".to_owned()
}

impl From<Row> for Bug {
    fn from(Row { breaks, file, old, new }: Row) -> Self {
        Self { sentence: breaks, edit: Edit { file, old, new } }
    }
}

/// All that is planted.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// What is in the copy all the while, so that the tests see by themselves.
    #[serde(default)]
    pub(super) blind: Vec<Bug>,
    /// The bugs, one at a time.
    #[serde(rename = "bug")]
    pub(super) bugs: Vec<Bug>,
}

/// Reads the table.
pub(super) fn read(tree: &Tree, problems: &mut Vec<Problem>) -> Table {
    read_table(TABLE, tree, problems)
}

/// Reads a table; what is not one is a problem and empty.
pub(super) fn read_table<T: Default + for<'de> Deserialize<'de>>(
    file: &str,
    tree: &Tree,
    problems: &mut Vec<Problem>,
) -> T {
    toml::from_str(tree.get(file).unwrap_or_default()).unwrap_or_else(|error| {
        let what = error.to_string().trim_end().replace('\n', " / ");
        problems.push(Problem { file: file.to_owned(), line: 1, what });
        T::default()
    })
}

impl Bug {
    pub(super) fn problem(&self, what: String) -> Problem {
        Problem { file: TABLE.to_owned(), line: 1, what: format!("{self}: {what}") }
    }

    /// Whether it can still be planted.
    pub(super) fn check(&self, tree: &Tree, problems: &mut Vec<Problem>) {
        problems.extend(self.edit.problem(tree).map(|what| self.problem(what)));
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = Some(first_line(&self.edit.new)).filter(|line| !line.is_empty()).unwrap_or("nothing");
        write!(f, "{} in {}, `{new}`", self.sentence, self.edit.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_that_cannot_be_planted_is_named_with_what_it_breaks() {
        let tree = Tree::from([("a.rs", "one two two")]);
        let row = Row { breaks: "J1".into(), file: "a.rs".into(), old: "two".into(), new: "2".into() };
        let mut problems = Vec::new();
        Bug::from(row).check(&tree, &mut problems);
        let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            ["xtask/planted-bugs.toml:1: J1 in a.rs, `2`: `two` is there 2 times: take more of it"]
        );
    }

    #[test]
    fn a_row_of_the_table_has_no_other_words() {
        let table =
            |more: &str| toml::from_str::<Table>(&format!("[[bug]]\nin = 'a'\nold = 'b'\nnew = 'c'{more}"));
        assert_eq!(table("").unwrap().bugs[0].sentence, "blind");
        assert_eq!(table("\nbreaks = 'J1'").unwrap().bugs[0].sentence, "J1");
        assert!(table("\nbreks = 'J1'").is_err());
    }
}
