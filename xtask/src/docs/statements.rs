//! What rules and sabotages of the simulator cite: entries of the history, and statements of the semantics.
//!
//! That an entry exists is looked at for every file; an id as short as a statement's could be anything elsewhere, so
//! that only the lists of these two are looked at for it.

use std::collections::BTreeSet;

use super::Problem;
use super::history::is_entry;
use super::tree::Tree;

const SEMANTICS: &str = "docs/semantics.md";
const SIMULATOR: &str = "sim/src/";

/// How a list begins: a sabotage's, and a rule's.
const LISTS: [&str; 2] = ["cites: &[", "defends: &["];

/// Every list has an id, and every id that is no entry of the history is a statement.
pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let statements: BTreeSet<&str> =
        tree.get(SEMANTICS).unwrap_or_default().lines().filter_map(statement).collect();
    for (file, text) in tree.ending_in(".rs").filter(|(file, _)| file.starts_with(SIMULATOR)) {
        for (line, list) in lists(text) {
            let mut problem = |what| problems.push(Problem { file: file.to_owned(), line, what });
            let ids: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
            if ids.is_empty() {
                problem("cites nothing".to_owned());
            }
            for id in ids.into_iter().filter(|id| !is_entry(id) && !statements.contains(id)) {
                problem(format!("{id} is not in {SEMANTICS}"));
            }
        }
    }
}

/// What stands in each list, with the line that it begins in.
fn lists(text: &str) -> impl Iterator<Item = (usize, &str)> {
    LISTS.iter().flat_map(move |begin| text.match_indices(begin)).filter_map(|(at, begin)| {
        let (list, _) = text[at + begin.len()..].split_once(']')?;
        Some((text[..at].matches('\n').count() + 1, list))
    })
}

/// The id in a row of the semantics: a letter and a number.
fn statement(row: &str) -> Option<&str> {
    let (id, _) = row.strip_prefix("| ")?.split_once(" |")?;
    let number = id.strip_prefix(|first: char| first.is_ascii_uppercase())?;
    number.parse::<u32>().ok().map(|_| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what a file of the simulator cites, beside semantics with one statement.
    fn check_rule(text: &str) -> Vec<String> {
        let semantics =
            "| id | what the server does | shown by |\n|---|---|---|\n| J7 | It runs. | `it_runs` |\n";
        let tree =
            Tree::from([(SEMANTICS, semantics), ("sim/src/a.rs", text), ("engine/src/a.rs", "cites: &[]")]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn entries_and_statements_may_stand_side_by_side() {
        assert_eq!(check_rule("    defends: &[\"H-001\", \"J7\"],\n    cites: &[\n\"J7\",\n]"), [""; 0]);
    }

    #[test]
    fn a_statement_that_does_not_exist_is_named_with_its_place() {
        let problems =
            check_rule("S {\n    cites: &[\"H-001\", \"J8\"],\n}\nR { defends: &[\"H-1000\", \"id\"] }");
        let wanted = ["2: J8", "4: H-1000", "4: id"];
        assert_eq!(problems, wanted.map(|what| format!("sim/src/a.rs:{what} is not in {SEMANTICS}")));
    }

    #[test]
    fn who_cites_nothing_is_told() {
        assert_eq!(check_rule("\n\ncites: &[],"), ["sim/src/a.rs:3: cites nothing"]);
    }
}
