//! Running in the background.
//!
//! The program starts itself anew instead of forking: a process that may have threads cannot be forked safely.
//! Its stdout is a pipe to the one who started it, which waits for the word that all is well.

use rustix::stdio::{dup2_stderr, dup2_stdout};
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, ExitCode, Stdio};

const READY: &str = "ready";

/// Set for the process that shall be in the background. A flag would stand in the manual.
const MARK: &str = "GEARMAND_DETACHED";

/// Whether this process is the one in the background.
pub(crate) fn is_detached() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts the server in the background and waits until it listens, or has failed and said why on stderr.
pub(crate) fn launch() -> Result<ExitCode, String> {
    let mut child = spawn().map_err(|error| format!("cannot start in the background: {error}"))?;
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is a pipe");
    // A server that dies closes the pipe.
    let told = BufReader::new(stdout).read_line(&mut line);
    if told.is_ok() && line.trim_end() == READY {
        return Ok(ExitCode::SUCCESS);
    }
    let status = child.wait().map_err(|error| format!("cannot see how the server ended: {error}"))?;
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => Ok(ExitCode::from(code)),
        _ => Err(format!("the server ended before it listened: {status}")),
    }
}

fn spawn() -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(MARK, "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

/// Leaves the terminal and the session of the one who started us.
pub(crate) fn detach() -> Result<(), String> {
    rustix::process::setsid().map(|_| ()).map_err(|error| format!("cannot leave the session: {error}"))
}

/// Tells the one who waits that all is well, and lets go of its stdout and stderr.
pub(crate) fn ready() -> Result<(), String> {
    let let_go = || {
        let nothing = OpenOptions::new().write(true).open("/dev/null")?;
        dup2_stderr(&nothing)?;
        // Who waits may have been killed.
        let _ = writeln!(io::stdout(), "{READY}");
        Ok(dup2_stdout(&nothing)?)
    };
    let_go().map_err(|error: io::Error| format!("cannot let go of the terminal: {error}"))
}
