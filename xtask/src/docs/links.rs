//! Links in Markdown files to other files of the repository.

use super::Problem;
use super::tree::Tree;

/// Every relative link leads to a file or a directory that exists.
pub(super) fn check(tree: &Tree, problems: &mut Vec<Problem>) {
    for (file, text) in tree.ending_in(".md") {
        for (index, line) in text.lines().enumerate() {
            for target in targets(line) {
                if !tree.contains(&resolve(file, target)) {
                    let what = format!("the link to {target} leads nowhere");
                    problems.push(Problem { file: file.to_owned(), line: index + 1, what });
                }
            }
        }
    }
}

/// The files behind `](file#place)` on a line; addresses and places on the same page are not files.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

fn resolve(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_line(line: &str) -> usize {
        let tree = Tree::from([("docs/guide.md", line), ("README.md", ""), ("engine/src/lib.rs", "")]);
        let mut problems = Vec::new();
        check(&tree, &mut problems);
        problems.len()
    }

    #[test]
    fn links_to_files_directories_places_and_addresses_are_sound() {
        let line = "[a](../README.md#top) [b](../engine/) [c](#here) [d](https://gearman.org) [e](guide.md)";
        assert_eq!(check_line(line), 0);
    }

    #[test]
    fn a_link_to_nothing_is_a_problem() {
        assert_eq!(check_line("[a](README.md), [b](../engine/src/main.rs)"), 2);
    }
}
