//! What the server does, sentence by sentence, and the tests that show it: rows of two pages of the documentation.

use crate::docs::{Problem, Tree};

/// The pages.
const PAGES: [&str; 2] = ["docs/semantics.md", "docs/simulation.md"];

/// A row: `| id | what the server does | tests |`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) id: String,
    pub(super) tests: Vec<String>,
    pub(super) page: &'static str,
    line: usize,
}

impl Sentence {
    pub(super) fn problem(&self, what: String) -> Problem {
        Problem { file: self.page.to_owned(), line: self.line, what }
    }
}

/// All rows whose first cell is an id: a letter and a number.
pub(super) fn read(tree: &Tree, problems: &mut Vec<Problem>) -> Vec<Sentence> {
    let mut sentences: Vec<Sentence> = Vec::new();
    for page in PAGES {
        let text = tree.get(page).unwrap_or_default();
        for (index, row) in text.lines().enumerate() {
            let Some(sentence) = read_row(row, page, index + 1) else { continue };
            if sentences.iter().any(|other| other.id == sentence.id) {
                problems.push(sentence.problem(format!("a second sentence is called {}", sentence.id)));
            }
            sentences.push(sentence);
        }
        if !sentences.iter().any(|sentence| sentence.page == page) {
            let what = "has no sentence: rows begin with an id such as J7".to_owned();
            problems.push(Problem { file: page.to_owned(), line: 1, what });
        }
    }
    sentences
}

fn read_row(row: &str, page: &'static str, line: usize) -> Option<Sentence> {
    let cells: Vec<&str> =
        row.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
    let (id, tests) = (cells.first()?, cells.last()?);
    let number = id.strip_prefix(|first: char| first.is_ascii_uppercase())?;
    number.parse::<u32>().ok()?;
    let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some(Sentence { id: (*id).to_owned(), tests, page, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_an_id_and_names_tests() {
        let page = PAGES[0];
        let sentence = read_row("| J7 | A job *runs*. | `it_runs`, `once` |", page, 3);
        let tests = vec!["it_runs".to_owned(), "once".to_owned()];
        assert_eq!(sentence, Some(Sentence { id: "J7".into(), tests, page, line: 3 }));
        for other in ["| id | the server | shown by |", "|---|---|---|", "text", "| Jx | a | `b` |"] {
            assert_eq!(read_row(other, page, 1), None, "{other}");
        }
    }
}
