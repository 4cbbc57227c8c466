//! The text command `status`, as the runner asks it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Server, read_until};

/// What `status` counts for a function: jobs, running jobs, workers.
pub(in super::super) type Counts = [u64; 3];

impl Server {
    /// The counts of every function that the server knows.
    pub(in super::super) fn status(&self) -> io::Result<BTreeMap<String, Counts>> {
        let mut stream = self.connect()?;
        stream.write_all(b"status\n")?;
        let reply = read_until(stream, |reply| reply == b".\n" || reply.ends_with(b"\n.\n"))?;
        Ok(String::from_utf8_lossy(&reply).lines().filter_map(row).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_status_is_read() {
        assert_eq!(row("upper\t3\t1\t2"), Some(("upper".to_owned(), [3, 1, 2])));
        assert_eq!(row("."), None);
        assert_eq!(row("upper\t3\t1"), None);
    }
}
