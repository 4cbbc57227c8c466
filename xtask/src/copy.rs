//! A copy of the tree in which something is changed on purpose, so that nobody ever finds that in his own.

mod edit;
pub(crate) mod errand;

pub(crate) use self::edit::{Edit, first_line};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// The copy, below `target`, with a target directory of its own: what is built with a bug in it must not lie where it
/// could be taken for the real thing.
pub(crate) struct Copy {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

/// A bug that is in the copy until this is dropped.
#[derive(Default)]
pub(crate) struct Planted {
    /// What stood in each file before it was changed, in the order of the changes.
    before: Vec<(PathBuf, String)>,
}

impl Copy {
    /// Brings the copy of this name up to date, with what is in it all the while. Files that are the same are left
    /// alone, so that cargo builds what has changed.
    pub(crate) fn of(root: &Path, name: &str, blind: &[&Edit]) -> Result<Self, String> {
        let home = root.join("target").join(name);
        let copy = Self { root: home.join("tree"), target: home.join("target") };
        let files = files(root)?;
        let failed = |file: &str, error: &io::Error| format!("{file}: {error}");
        for file in &files {
            let edits = blind.iter().copied().filter(|edit| edit.file == *file);
            copy_if_changed(&root.join(file), &copy.root.join(file), edits)
                .map_err(|error| failed(file, &error))?;
        }
        copy.remove_all_but(&files).map_err(|error| failed(name, &error))?;
        Ok(copy)
    }

    /// What was copied earlier and is in the tree no more would still be built.
    fn remove_all_but(&self, files: &[String]) -> io::Result<()> {
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                let name = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
                if path.is_dir() {
                    directories.push(path);
                } else if files.binary_search(&name).is_err() {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    /// Plants a bug: changes, one after the other.
    pub(crate) fn plant<'a>(&self, edits: impl IntoIterator<Item = &'a Edit>) -> Result<Planted, String> {
        let mut planted = Planted::default();
        for edit in edits {
            let file = self.root.join(&edit.file);
            let failed = |error: io::Error| format!("{}: {error}", file.display());
            let before = fs::read_to_string(&file).map_err(failed)?;
            fs::write(&file, edit.made_in(&before)).map_err(failed)?;
            planted.before.push((file, before));
        }
        Ok(planted)
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // One file may have been changed twice, so the last change goes first.
        for (file, before) in self.before.drain(..).rev() {
            // What stays because of an error is overwritten by the next copy.
            let _ = fs::write(file, before);
        }
    }
}

/// What git has, and what is new and not ignored, in order.
fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = command.output().map_err(|error| format!("git ls-files: {error}"))?;
    if !output.status.success() {
        return Err("git ls-files failed: the tree to copy must be a git repository".to_owned());
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let files = listed.split('\0').filter(|file| !file.is_empty() && root.join(file).is_file());
    let mut files: Vec<String> = files.map(str::to_owned).collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

fn copy_if_changed<'a>(from: &Path, to: &Path, edits: impl Iterator<Item = &'a Edit>) -> io::Result<()> {
    let bytes = fs::read(from)?;
    let bytes = edits.fold(bytes, |bytes, edit| edit.made_in(&String::from_utf8_lossy(&bytes)).into_bytes());
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().expect("a file lies in a directory"))?;
    fs::write(to, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_twice_is_again_what_it_was() {
        let root = std::env::temp_dir().join(format!("planted-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let file = root.join("a.rs");
        fs::write(&file, "one two").unwrap();
        let copy = Copy { target: root.clone(), root: root.clone() };
        let edit = |old: &str, new: &str| Edit { file: "a.rs".into(), old: old.into(), new: new.into() };
        let planted = copy.plant(&[edit("one", "1"), edit("two", "2")]).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "1 2");
        drop(planted);
        assert_eq!(fs::read_to_string(&file).unwrap(), "one two");
        fs::remove_dir_all(root).unwrap();
    }
}
