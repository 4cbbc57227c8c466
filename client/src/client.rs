//! Clients: submit jobs, hear of them, ask about them.

mod calls;
mod driver;
mod submission;
mod watcher;

pub use submission::Submission;
pub use watcher::Watcher;

use crate::link::Link;
use crate::{Error, Loss, Reach};
use bytes::Bytes;
use calls::{Awaited, Call, Reply};
use driver::Driver;
use gearman_net::Network;
use gearman_net::sync::spawn;
use gearman_protocol::{Handle, JobStatus, Request, UniqueStatus};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How many calls may wait for the connection's task before callers wait themselves.
const WAITING_CALLS: usize = 64;

/// A connection to a job server, as a client.
///
/// Clones share the connection, and any number of calls may be under way: requests are written in the order of
/// the calls and answered in that order. A task of its own carries them; when the last clone and the last
/// [`Watcher`] are dropped, it says goodbye and ends.
///
/// **Dropping the future of a call is safe**: a call that was not yet written is never written, and the answer
/// to one that was is thrown away when it comes. Whether such a request had an effect is then not known.
///
/// When the connection is lost, every call says so and keeps saying so: connect anew.
///
/// ```no_run
/// # async fn example() -> Result<(), gearman_client::Error> {
/// use gearman_client::Client;
/// use gearman_net::Tcp;
///
/// let client = Client::connect(&Tcp, "127.0.0.1:4730").await?;
/// let result = client.job("reverse", "hello").run().await?;
/// assert_eq!(result, "olleh");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    line: Line,
    deadline: Option<Duration>,
}

/// The way to the task that carries the calls of one connection.
#[derive(Clone, Debug)]
struct Line {
    calls: mpsc::Sender<Call>,
    loss: Arc<OnceLock<Loss>>,
}

impl Client {
    /// Connects, with the defaults of [`Reach`].
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect<N: Network>(network: &N, address: &str) -> Result<Self, Error> {
        Self::connect_with(network, address, &Reach::default()).await
    }

    /// Connects. It must be called within a tokio runtime, on which the connection's task then runs.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect_with<N: Network>(network: &N, address: &str, reach: &Reach) -> Result<Self, Error> {
        let link = Link::open(network, address, reach).await?;
        let (calls, heard) = mpsc::channel(WAITING_CALLS);
        let loss = Arc::new(OnceLock::new());
        spawn(Driver::new(link, heard).run(Arc::clone(&loss)));
        Ok(Self { line: Line { calls, loss }, deadline: None })
    }

    /// The same connection, on which each call must be answered within `deadline`; without one, calls wait for
    /// as long as it takes. What a call waits for is the server's answer; only [`Submission::run`] waits for
    /// the end of the job as well.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// Prepares a job; nothing is sent before it is told how.
    pub fn job(&self, function: impl Into<Bytes>, workload: impl Into<Bytes>) -> Submission<'_> {
        Submission::new(self, function.into(), workload.into())
    }

    /// What the server knows of a job by its handle.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn status(&self, handle: &Handle) -> Result<JobStatus, Error> {
        let request = Request::GetStatus { handle: handle.clone() };
        self.call(request, |reply| Awaited::Status(handle.clone(), reply)).await
    }

    /// What the server knows of a job by its unique. Of several functions with such a job, the server chooses.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn status_by_unique(&self, unique: impl Into<Bytes>) -> Result<UniqueStatus, Error> {
        self.call(Request::GetStatusUnique { unique: unique.into() }, Awaited::StatusUnique).await
    }

    /// Sends bytes there and back.
    ///
    /// # Errors
    /// Those of every call; [`Error::Argument`] if the bytes do not fit a packet.
    pub async fn echo(&self, data: impl Into<Bytes>) -> Result<Bytes, Error> {
        let data = data.into();
        crate::link::check_size(&data).map_err(Error::Argument)?;
        self.call(Request::Echo { data: data.clone() }, |reply| Awaited::Echo(data, reply)).await
    }

    /// Switches an option on for this connection. There is one, `exceptions`: with it a job that fails with
    /// an exception says so, without it the job just fails.
    ///
    /// # Errors
    /// Those of every call; [`Error::Refused`] if the server does not know the option.
    pub async fn option(&self, name: impl Into<Bytes>) -> Result<(), Error> {
        self.call(Request::Option { name: name.into() }, Awaited::Option).await
    }

    /// Sends a request and waits for its answer.
    async fn call<T>(&self, request: Request, awaited: impl FnOnce(Reply<T>) -> Awaited) -> Result<T, Error> {
        within(self.deadline, self.line.call(request, awaited)).await
    }
}

impl Line {
    async fn call<T>(&self, request: Request, awaited: impl FnOnce(Reply<T>) -> Awaited) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        // Both channels end with the driver, and the driver ends with the connection.
        self.calls.send(Call { request, awaited: awaited(reply) }).await.map_err(|_| self.lost())?;
        answer.await.unwrap_or_else(|_| Err(self.lost()))
    }

    fn lost(&self) -> Error {
        Error::Lost(self.loss.get().copied().unwrap_or(Loss::Closed))
    }
}

async fn within<T>(
    deadline: Option<Duration>,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match deadline {
        Some(deadline) => timeout(deadline, call).await.unwrap_or(Err(Error::Deadline)),
        None => call.await,
    }
}
