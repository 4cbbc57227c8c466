//! `docs/history.md`: its ids, and who cites them.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::tree::Tree;

const HISTORY: &str = "docs/history.md";

const KINDS: [&str; 11] = [
    "lost job",
    "duplicate",
    "order",
    "crash",
    "hang",
    "leak",
    "security",
    "persistence",
    "protocol",
    "race",
    "count",
];

/// The entries are well formed, their ids unique, and every id cited anywhere is one of them.
pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let Some(text) = tree.get(HISTORY) else {
        problems.push(problem(HISTORY, 1, "is missing"));
        return;
    };
    let ids = check_entries(text, problems);
    for (file, text) in tree.files() {
        for (line, id) in cited(text) {
            if !ids.contains(id) {
                problems.push(problem(file, line, &format!("{id} is not in {HISTORY}")));
            }
        }
    }
}

fn check_entries<'a>(text: &'a str, problems: &mut Vec<Problem>) -> BTreeSet<&'a str> {
    let invariants: BTreeSet<&str> = text.lines().filter_map(invariant).collect();
    let mut first_seen = BTreeMap::new();
    let lines: Vec<&str> = text.lines().collect();
    for (index, heading) in lines.iter().enumerate() {
        let Some(entry) = heading.strip_prefix("### ") else { continue };
        let line = index + 1;
        let (id, slug) = entry.split_once(' ').unwrap_or((entry, ""));
        if !is_entry(id) || !is_slug(slug) {
            problems.push(problem(HISTORY, line, "a heading is `### H-001 slug-of-letters`"));
        }
        for name in [id, slug] {
            if let Some(before) = first_seen.insert(name, line) {
                problems.push(problem(HISTORY, line, &format!("{name} stands at line {before} already")));
            }
        }
        check_facts(lines.get(index + 1).unwrap_or(&""), line + 1, &invariants, problems);
        if lines.get(index + 3).is_none_or(|story| story.is_empty() || story.starts_with('#')) {
            problems.push(problem(HISTORY, line, &format!("{id} tells nothing")));
        }
    }
    first_seen.into_keys().collect()
}

/// The line under a heading: `*kind* · where · breaks `invariant``.
fn check_facts(facts: &str, line: usize, invariants: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let parts: Vec<&str> = facts.split(" · ").collect();
    let kind = parts[0].trim_matches('*');
    if !KINDS.contains(&kind) {
        problems.push(problem(
            HISTORY,
            line,
            &format!("`{kind}` is none of the kinds: {}", KINDS.join(", ")),
        ));
    }
    let broken = parts.last().and_then(|part| part.strip_prefix("breaks `")?.strip_suffix('`'));
    if !broken.is_some_and(|name| invariants.contains(name)) {
        problems.push(problem(HISTORY, line, "ends in no invariant of the table"));
    }
    if parts.len() != 3 {
        problems.push(problem(HISTORY, line, "does not have kind, place and invariant"));
    }
}

/// The name in a row of the table of invariants.
fn invariant(line: &str) -> Option<&str> {
    Some(line.strip_prefix("| `")?.split_once("` |")?.0)
}

/// Whether this is the id of an entry, and nothing else.
pub(super) fn is_entry(id: &str) -> bool {
    cited(id).next().is_some_and(|(_, found)| found == id)
}

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Every `H-` with three digits that stands alone, with its line.
fn cited(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        line.match_indices("H-").filter_map(move |(start, _)| {
            let id = line.get(start..start + 5)?;
            let alone = !line[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
                && !line[start + 5..].starts_with(|c: char| c.is_ascii_alphanumeric());
            let digits = id[2..].bytes().all(|byte| byte.is_ascii_digit());
            (alone && digits).then_some((index + 1, id))
        })
    })
}

fn problem(file: &str, line: usize, what: &str) -> Problem {
    Problem { file: file.to_owned(), line, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| `order` | FIFO holds. |\n";

    /// Checks a history of the table above and `entries`, beside a file that cites `cites`.
    fn check_text(entries: &str, cites: &str) -> Vec<String> {
        let history = format!("{TABLE}{entries}");
        let tree = Tree::from([(HISTORY, history.as_str()), ("rules.rs", cites)]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    fn entry(id: &str, slug: &str) -> String {
        format!("### {id} {slug}\n*order* · gearmand 0.1 · breaks `order`\n\nIt went wrong.\n\n")
    }

    #[test]
    fn a_sound_history_has_no_problems() {
        assert_eq!(check_text(&entry("H-001", "first"), "// H-001: first"), [""; 0]);
    }

    #[test]
    fn an_id_that_does_not_exist_is_named_with_its_place() {
        // Put together here, because this file is itself searched for citations.
        let unknown = ["H", "999"].join("-");
        let problems = check_text(&entry("H-001", "first"), &format!("// nothing\n// {unknown}"));
        assert_eq!(problems, [format!("rules.rs:2: {unknown} is not in {HISTORY}")]);
    }

    #[test]
    fn ids_and_slugs_stand_once() {
        let twice = entry("H-001", "first") + &entry("H-001", "first");
        let problems = check_text(&twice, "");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].ends_with("H-001 stands at line 2 already"), "{problems:?}");
    }

    #[test]
    fn kind_place_invariant_and_story_are_required() {
        let problems = check_text("### H-001 first\n*sad* · breaks `joy`\n", "");
        assert_eq!(problems.len(), 4, "{problems:?}");
    }

    #[test]
    fn longer_words_cite_nothing() {
        assert_eq!(cited("SHH-001 H-0012 H-01 X-H-001").count(), 0);
    }
}
