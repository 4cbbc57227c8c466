//! A program that speaks no line protocol: run to its end, and then asked what it has said.

use std::io::{self, Read, Write};
use std::thread::{self, JoinHandle};

use super::process::Process;
use super::wait_until;

/// A tool that runs or has ended.
pub(super) struct Tool {
    process: Process,
    stdout: Output,
    stderr: Output,
}

/// What comes out of a pipe, once all of it has come.
enum Output {
    Coming(Option<JoinHandle<Vec<u8>>>),
    Whole(Vec<u8>),
}

impl Tool {
    /// Starts `command` with `input`, which must fit into a pipe.
    pub(super) fn start(command: &[String], input: &[u8]) -> io::Result<Self> {
        let (process, mut pipes) = Process::start(command)?;
        // A program that does not read its input ends the pipe early.
        drop(pipes.stdin.write_all(input));
        Ok(Self { process, stdout: Output::read(pipes.stdout), stderr: Output::read(pipes.stderr) })
    }

    /// Waits for its end, and returns its exit code; none if a signal ended it.
    pub(super) fn code(&mut self) -> Result<Option<i32>, String> {
        let mut ended = Ok(None);
        wait_until(|| {
            ended = self.process.ended();
            !matches!(ended, Ok(None))
        })
        .map_err(|late| format!("it did not end {late}"))?;
        match ended {
            Ok(status) => Ok(status.and_then(|status| status.code())),
            Err(error) => Err(format!("cannot be waited for: {error}")),
        }
    }

    /// What it has printed, once it has ended.
    pub(super) fn stdout(&mut self) -> Result<&[u8], String> {
        self.code()?;
        Ok(self.stdout.whole())
    }

    /// All that it has said, on both outputs, once it has ended.
    pub(super) fn said(&mut self) -> Result<String, String> {
        self.code()?;
        Ok(text(self.stdout.whole()) + &text(self.stderr.whole()))
    }
}

impl Output {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        Self::Coming(Some(thread::spawn(move || {
            let mut bytes = Vec::new();
            // What came before an error is shown all the same.
            drop(pipe.read_to_end(&mut bytes));
            bytes
        })))
    }

    fn whole(&mut self) -> &[u8] {
        if let Self::Coming(reader) = self {
            *self = Self::Whole(reader.take().and_then(|reader| reader.join().ok()).unwrap_or_default());
        }
        match self {
            Self::Whole(bytes) => bytes,
            Self::Coming(_) => b"",
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
