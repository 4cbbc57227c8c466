//! The scenario file: what every library is asked to do, one step a line.

mod step;
mod word;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

pub(super) use self::step::{Action, Kind, Step};
pub(super) use self::word::{Captured, Word};
use super::Failure;

/// Where the scenarios are, below the repository's root.
pub(super) const FILE: &str = "peers/scenarios.toml";

/// One thing that clients and workers are asked to do together.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// What it shows, in a sentence.
    pub(super) promise: String,
    /// The words of the steps that name functions.
    pub(super) functions: Vec<String>,
    /// Servers that are known to fail it, by name, and what they do instead.
    pub(super) differs: BTreeMap<String, String>,
    /// The one language that it is for, if it is for one.
    pub(super) only: Option<String>,
    /// Whether it is run with each other language in turn, instead of with one.
    pub(super) every_other: bool,
    /// Whether the short tier too kills each actor at each step.
    pub(super) swept_always: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    promise: String,
    functions: Vec<String>,
    #[serde(default)]
    differs: BTreeMap<String, String>,
    only: Option<String>,
    workers: Option<String>,
    sweep: Option<String>,
    steps: toml::Spanned<String>,
}

/// Reads the scenarios; an error names file and line.
pub(super) fn read(root: &Path) -> Result<Vec<Scenario>, Failure> {
    let path = root.join(FILE);
    let text =
        fs::read_to_string(&path).map_err(|error| Failure::io("xtask", &format!("read {FILE}"), &error))?;
    parse(&text).map_err(|what| Failure::new(FILE, what))
}

pub(super) fn parse(text: &str) -> Result<Vec<Scenario>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    file.scenario.into_iter().map(|entry| scenario(entry, text)).collect()
}

fn scenario(entry: Entry, text: &str) -> Result<Scenario, String> {
    // The text begins on the line after the quotes, which is where the span begins.
    let first = text[..entry.steps.span().start].lines().count() + 1;
    let flag = |name: &str, value: Option<&str>, expected: &str| match value {
        None => Ok(false),
        Some(given) if given == expected => Ok(true),
        Some(given) => {
            Err(format!("scenario {}: {name} is `{expected}` or absent, not `{given}`", entry.name))
        }
    };
    let every_other = flag("workers", entry.workers.as_deref(), "every")?;
    let swept_always = flag("sweep", entry.sweep.as_deref(), "push")?;
    let steps = entry
        .steps
        .get_ref()
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(index, line)| {
            let number = first + index;
            Step::parse(line, number, &entry.functions)
                .map_err(|what| format!("line {number}: {what}: `{line}`"))
        })
        .collect::<Result<_, _>>()?;
    let Entry { name, promise, functions, differs, only, .. } = entry;
    Ok(Scenario { name, promise, functions, differs, only, every_other, swept_always, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_knows_its_line() {
        let text = "[[scenario]]\nname = \"n\"\npromise = \"p\"\nfunctions = [\"f\"]\nsteps = '''\n# why\nw worker f\n\nrestart\n'''\n";
        let scenarios = parse(text).expect("the text is right");
        let lines: Vec<usize> = scenarios[0].steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [7, 9]);
    }

    #[test]
    fn an_error_names_the_line() {
        let text = "[[scenario]]\nname = \"n\"\npromise = \"p\"\nfunctions = []\nsteps = '''\nw jumps\n'''\n";
        assert_eq!(parse(text).expect_err("there is no such step"), "line 6: no such step: `w jumps`");
    }

    #[test]
    fn the_scenarios_of_this_repository_are_right() {
        let scenarios = read(&crate::root()).expect("the file is right");
        assert!(scenarios.iter().any(|scenario| scenario.name == "timeout-trap"));
    }
}
