//! A job on its way to the server.

use super::calls::Awaited;
use super::{Client, Watcher, within};
use crate::Error;
use crate::link::check_size;
use bytes::Bytes;
use gearman_protocol::{FunctionName, Handle, Mode, Priority, Request, Submit, Unique};
use tokio::sync::mpsc;

/// A job that is described and not yet submitted.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is told how: `run`, `submit` or `background`"]
pub struct Submission<'a> {
    client: &'a Client,
    function: Bytes,
    unique: Bytes,
    priority: Priority,
    workload: Bytes,
}

impl<'a> Submission<'a> {
    pub(super) const fn new(client: &'a Client, function: Bytes, workload: Bytes) -> Self {
        Self { client, function, unique: Bytes::new(), priority: Priority::Normal, workload }
    }

    /// The client's own key, up to 64 bytes: a submit joins a live job of the same function with the same key.
    /// `-` stands for the workload itself.
    pub fn unique(mut self, unique: impl Into<Bytes>) -> Self {
        self.unique = unique.into();
        self
    }

    /// How urgent it is; [`Priority::Normal`] unless said.
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Submits in the background: the job runs whether or not anybody waits. The handle is given once the
    /// server has taken it.
    ///
    /// # Errors
    /// Those of every call; [`Error::Argument`] if the description does not fit a packet; [`Error::Refused`].
    pub async fn background(self) -> Result<Handle, Error> {
        let (client, submit) = (self.client, self.describe(Mode::Background)?);
        client.call(Request::Submit(submit), Awaited::Background).await
    }

    /// Submits in the foreground. The watcher is given once the server has taken the job, and hears everything
    /// about it from there on.
    ///
    /// # Errors
    /// As [`Submission::background`].
    pub async fn submit(self) -> Result<Watcher, Error> {
        let (client, submit) = (self.client, self.describe(Mode::Foreground)?);
        within(client.deadline, foreground(client, submit)).await
    }

    /// Submits in the foreground and waits for the result, data that was sent on the way included. A deadline
    /// of the client is for the whole of it.
    ///
    /// # Errors
    /// As [`Submission::background`], and [`Error::Failed`] or [`Error::Exception`] as the job ended.
    pub async fn run(self) -> Result<Bytes, Error> {
        let (client, submit) = (self.client, self.describe(Mode::Foreground)?);
        let whole = async { foreground(client, submit).await?.result().await };
        within(client.deadline, whole).await
    }

    fn describe(self, mode: Mode) -> Result<Submit, Error> {
        check_size(&self.workload).map_err(Error::Argument)?;
        Ok(Submit {
            function: FunctionName::new(self.function).map_err(Error::Argument)?,
            unique: Unique::new(self.unique).map_err(Error::Argument)?,
            priority: self.priority,
            mode,
            reducer: None,
            workload: self.workload,
        })
    }
}

async fn foreground(client: &Client, submit: Submit) -> Result<Watcher, Error> {
    let (watcher, reports) = mpsc::unbounded_channel();
    let awaited = |reply| Awaited::Foreground(watcher, reply);
    let handle = client.line.call(Request::Submit(submit), awaited).await?;
    Ok(Watcher::new(client.line.clone(), handle, reports))
}
