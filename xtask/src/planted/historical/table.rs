//! The table of the bugs.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::copy::Edit;
use crate::docs::{Problem, Tree};
use crate::planted::bugs::read_table;

/// The table.
pub(super) const TABLE: &str = "xtask/historical-bugs.toml";

/// Where the simulator's rules are, each in a file of its own.
const RULES: &str = "sim/src/judge/rules/";

/// Where the chapter of the history begins that has rules and tells no story.
const RULES_WITHOUT_A_STORY: &str = "H-201";

/// What sees a bug that no rule sees first.
const NO_RULES: [&str; 2] = [STUCK, "panic"];
/// That somebody waits for ever.
pub(super) const STUCK: &str = "stuck";

/// One bug.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bug {
    pub(super) id: String,
    /// What it does, in one sentence.
    #[serde(rename = "does")]
    pub(super) sentence: String,
    /// The entries of `docs/history.md` that tell of it.
    pub(super) history: Vec<String>,
    /// What may see it first: rules, or that somebody waits for ever, or a panic.
    pub(super) seen_by: Vec<String>,
    pub(super) stage: Stage,
    /// Whether several things must coincide before it shows.
    #[serde(default)]
    pub(super) needle: bool,
    /// How it is brought back.
    #[serde(rename = "edit")]
    pub(super) edits: Vec<Edit>,
}

/// Where the simulator runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    Bare,
    Turmoil,
}

impl Stage {
    /// Its name on the simulator's command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Turmoil => "turmoil",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "bug")]
    bugs: Vec<Bug>,
}

/// Reads the table.
pub(super) fn read(tree: &Tree, problems: &mut Vec<Problem>) -> Vec<Bug> {
    read_table::<Table>(TABLE, tree, problems).bugs
}

/// What the table has wrong with the tree. That the entries of the history exist is looked at for every file.
pub(crate) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let rules: BTreeSet<&str> = tree.ending_in(".rs").filter_map(rule).collect();
    let mut ids = BTreeSet::new();
    for bug in &read(tree, problems) {
        let mut wrong: Vec<String> = bug.edits.iter().filter_map(|edit| edit.problem(tree)).collect();
        if !ids.insert(bug.id.clone()) {
            wrong.push("a second bug is called so".to_owned());
        }
        if bug.history.is_empty() || bug.edits.is_empty() || bug.seen_by.is_empty() {
            wrong.push("it needs an entry of the history, an edit, and what sees it".to_owned());
        }
        if bug.history.iter().any(|entry| entry.as_str() >= RULES_WITHOUT_A_STORY) {
            wrong.push("what the history tells no story of is not brought back".to_owned());
        }
        let unknown = |name: &&String| !rules.contains(name.as_str()) && !NO_RULES.contains(&name.as_str());
        wrong.extend(bug.seen_by.iter().filter(unknown).map(|name| format!("no rule is called {name}")));
        let problem = |what| Problem { file: TABLE.to_owned(), line: 1, what: format!("{}: {what}", bug.id) };
        problems.extend(wrong.into_iter().map(problem));
    }
}

/// The name of the rule in a file, if it has one.
fn rule<'a>((file, text): (&'a str, &'a str)) -> Option<&'a str> {
    file.strip_prefix(RULES)?;
    text.lines().find_map(|line| line.trim().strip_prefix("name: \"")?.strip_suffix("\","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "    const INFO: RuleInfo = RuleInfo {\n        name: \"fifo\",\n";

    fn bug(id: &str, seen_by: &str, old: &str) -> String {
        format!(
            "[[bug]]\nid = '{id}'\ndoes = 'Wrong.'\nhistory = ['H-021']\nseen_by = ['{seen_by}']\nstage = 'bare'\n\
             [[bug.edit]]\nin = 'list.rs'\nold = '{old}'\nnew = 'x'\n"
        )
    }

    fn problems_of(table: &str) -> Vec<String> {
        let tree =
            Tree::from([(TABLE, table), ("list.rs", "one two two"), ("sim/src/judge/rules/fifo.rs", RULE)]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_bug_has_an_id_of_its_own_a_rule_that_exists_and_a_place() {
        let sound = bug("first", "fifo", "one") + &bug("second", "stuck", "one");
        assert_eq!(problems_of(&sound), [""; 0]);
        let twice = bug("first", "fifo", "one") + &bug("first", "fifo", "one");
        assert_eq!(problems_of(&twice), [format!("{TABLE}:1: first: a second bug is called so")]);
        assert_eq!(
            problems_of(&bug("first", "lifo", "two")),
            [
                format!("{TABLE}:1: first: `two` is there 2 times: take more of it"),
                format!("{TABLE}:1: first: no rule is called lifo"),
            ]
        );
    }

    #[test]
    fn a_bug_has_a_story_in_the_history() {
        let with = |entries: &str| problems_of(&bug("first", "fifo", "one").replace("['H-021']", entries));
        let wanted = format!("{TABLE}:1: first: it needs an entry of the history, an edit, and what sees it");
        assert_eq!(with("[]"), [wanted]);
        let untold = format!("{TABLE}:1: first: what the history tells no story of is not brought back");
        assert_eq!(with("['H-021', 'H-203']"), [untold]);
    }
}
