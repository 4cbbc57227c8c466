//! Counting under valgrind: instructions and allocations, which are the same on a busy machine.

use crate::cases::Case;
use crate::ledger::Cost;
use std::process::Command;

/// What one time of a case costs.
///
/// The case is run N and 2N times; the difference has no start in it, and no filling of queues.
///
/// # Errors
/// If valgrind is not there, or says something else than it used to.
pub(crate) fn cost(case: &Case) -> Result<Cost, String> {
    let per_time = |tool: &Tool| {
        let [once, twice] = [case.times, 2 * case.times].map(|times| tool.count(case.name, times));
        Ok::<_, String>((twice? as f64 - once? as f64) / case.times as f64)
    };
    Ok(Cost { instructions: per_time(&CACHEGRIND)?.round(), allocations: round(per_time(&DHAT)?) })
}

/// To two digits after the point: a queue that grows in steps has some allocation now and then.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A tool of valgrind's, and where its report has the figure.
struct Tool {
    arguments: &'static [&'static str],
    /// What stands before the figure.
    label: &'static str,
}

const CACHEGRIND: Tool = Tool {
    arguments: &["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"],
    label: "I refs:",
};
const DHAT: Tool = Tool { arguments: &["--tool=dhat", "--dhat-out-file=/dev/null"], label: "blocks" };

impl Tool {
    fn count(&self, case: &str, times: usize) -> Result<u64, String> {
        let own = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
        let mut command = Command::new("valgrind");
        command.args(self.arguments).arg(own).args(["case", case, &times.to_string()]);
        let output = command
            .output()
            .map_err(|error| format!("valgrind: {error}; install it (apt-get install valgrind)"))?;
        let report = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("{case} under valgrind: {}\n{report}", output.status));
        }
        figure(&report, self.label).ok_or_else(|| format!("valgrind told no {}:\n{report}", self.label))
    }
}

/// The figure after `I refs:`, or the one before the first `blocks`, as in `Total: 1,234 bytes in 56 blocks`.
fn figure(report: &str, label: &str) -> Option<u64> {
    let lines = report.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let words = lines.into_iter().find(|words| words.join(" ").contains(label))?;
    let digits = if label == "blocks" { words.get(words.len() - 2)? } else { words.last()? };
    digits.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_reports() {
        let cachegrind = "==5== Command: x\n==5== \n==5== I   refs:      127,665\n";
        assert_eq!(figure(cachegrind, CACHEGRIND.label), Some(127_665));
        let dhat = "==5== Total:     1,234 bytes in 56 blocks\n==5== At t-gmax: 0 bytes in 0 blocks\n";
        assert_eq!(figure(dhat, DHAT.label), Some(56));
        assert_eq!(figure("==5== nothing", DHAT.label), None);
    }
}
