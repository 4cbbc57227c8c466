//! A change of one file: a text that stands there once, and what is put in its place.

use serde::Deserialize;

use crate::docs::Tree;

/// A change.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// In which file.
    #[serde(rename = "in")]
    pub(crate) file: String,
    /// What stands there.
    pub(crate) old: String,
    /// What is put in its place.
    pub(crate) new: String,
}

impl Edit {
    /// Why it cannot be made, if it cannot.
    pub(crate) fn problem(&self, tree: &Tree) -> Option<String> {
        let text = tree.get(&self.file);
        let places = text.map_or(0, |text| text.matches(&self.old).count());
        match (text, places) {
            (None, _) => Some("the file is not there: plant the bug where its code has gone".to_owned()),
            (_, 0) => {
                let old = first_line(&self.old);
                Some(format!("`{old}` is not there: plant the bug in what stands there now"))
            }
            (_, 1) if self.old != self.new => None,
            (_, 1) => Some("it changes nothing".to_owned()),
            _ => Some(format!("`{}` is there {places} times: take more of it", first_line(&self.old))),
        }
    }

    /// The text of its file with the change made.
    pub(crate) fn made_in(&self, text: &str) -> String {
        text.replacen(&self.old, &self.new, 1)
    }
}

/// The first line of a text that says something, or nothing.
pub(crate) fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(old: &str, new: &str) -> Option<String> {
        let tree = Tree::from([("a.rs", "one two two")]);
        Edit { file: "a.rs".into(), old: old.into(), new: new.into() }.problem(&tree)
    }

    #[test]
    fn a_change_is_made_in_one_place() {
        assert_eq!(problem_of("one", "1"), None);
        assert_eq!(problem_of("two", "2").as_deref(), Some("`two` is there 2 times: take more of it"));
        let gone = "`three` is not there: plant the bug in what stands there now";
        assert_eq!(problem_of("three", "3").as_deref(), Some(gone));
        assert_eq!(problem_of("one", "one").as_deref(), Some("it changes nothing"));
    }
}
