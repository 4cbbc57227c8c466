//! The bugs: each a text in a file, once, and what stands there instead.

use std::fmt;

use serde::Deserialize;

use crate::docs::{Problem, Tree};

/// The table of them.
pub(crate) const TABLE: &str = "xtask/planted-bugs.toml";

/// One bug.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bug {
    /// The id of the sentence that it breaks.
    #[serde(rename = "breaks", default = "no_sentence")]
    pub(super) sentence: String,
    /// In which file.
    #[serde(rename = "in")]
    pub(super) file: String,
    /// What stands there.
    old: String,
    /// What is put in its place.
    new: String,
}

fn no_sentence() -> String {
    "blind".to_owned()
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
    toml::from_str(tree.get(TABLE).unwrap_or_default()).unwrap_or_else(|error| {
        let what = error.to_string().trim_end().replace('\n', " / ");
        problems.push(Problem { file: TABLE.to_owned(), line: 1, what });
        Table::default()
    })
}

impl Bug {
    pub(super) fn problem(&self, what: String) -> Problem {
        Problem { file: TABLE.to_owned(), line: 1, what: format!("{self}: {what}") }
    }

    /// Whether it can still be planted.
    pub(super) fn check(&self, tree: &Tree, problems: &mut Vec<Problem>) {
        let text = tree.get(&self.file);
        let places = text.map_or(0, |text| text.matches(&self.old).count());
        let what = match (text, places) {
            (None, _) => "the file is not there: plant the bug where its code has gone".to_owned(),
            (_, 0) => format!("`{}` is not there: plant the bug in what stands there now", self.first_line()),
            (_, 1) if self.old != self.new => return,
            (_, 1) => "it changes nothing".to_owned(),
            _ => format!("`{}` is there {places} times: take more of it", self.first_line()),
        };
        problems.push(self.problem(what));
    }

    /// The text of its file with the bug in it.
    pub(super) fn planted_in(&self, text: &str) -> String {
        text.replacen(&self.old, &self.new, 1)
    }

    fn first_line(&self) -> &str {
        self.old.trim().lines().next().unwrap_or_default()
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.new.trim().lines().next().unwrap_or("nothing");
        write!(f, "{} in {}, `{new}`", self.sentence, self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(old: &str, new: &str) -> Vec<String> {
        let tree = Tree::from([("a.rs", "one two two")]);
        let bug = Bug { sentence: "J1".into(), file: "a.rs".into(), old: old.into(), new: new.into() };
        let mut problems = Vec::new();
        bug.check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_bug_is_planted_in_one_place() {
        assert_eq!(problems_of("one", "1"), [""; 0]);
        assert_eq!(
            problems_of("two", "2"),
            ["xtask/planted-bugs.toml:1: J1 in a.rs, `2`: `two` is there 2 times: take more of it"]
        );
        assert_eq!(
            problems_of("three", "3"),
            [
                "xtask/planted-bugs.toml:1: J1 in a.rs, `3`: `three` is not there: plant the bug in what stands there now"
            ]
        );
        assert_eq!(
            problems_of("one", "one"),
            ["xtask/planted-bugs.toml:1: J1 in a.rs, `one`: it changes nothing"]
        );
    }
}
