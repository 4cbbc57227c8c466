//! The copy of the tree in which bugs are planted, so that nobody ever finds one in his own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use super::bugs::Bug;

/// The copy, in `target/planted`, with a target directory of its own: what is built with a bug in it must not lie where
/// it could be taken for the real thing.
pub(super) struct Copy {
    pub(super) root: PathBuf,
    pub(super) target: PathBuf,
}

/// A bug that is in the copy until this is dropped.
pub(super) struct Planted {
    file: PathBuf,
    before: String,
}

impl Copy {
    /// Brings the copy up to date, with what is in it all the while. Files that are the same are left alone, so that
    /// cargo builds what has changed.
    pub(super) fn of(root: &Path, blind: &[Bug]) -> Result<Self, String> {
        let home = root.join("target").join("planted");
        let copy = Self { root: home.join("tree"), target: home.join("target") };
        let files = files(root)?;
        let failed = |file: &str, error: &io::Error| format!("{file}: {error}");
        for file in &files {
            let bugs = blind.iter().filter(|bug| bug.file == *file);
            copy_if_changed(&root.join(file), &copy.root.join(file), bugs)
                .map_err(|error| failed(file, &error))?;
        }
        copy.remove_all_but(&files).map_err(|error| failed("target/planted", &error))?;
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

    /// Plants a bug.
    pub(super) fn plant(&self, bug: &Bug) -> Result<Planted, String> {
        let file = self.root.join(&bug.file);
        let failed = |error| format!("{}: {error}", file.display());
        let before = fs::read_to_string(&file).map_err(failed)?;
        fs::write(&file, bug.planted_in(&before)).map_err(failed)?;
        Ok(Planted { file, before })
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // What stays because of an error is overwritten by the next copy.
        let _ = fs::write(&self.file, &self.before);
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

fn copy_if_changed<'a>(from: &Path, to: &Path, bugs: impl Iterator<Item = &'a Bug>) -> io::Result<()> {
    let bytes = fs::read(from)?;
    let bytes = bugs.fold(bytes, |bytes, bug| bug.planted_in(&String::from_utf8_lossy(&bytes)).into_bytes());
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().expect("a file lies in a directory"))?;
    fs::write(to, bytes)
}
