//! What the documentation cites must exist: history ids, statements, files behind links, cargo commands, tests, and for
//! each sentence of the semantics a bug that would break it.
//!
//! Documentation rots where nothing reads it.
//! Rules, sabotages, tests and deviations cite the ids of `docs/history.md`, rules and sabotages those of
//! `docs/semantics.md` as well, and `docs/deviations.md` cites tests;
//! these checks make a dangling citation fail like a broken build.

mod citations;
mod commands;
mod history;
mod links;
mod statements;
mod tree;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::{mutants, planted};

pub(crate) use self::tree::Tree;

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Checks the repository at `root` and prints one line per problem.
pub(crate) fn run(root: &Path) -> ExitCode {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("docs: {error}");
            return ExitCode::FAILURE;
        }
    };
    let problems = check(&tree);
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        eprintln!("docs: {} problems", problems.len());
        return ExitCode::FAILURE;
    }
    println!("docs: {} files, nothing dangles", tree.files().count());
    ExitCode::SUCCESS
}

fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    history::check(tree, &mut problems);
    statements::check(tree, &mut problems);
    citations::check(tree, &mut problems);
    links::check(tree, &mut problems);
    commands::check(tree, &mut problems);
    planted::check(tree, &mut problems);
    planted::historical::check(tree, &mut problems);
    planted::races::check(tree, &mut problems);
    mutants::check(tree, &mut problems);
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangles_in_this_repository() {
        let tree = Tree::read(&crate::root()).unwrap();
        let problems: Vec<String> = check(&tree).iter().map(Problem::to_string).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
