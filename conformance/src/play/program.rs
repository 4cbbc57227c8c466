//! A client or a worker under test: a program that is told lines of words and says others.
//!
//! It is let loose at the transcript's own address, where the transcript plays the server.
//! `peers/README.md` has the words; each line is a request to a library, or what the library made of the packets.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Pair;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use tokio::net::UnixStream;

use crate::launch::{Log, Process};

/// How to start a program under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    command: String,
}

/// A program that has been started; what is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    log: Log,
}

impl Program {
    /// With a shell command that has `{host}` and `{port}` where the address of the server belongs.
    ///
    /// # Errors
    ///
    /// The command has no `{port}` in it: one line that says so.
    pub fn new(command: String) -> Result<Self, String> {
        if command.contains("{port}") {
            return Ok(Self { command });
        }
        Err(format!(
            "the command `{command}` has no {{port}} in it: write {{host}} and {{port}} where the server's address belongs"
        ))
    }

    /// Starts it, and gives its standard input and output as one stream.
    pub(super) fn start(&self, server: SocketAddr) -> io::Result<(Running, UnixStream)> {
        let (ours, theirs) = Pair::pair()?;
        ours.set_nonblocking(true)?;
        let command = self.command.replace("{host}", &server.ip().to_string());
        let mut command = Process::command(&command.replace("{port}", &server.port().to_string()));
        command
            .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped());
        let mut process = Process::start(command)?;
        let log = Log::default();
        log.follow(process.pipes().1);
        Ok((Running { process, log }, UnixStream::from_std(ours)?))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}

impl Running {
    /// Kills it with all that it has started; says how it had crashed before, if it had.
    pub(super) async fn end(mut self) -> Option<String> {
        let before = self.process.ended();
        let _ = self.process.kill().await;
        before.filter(is_crash).map(|status| format!("the program ended: {status}"))
    }

    /// What it wrote to standard error last.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.lines()
    }
}

/// Whether a program ended in a way that it did not choose: by a signal, or in a shell that tells of one.
fn is_crash(status: &ExitStatus) -> bool {
    const SEGMENTATION_FAULT: i32 = 128 + 11;
    const ABORT: i32 = 128 + 6;
    status.signal().is_some() || status.code().is_some_and(|code| code == SEGMENTATION_FAULT || code == ABORT)
}
