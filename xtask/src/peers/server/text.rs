//! The text commands `status` and `workers`, as the runner asks them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Server, read_until};

/// What `status` counts for a function: jobs, running jobs, workers.
pub(in super::super) type Counts = [u64; 3];

impl Server {
    /// The counts of every function that the server knows.
    pub(in super::super) fn status(&self) -> io::Result<BTreeMap<String, Counts>> {
        Ok(self.table("status\n")?.lines().filter_map(row).collect())
    }

    /// How many connections can do nothing, the one that asks not counted.
    pub(in super::super) fn clients(&self) -> io::Result<usize> {
        Ok(clients(&self.table("workers\n")?))
    }

    fn table(&self, command: &str) -> io::Result<String> {
        let mut stream = self.connect()?;
        stream.write_all(command.as_bytes())?;
        let reply = read_until(stream, |reply| reply == b".\n" || reply.ends_with(b"\n.\n"))?;
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// The counts of one function, which are zero if the server does not know it.
    pub(in super::super) fn counts(&self, function: &str) -> io::Result<Counts> {
        Ok(self.status()?.get(function).copied().unwrap_or_default())
    }
}

/// `FUNCTION TOTAL RUNNING WORKERS`, separated by tabs.
fn row(line: &str) -> Option<(String, Counts)> {
    let mut columns = line.split('\t');
    let function = columns.next()?.to_owned();
    let counts: Vec<u64> = columns.map(|column| column.parse().ok()).collect::<Option<_>>()?;
    Some((function, counts.try_into().ok()?))
}

/// Lines of `NUMBER ADDRESS ID :` behind which no function follows, but for the one who asked.
fn clients(workers: &str) -> usize {
    workers.lines().filter(|line| line.trim_end().ends_with(" :")).count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_no_client() {
        assert_eq!(clients("7 127.0.0.1 - :\n8 ::1 w : f g\n9 ::1 - :\n.\n"), 1);
        assert_eq!(clients("9 ::1 - :\n.\n"), 0);
    }

    #[test]
    fn a_row_of_status_is_read() {
        assert_eq!(row("upper\t3\t1\t2"), Some(("upper".to_owned(), [3, 1, 2])));
        assert_eq!(row("."), None);
        assert_eq!(row("upper\t3\t1"), None);
    }
}
