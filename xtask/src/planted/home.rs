//! Where tests live: which package and which of its programs runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::docs::Tree;

/// A program of tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Home {
    /// The directory of the package.
    directory: String,
    /// What cargo calls the program: `--lib`, or `--test` or `--bin` and a name.
    target: Vec<String>,
}

/// The home of every test, by its bare name.
pub(super) struct Homes(BTreeMap<String, Home>);

impl Home {
    /// The home of the tests in a file, if it belongs to a package.
    fn of_file(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        let target: &[&str] = match *parts.get(1..)? {
            ["tests", name, ..] => &["--test", name],
            ["src", "bin", name, ..] => &["--bin", name],
            ["src", ..] => &["--lib"],
            _ => return None,
        };
        let target = target.iter().map(|&word| word.to_owned()).collect();
        Some(Self { directory: parts[0].to_owned(), target })
    }

    /// Whether its tests run under a scheduler of their own: see [`crate::threads`].
    pub(super) fn is_scheduled(&self) -> bool {
        self.target.last().is_some_and(|name| name == crate::threads::PROGRAM)
    }

    /// What cargo needs to be told to build it.
    pub(super) fn arguments(&self) -> Vec<String> {
        [vec!["--package".to_owned(), format!("gearman-{}", self.directory)], self.target.clone()].concat()
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.directory, self.target.join(" "))
    }
}

impl Homes {
    /// Looks for every test of the tree.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut homes = BTreeMap::new();
        for (path, text) in tree.ending_in(".rs") {
            let Some(home) = Home::of_file(path) else { continue };
            homes.extend(tests_in(text).map(|test| (test.to_owned(), home.clone())));
        }
        Self(homes)
    }

    /// These tests by their homes.
    pub(super) fn of_tests<'a>(
        &self,
        tests: &BTreeSet<&'a str>,
    ) -> Result<BTreeMap<Home, BTreeSet<&'a str>>, String> {
        let mut by_home: BTreeMap<Home, BTreeSet<&'a str>> = BTreeMap::new();
        for &test in tests {
            by_home.entry(self.of_test(test)?.clone()).or_default().insert(test);
        }
        Ok(by_home)
    }

    /// The home of one.
    pub(super) fn of_test(&self, test: &str) -> Result<&Home, String> {
        self.0.get(test).ok_or_else(|| format!("no test is called {test}"))
    }
}

/// The functions that have an attribute which says that they are tests.
pub(crate) fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        is_test = match line {
            _ if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => true,
            _ if line.starts_with("#[") => is_test,
            _ => {
                let name = line.trim_start_matches("async ").strip_prefix("fn ").filter(|_| is_test);
                is_test = false;
                return name.and_then(|name| name.split('(').next());
            }
        };
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_at_home_where_its_file_is() {
        let home = |path| Home::of_file(path).map(|home| home.to_string());
        assert_eq!(home("engine/tests/behaviour/jobs.rs").as_deref(), Some("engine --test behaviour"));
        assert_eq!(home("engine/tests/purity.rs").as_deref(), Some("engine --test purity"));
        assert_eq!(home("server/src/bin/gearmand/flags.rs").as_deref(), Some("server --bin gearmand"));
        assert_eq!(home("engine/src/tables/slab.rs").as_deref(), Some("engine --lib"));
        assert_eq!(home("docs/semantics.md"), None);
        let is_scheduled = |path| Home::of_file(path).map(|home| home.is_scheduled());
        assert_eq!(is_scheduled("server/tests/threads/jobs.rs"), Some(true));
        assert_eq!(is_scheduled("server/tests/loopback/jobs.rs"), Some(false));
    }

    #[test]
    fn tests_are_known_by_their_attributes() {
        let text = "#[test]\nfn one() {\n}\nfn two() {}\n#[test]\n#[ignore]\nfn three() {}\n#[tokio::test]\nasync fn four() {}";
        assert_eq!(tests_in(text).collect::<Vec<_>>(), ["one", "three", "four"]);
    }
}
