//! The repository's text files, read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Directories that hold what builds and fuzzers leave behind.
const LEFT_BEHIND: [&str; 5] = [".git", "target", "corpus", "artifacts", "coverage"];

/// Every file by its path from the root, with `/` between the parts.
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads all files below `root`; what is not UTF-8, a picture for one, is there and has no text.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut directories = vec![root.to_path_buf()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    if !LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
                        directories.push(entry.path());
                    }
                } else {
                    let text = String::from_utf8(fs::read(entry.path())?).unwrap_or_default();
                    files.insert(name(root, entry.path()), text);
                }
            }
        }
        Ok(Self { files })
    }

    /// All files with their text, in order of their names.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The files whose name ends in `ending`.
    pub(crate) fn ending_in<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(name, _)| name.ends_with(ending))
    }

    /// The text of one file.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Whether `name` is a file, or a directory that holds one.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        self.files.contains_key(name)
            || self.files().any(|(file, _)| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
    }
}

fn name(root: &Path, path: PathBuf) -> String {
    let path = path.strip_prefix(root).map(Path::to_path_buf).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        Self { files: files.map(|(name, text)| (name.to_owned(), text.to_owned())).into() }
    }
}
