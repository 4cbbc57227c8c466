//! One attached foreground submit.

use super::Line;
use crate::Error;
use bytes::{Bytes, BytesMut};
use gearman_protocol::{Handle, Report};
use tokio::sync::mpsc;

/// Hears everything about a job that was submitted in the foreground.
///
/// Reports that come before they are asked for are kept, without limit. Dropping the watcher does not take the
/// submit back: the protocol has no word for that, short of ending the connection.
#[derive(Debug)]
pub struct Watcher {
    line: Line,
    handle: Handle,
    reports: mpsc::UnboundedReceiver<Report>,
    has_ended: bool,
}

impl Watcher {
    pub(super) const fn new(line: Line, handle: Handle, reports: mpsc::UnboundedReceiver<Report>) -> Self {
        Self { line, handle, reports, has_ended: false }
    }

    /// The server's name for the job.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The next report on the job; `None` after the one that ended it. Dropping the future loses no report.
    ///
    /// # Errors
    /// [`Error::Lost`] if the connection ended before the job did.
    pub async fn next(&mut self) -> Result<Option<Report>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        let report = self.reports.recv().await.ok_or_else(|| self.line.lost())?;
        self.has_ended = report.is_terminal();
        Ok(Some(report))
    }

    /// Waits for the end and gives the result: all data in the order it came, then what the job ended with.
    /// Warnings and status are passed over.
    ///
    /// # Errors
    /// [`Error::Failed`] and [`Error::Exception`] as the job ended, [`Error::Lost`] if it did not.
    pub async fn result(mut self) -> Result<Bytes, Error> {
        let mut gathered = BytesMut::new();
        loop {
            match self.next().await? {
                Some(Report::Data(data)) => gathered.extend_from_slice(&data),
                Some(Report::Complete(rest)) if gathered.is_empty() => return Ok(rest),
                Some(Report::Complete(rest)) => {
                    gathered.extend_from_slice(&rest);
                    return Ok(gathered.freeze());
                }
                Some(Report::Exception(data)) => return Err(Error::Exception(data)),
                Some(Report::Fail) | None => return Err(Error::Failed),
                Some(Report::Warning(_) | Report::Status { .. }) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_result_in_one_piece_is_not_copied() {
        let line = Line { calls: mpsc::channel(1).0, loss: Arc::default() };
        let (reporting, reports) = mpsc::unbounded_channel();
        let watcher = Watcher::new(line, Handle::new("H:1"), reports);
        let result = Bytes::from(vec![7; 100]);
        reporting.send(Report::Complete(result.clone())).unwrap();
        assert_eq!(watcher.result().await.unwrap().as_ptr(), result.as_ptr());
    }
}
