//! The file that says which process the server is.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file, which goes at the end of the server. It is locked for as long as it means something: one that is
/// not was left by a server that could not remove it.
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes our number.
    ///
    /// # Errors
    /// If it cannot be written, or another server holds it: one line that says what to do.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let about = |what: String| format!("cannot write {}: {what}; see --pid-file", path.display());
        let mut file = open(path).map_err(|error| about(error.to_string()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(about(format!("process {} holds it", holder(file)))),
            Err(TryLockError::Error(error)) => return Err(about(error.to_string())),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|error| about(error.to_string()))?;
        Ok(Self { path: path.to_owned(), file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    // It is emptied once it is known to be ours.
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(1..) => text.trim_end().to_owned(),
        _ => "another".to_owned(),
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let file = |data: std::fs::Metadata| (data.dev(), data.ino());
        let ours = self.file.metadata().map(file);
        let there = std::fs::metadata(&self.path).map(file);
        // Somebody may have put another file in its place, which is not ours to remove.
        if let (Ok(ours), Ok(there)) = (ours, there)
            && ours == there
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{read_to_string, remove_file, write};

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("gearmand-{name}-{}.pid", std::process::id()));
        let _ = remove_file(&path);
        path
    }

    #[test]
    fn it_comes_and_goes_with_the_server() {
        let path = path("goes");
        let file = PidFile::create(&path).unwrap();
        assert_eq!(read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        let refusal = PidFile::create(&path).err().unwrap();
        assert!(refusal.contains(&format!("process {} holds it", std::process::id())), "{refusal}");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn one_that_was_left_behind_is_written_over() {
        let path = path("left");
        write(&path, "1234567890\nand more\n").unwrap();
        let file = PidFile::create(&path).unwrap();
        assert_eq!(read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
    }

    #[test]
    fn a_file_that_took_its_place_stays() {
        let path = path("stays");
        let file = PidFile::create(&path).unwrap();
        remove_file(&path).unwrap();
        write(&path, "not ours").unwrap();
        drop(file);
        assert_eq!(read_to_string(&path).unwrap(), "not ours");
        remove_file(&path).unwrap();
    }
}
