//! What the machine says of a process: processor time and memory, from /proc.

use crate::failure::{Failure, Result};
use std::fs;

/// A process to watch.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    folder: String,
}

/// What the scheduler has given a process, in nanoseconds summed over its threads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scheduled {
    /// Processor time, user and system.
    pub(crate) ran: u64,
    /// How long it could have run and had no processor.
    pub(crate) waited: u64,
}

impl Scheduled {
    /// What has come since then; a thread that has ended meanwhile takes its share along, which no server does under load.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self { ran: self.ran.saturating_sub(before.ran), waited: self.waited.saturating_sub(before.waited) }
    }
}

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Self { folder: format!("/proc/{pid}") }
    }

    pub(crate) fn own() -> Self {
        Self { folder: "/proc/self".to_owned() }
    }

    /// What the scheduler has given all its threads so far.
    ///
    /// # Errors
    /// If there is no such process.
    pub(crate) fn scheduled(&self) -> Result<Scheduled> {
        let tasks = format!("{}/task", self.folder);
        let mut sum = Scheduled::default();
        for task in fs::read_dir(&tasks).map_err(Failure::at(&tasks))? {
            let path = task.map_err(Failure::at(&tasks))?.path().join("schedstat");
            // A thread may end between the two looks at it.
            let text = fs::read_to_string(path).unwrap_or_default();
            let mut nanos = text.split_ascii_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
            sum.ran += nanos.next().unwrap_or(0);
            sum.waited += nanos.next().unwrap_or(0);
        }
        Ok(sum)
    }

    /// The memory that is resident now, in bytes.
    ///
    /// # Errors
    /// If there is no such process.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory that was ever resident, in bytes.
    ///
    /// # Errors
    /// If there is no such process.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// A line of its status that ends in kB, in bytes.
    fn status(&self, key: &str) -> Result<u64> {
        let path = format!("{}/status", self.folder);
        let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.map(|count| count << 10).ok_or_else(|| Failure::says(format!("{path}: no {key}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let own = Process::own();
        let before = own.scheduled().unwrap();
        assert!(own.resident().unwrap() > 0);
        while own.scheduled().unwrap().since(before).ran == 0 {}
    }

    #[test]
    fn a_process_that_is_not_there_is_told() {
        assert!(
            Process::of(u32::MAX).scheduled().unwrap_err().to_string().starts_with("/proc/4294967295/task: ")
        );
    }
}
