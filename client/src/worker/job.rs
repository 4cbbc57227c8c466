//! A job in a worker's hands.

use crate::link::check_size;
use bytes::Bytes;
use gearman_protocol::{Assignment, FunctionName, Handle, Reducer, Report, Unique};
use std::error::Error;
use std::fmt;
use tokio::sync::mpsc;

/// A job that was assigned to this worker, and the way to report on it while it is done.
#[derive(Debug)]
pub struct Job {
    assignment: Assignment,
    reports: mpsc::Sender<Report>,
}

/// The connection was lost, or the report would not fit a packet: the server will not hear it. It gives the job
/// to another worker, so this one may as well stop doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server can no longer be told about this job")]
pub struct Disconnected;

/// How a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Just failed: WORK_FAIL.
    Fail,
    /// Failed, and why: WORK_EXCEPTION. Clients that did not ask for exceptions hear only that it failed.
    Exception(Bytes),
}

/// Every error can end a job: its text becomes the exception.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Exception(Bytes::from(error.to_string()))
    }
}

impl Job {
    pub(super) const fn new(assignment: Assignment, reports: mpsc::Sender<Report>) -> Self {
        Self { assignment, reports }
    }

    /// The server's name for it.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.assignment.handle
    }

    /// What shall be done.
    #[must_use]
    pub const fn function(&self) -> &FunctionName {
        &self.assignment.function
    }

    /// The client's key; empty if there is none, or the worker grabs without it.
    #[must_use]
    pub const fn unique(&self) -> &Unique {
        &self.assignment.unique
    }

    /// The reducer; empty if there is none, or the worker grabs without it.
    #[must_use]
    pub const fn reducer(&self) -> &Reducer {
        &self.assignment.reducer
    }

    /// What to work on.
    #[must_use]
    pub const fn workload(&self) -> &Bytes {
        &self.assignment.workload
    }

    /// Sends part of the result.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn data(&self, data: impl Into<Bytes>) -> Result<(), Disconnected> {
        self.report(Report::Data(data.into())).await
    }

    /// Sends a warning.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn warning(&self, text: impl Into<Bytes>) -> Result<(), Disconnected> {
        self.report(Report::Warning(text.into())).await
    }

    /// Tells how far the job has come.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn status(&self, numerator: u32, denominator: u32) -> Result<(), Disconnected> {
        let text = |number: u32| Bytes::from(number.to_string());
        self.report(Report::Status { numerator: text(numerator), denominator: text(denominator) }).await
    }

    /// Waits while so much is on its way to the server that no more should be added.
    async fn report(&self, report: Report) -> Result<(), Disconnected> {
        if let Report::Data(bytes) | Report::Warning(bytes) = &report {
            check_size(bytes).map_err(|_| Disconnected)?;
        }
        self.reports.send(report).await.map_err(|_| Disconnected)
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.assignment.handle, self.assignment.function)
    }
}
