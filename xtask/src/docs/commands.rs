//! The cargo commands that Markdown files tell readers to type.

use super::Problem;
use super::tree::Tree;

const ALIASES: &str = ".cargo/config.toml";

/// What a machine with rustup has without our aliases.
const BUILT_IN: [&str; 10] =
    ["add", "bench", "build", "clippy", "doc", "fmt", "fuzz", "install", "run", "test"];

/// Every `cargo WORD` in a code block or in backticks is a built-in or one of our aliases.
pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    let aliases: Vec<&str> = tree.get(ALIASES).map(|text| aliases(text).collect()).unwrap_or_default();
    for (file, text) in tree.ending_in(".md") {
        for (line, word) in commands(text) {
            if !BUILT_IN.contains(&word) && !aliases.contains(&word) {
                let what = format!("`cargo {word}` is no command and no alias of {ALIASES}");
                problems.push(Problem { file: file.to_owned(), line, what });
            }
        }
    }
}

fn aliases(config: &str) -> impl Iterator<Item = &str> {
    config
        .lines()
        .skip_while(|line| *line != "[alias]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
}

/// The word after `cargo`, with `+toolchain` left out, wherever a command begins.
fn commands(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        let starts: Vec<&str> = if in_block {
            vec![line.trim_start_matches("$ ")]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        found.extend(starts.into_iter().filter_map(word_after_cargo).map(|word| (index + 1, word)));
    }
    found
}

fn word_after_cargo(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace();
    (words.next()? == "cargo").then_some(())?;
    words.find(|word| !word.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let tree =
            Tree::from([("README.md", text), (ALIASES, "[build]\nx = 1\n\n[alias]\nsim = \"run --\"\n")]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn built_ins_and_aliases_exist() {
        assert_eq!(check_text("```\n$ cargo sim\ncargo +nightly fuzz build\n```\n`cargo test`"), [""; 0]);
    }

    #[test]
    fn a_command_that_nobody_has_is_a_problem() {
        let expected = "README.md:2: `cargo simulate` is no command and no alias of .cargo/config.toml";
        assert_eq!(check_text("```\ncargo simulate 3\n```"), [expected]);
        assert_eq!(check_text("Type `cargo x` now.").len(), 1);
    }
}
