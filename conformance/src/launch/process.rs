//! A process that the tool has started, and whatever that has started itself.

use std::io;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

/// A running process; when it has ended, or this is dropped, nothing is left of it.
///
/// A launch command may be a shell or a script around the program that is meant, and to kill the one leaves the other.
/// So each has a process group of its own, whose number is the process's.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Until nobody is left in it.
    group: Option<Pid>,
}

impl Process {
    /// A command of the shell, in a group of its own.
    ///
    /// `exec` makes the process the program itself rather than a shell around it, so signals reach it and its end is seen as it is.
    /// Ctrl-C on the terminal is meant for this tool alone, which lets what has begun come to its end.
    pub(crate) fn command(line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("exec {line}")]).kill_on_drop(true).process_group(0);
        command
    }

    /// Starts a command that [`Process::command`] has made.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group })
    }

    /// Its pipes, of which the second time there are none.
    pub(crate) fn pipes(
        &mut self,
    ) -> (Option<tokio::process::ChildStdout>, Option<tokio::process::ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Its number, until it has been seen to end.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, if it did. A zombie counts as ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        self.kill_group();
        Some(status)
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.kill_group();
        Ok(status)
    }

    /// Kills it with all that it has started.
    pub(crate) async fn kill(&mut self) -> io::Result<ExitStatus> {
        self.kill_group();
        self.child.wait().await
    }

    /// Sends a signal to it alone.
    pub(crate) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        // Signals to a zombie succeed, so it must have been waited for: then the group is gone.
        let _ = self.ended();
        let process = self.group.ok_or_else(|| io::Error::other("the process has already ended"))?;
        kill_process(process, signal).map_err(io::Error::from)
    }

    /// Kills whoever is still there; once, for the number may be another's after that.
    fn kill_group(&mut self) {
        if let Some(group) = self.group.take() {
            // An error means that nobody is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt as _, BufReader};

    use super::*;

    /// A shell whose child would outlive it, the child's number and the pipe that the child holds open.
    async fn shell(then: &str) -> (Process, BufReader<tokio::process::ChildStdout>) {
        let mut command = Process::command(&format!("/bin/sh -c 'sleep 1000 & echo $!; {then}'"));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process::start(command).expect("a shell");
        let mut output = BufReader::new(process.pipes().0.expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).await.expect("a number");
        assert!(line.trim().parse::<u32>().is_ok(), "{line}");
        (process, output)
    }

    /// The pipe ends when nobody holds it any more.
    async fn ends(mut output: BufReader<tokio::process::ChildStdout>) {
        assert_eq!(output.read_line(&mut String::new()).await.expect("an end"), 0);
    }

    #[tokio::test]
    async fn nothing_is_left_when_it_is_dropped_killed_or_has_ended() {
        let (process, output) = shell("wait").await;
        drop(process);
        ends(output).await;
        let (mut process, output) = shell("wait").await;
        process.kill().await.expect("killed");
        ends(output).await;
        let (mut process, output) = shell("exit 3").await;
        assert_eq!(process.wait().await.expect("an end").code(), Some(3));
        ends(output).await;
        assert!(process.signal(Signal::TERM).is_err());
    }
}
