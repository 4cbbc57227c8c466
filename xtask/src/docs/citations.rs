//! Tests and transcripts that some tables of the documentation name in their last column.

use std::collections::BTreeSet;

use super::Problem;
use super::tree::Tree;
use crate::planted::tests_in;

const TABLES: [&str; 4] =
    ["docs/coverage.md", "docs/deviations.md", "docs/disclosure.md", "docs/semantics.md"];

/// Every name in backticks in the last cell of a row is a test, or the id of a transcript.
pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let tests: BTreeSet<&str> = tree.ending_in(".rs").flat_map(|(_, text)| tests_in(text)).collect();
    let transcripts: BTreeSet<&str> = tree.ending_in(".gtx").filter_map(|(_, text)| id(text)).collect();
    for table in TABLES {
        let Some(text) = tree.get(table) else {
            problems.push(Problem { file: table.to_owned(), line: 1, what: "is missing".to_owned() });
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            for name in last_cell(line).split('`').skip(1).step_by(2) {
                if !tests.contains(name) && !transcripts.contains(name) {
                    let what = format!("no test and no transcript is called {name}");
                    problems.push(Problem { file: table.to_owned(), line: index + 1, what });
                }
            }
        }
    }
}

fn last_cell(line: &str) -> &str {
    line.strip_prefix('|')
        .and_then(|row| row.trim_end().strip_suffix('|'))
        .and_then(|row| row.rsplit_once('|'))
        .map_or("", |(_, cell)| cell)
}

fn id(transcript: &str) -> Option<&str> {
    transcript.lines().find_map(|line| line.strip_prefix("id: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_row(row: &str) -> Vec<String> {
        let tree = Tree::from([
            (TABLES[0], ""),
            (TABLES[1], row),
            (TABLES[2], ""),
            (TABLES[3], ""),
            ("engine/tests/fifo.rs", "#[test]\nfn first_in_first_out() {}\nfn helper() {}"),
            ("conformance/transcripts/fifo.gtx", "gtx 1\nid: order/fifo\n"),
        ]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_test_and_a_transcript_are_found_by_name() {
        assert_eq!(check_row("| FIFO | `first_in_first_out`, `order/fifo` |"), [""; 0]);
    }

    #[test]
    fn a_name_that_nothing_bears_is_a_problem() {
        assert_eq!(
            check_row("| `any` | `last_in_first_out` |"),
            ["docs/deviations.md:1: no test and no transcript is called last_in_first_out"]
        );
        assert_eq!(check_row("| | `order/lifo` |").len(), 1);
        assert_eq!(check_row("| | `helper` |").len(), 1, "no test");
    }
}
