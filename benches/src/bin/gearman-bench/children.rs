//! The servers that were started: none of them outlives this program, however it ends.

use crate::failure::{Failure, Result};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// All that run.
static RUNNING: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// What a shell makes of a signal as an exit code.
const BY_SIGNAL: i32 = 128;

/// A child process, which is killed with this value.
#[derive(Debug)]
pub(crate) struct Running {
    pid: u32,
}

impl Running {
    /// # Errors
    /// If there is no such program.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        // Held while it starts: a signal that comes now finds it in the list.
        let mut running = running();
        let child = command.spawn().map_err(Failure::at(format!("start {program}")))?;
        let pid = child.id();
        running.push(child);
        Ok(Self { pid })
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        running().iter_mut().find(|child| child.id() == self.pid)?.try_wait().ok()?
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = running();
        if let Some(at) = running.iter().position(|child| child.id() == self.pid) {
            end(&mut running.swap_remove(at));
        }
    }
}

/// It has no state that it should save, and may be gone already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn running() -> MutexGuard<'static, Vec<Child>> {
    RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// From now on, who ends this program by a signal ends its children as well.
///
/// # Errors
/// If the signals cannot be caught.
pub(crate) fn end_with_signals() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::at("catch signals"))?;
    let signals = runtime.block_on(async {
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .map(|kind| (kind, signal(kind)))
    });
    for (kind, signal) in signals {
        let mut signal = signal.map_err(Failure::at("catch signals"))?;
        let heard = runtime.handle().clone();
        thread::spawn(move || {
            heard.block_on(signal.recv());
            // The list stays locked: nothing is started any more.
            let mut running = running();
            running.iter_mut().for_each(end);
            eprintln!("gearman-bench: ended by signal {}", kind.as_raw_value());
            std::process::exit(BY_SIGNAL + kind.as_raw_value());
        });
    }
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_child_ends_with_its_value() {
        let child = Running::start(Command::new("sleep").arg("1000")).unwrap();
        let folder = format!("/proc/{}", child.pid());
        assert!(child.ended().is_none() && Path::new(&folder).exists());
        drop(child);
        assert!(!Path::new(&folder).exists(), "killed and waited for");
    }
}
