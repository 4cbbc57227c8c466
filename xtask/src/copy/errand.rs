//! A program that does something with the copy, and how it ends.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::Copy;
use crate::patience::comes_true;

/// For how long a program may go on, its build included. Most take seconds: this is for a bug that hangs.
const PATIENCE: Duration = Duration::from_secs(900);

/// How a program ended by itself.
pub(crate) struct Ended {
    /// With which code; none if it was a signal.
    pub(crate) code: Option<i32>,
    /// What it wrote to stdout.
    pub(crate) said: String,
    /// And to stderr.
    pub(crate) complained: String,
}

/// Cargo, for the copy: what is built there is small, is built again and again, and computes little.
pub(crate) fn cargo(copy: &Copy) -> Command {
    let mut command = Command::new("cargo");
    command.env("CARGO_TARGET_DIR", &copy.target).env("CARGO_INCREMENTAL", "1");
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "none");
    command
}

/// Runs a program in the copy to its end; whoever does not end is ended, with all that it has started.
pub(crate) fn run(copy: &Copy, command: &mut Command) -> Result<Ended, String> {
    let ended = try_run(copy, command).map_err(|error| error.to_string())?;
    ended.ok_or_else(|| format!("not done after {} s: the bug must be one that ends", PATIENCE.as_secs()))
}

fn try_run(copy: &Copy, command: &mut Command) -> io::Result<Option<Ended>> {
    let (said, complained) = (copy.target.join("stdout"), copy.target.join("stderr"));
    fs::create_dir_all(&copy.target)?;
    command.current_dir(&copy.root).stdout(File::create(&said)?).stderr(File::create(&complained)?);
    let Some(status) = wait(command.process_group(0).spawn()?, PATIENCE)? else { return Ok(None) };
    let (said, complained) = (fs::read_to_string(said)?, fs::read_to_string(complained)?);
    Ok(Some(Ended { code: status.code(), said, complained }))
}

/// How a program that leads a process group ended; `None` if it had to be ended, with its group.
pub(crate) fn wait(mut child: Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let mut ended = Ok(None);
    let has_ended = comes_true(patience, || {
        ended = child.try_wait();
        !matches!(ended, Ok(None))
    });
    if has_ended {
        return ended;
    }
    kill_process_group(Pid::from_child(&child), Signal::KILL)?;
    child.wait()?;
    Ok(None)
}
