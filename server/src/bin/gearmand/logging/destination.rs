//! Where lines go.

use super::datagram::Datagrams;
use super::line::{Format, Line};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A place for lines, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stderr(Format),
    File(PathBuf, Format),
    Syslog,
    Journal,
}

/// A place for lines, open.
pub(super) enum Sink {
    Stderr(Format),
    File { path: PathBuf, file: Mutex<File>, format: Format },
    Datagrams(Datagrams),
}

impl Sink {
    pub(super) fn open(destination: Destination) -> Result<Self, String> {
        Ok(match destination {
            Destination::Stderr(format) => Self::Stderr(format),
            Destination::File(path, format) => {
                let file = Mutex::new(open(&path)?);
                Self::File { path, file, format }
            }
            Destination::Syslog => Self::Datagrams(Datagrams::to_syslog()?),
            Destination::Journal => Self::Datagrams(Datagrams::to_journal()?),
        })
    }

    pub(super) fn reopen(&self) -> Result<(), String> {
        if let Self::File { path, file, .. } = self {
            let fresh = open(path)?;
            *file.lock().expect("no panic happens under this lock") = fresh;
        }
        Ok(())
    }

    pub(super) fn write(&self, line: &Line) {
        // There is nowhere to complain when the log cannot be written to, and the jobs matter more.
        let _ = match self {
            Self::Stderr(format) => io::stderr().write_all(line.format(*format).as_bytes()),
            Self::File { file, format, .. } => {
                let mut file = file.lock().expect("no panic happens under this lock");
                file.write_all(line.format(*format).as_bytes())
            }
            Self::Datagrams(datagrams) => datagrams.send(line),
        };
    }

    pub(super) fn is_stderr(&self) -> bool {
        matches!(self, Self::Stderr(_))
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Stderr(format) | Self::File { format, .. } => *format,
            Self::Datagrams(_) => Format::Text,
        }
    }
}

fn open(path: &Path) -> Result<File, String> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let path = path.display();
    opened.map_err(|error| {
        format!("cannot log to {path}: {error}; --log-file takes a file that may be written")
    })
}
