//! The machine on which something was measured.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a figure depends on besides the servers. What the machine does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    /// The commit of the tree that this program was started in, with `-dirty` if something in it was changed.
    commit: String,
    /// The day in UTC, as in 2026-11-26.
    day: String,
    /// gearmand-c, as it calls itself.
    gearmand_c: String,
}

impl Machine {
    /// This one, and the gearmand-c that is installed there.
    pub(crate) fn here(gearmand_c: &Path) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: model.map_or_else(String::new, |(_, model)| model.to_owned()),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            commit: first_line(Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=7"])),
            day: first_line(Command::new("date").args(["-u", "+%F"])),
            gearmand_c: first_line(Command::new(gearmand_c).arg("--version")),
        }
    }
}

impl Machine {
    /// Whether figures of both may stand in one table.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        Self { day: String::new(), ..self.clone() } == Self { day: String::new(), ..other.clone() }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
        let [processor, commit, gearmand_c] =
            [&self.processor, &self.commit, &self.gearmand_c].map(|it| known(it));
        write!(
            f,
            "{}, commit {commit}, {} cores of {processor}, Linux {}, beside {gearmand_c}",
            self.day, self.cores, self.kernel
        )
    }
}

/// The first line that a program prints and that is not empty, or nothing.
fn first_line(command: &mut Command) -> String {
    let text = command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_it_knows_and_what_it_does_not() {
        let here = Machine::here(Path::new("/no/such/gearmand"));
        assert!(here.cores > 0 && here.day.len() == 10, "{here:?}");
        assert!(here.to_string().ends_with("beside unknown"), "{here}");
    }

    #[test]
    fn a_version_may_come_after_an_empty_line() {
        // As gearmand's does.
        assert_eq!(
            first_line(Command::new("printf").arg("\\n gearmand 1.1.20\\nmore\\n")),
            "gearmand 1.1.20"
        );
    }
}
