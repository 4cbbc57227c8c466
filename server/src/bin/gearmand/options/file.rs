//! The file of flags that come before those on the command line.

use super::Unusable;
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What stands in the file: words as on the command line.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) words: Vec<OsString>,
}

impl ConfigFile {
    /// Reads the file that was named, or the default one if it is there.
    pub(super) fn read(typed: &ArgMatches) -> Result<Self, Unusable> {
        let path: PathBuf = typed.get_one("config_file").cloned().unwrap_or_default();
        let is_named = typed.value_source("config_file") == Some(ValueSource::CommandLine);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => String::new(),
            outcome => outcome.map_err(|error| {
                let path = path.display();
                Unusable::Refused(format!("cannot read {path}: {error}; --config-file names a file of flags"))
            })?,
        };
        Ok(Self { words: words(&text), path })
    }

    /// Says of a refusal that it is about this file.
    pub(super) fn blame(&self, unusable: Unusable) -> Unusable {
        match unusable {
            Unusable::Told(text) => Unusable::Told(text),
            Unusable::Refused(line) => Unusable::Refused(format!("{}: {line}", self.path.display())),
        }
    }
}

/// Words between white space. Quotes mean nothing, as in gearmand; a line that begins with `#` is left out.
fn words(text: &str) -> Vec<OsString> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.flat_map(str::split_whitespace).map(OsString::from).collect()
}
