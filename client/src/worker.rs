//! Workers: take jobs, do them, tell what came out.

mod backoff;
mod job;
mod session;
mod stop;

pub use backoff::Backoff;
pub use job::{Disconnected, Failure, Job};
pub use stop::Stop;

use crate::{Error, Reach};
use bytes::Bytes;
use gearman_net::Network;
use gearman_protocol::{FunctionName, Grab};
use session::Session;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::sleep;

/// How a job is done.
type Handler = Box<dyn Fn(Job) -> Doing + Send + Sync>;

/// A job being done.
type Doing = Pin<Box<dyn Future<Output = Result<Bytes, Failure>> + Send>>;

/// How a worker deals with its server.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// How the server is reached and watched.
    pub reach: Reach,
    /// How long to wait before connecting anew.
    pub backoff: Backoff,
    /// What the server's `workers` shall call it; nothing if empty.
    pub id: Bytes,
    /// Which packet it grabs with: [`Grab::Uniq`] unless said. [`Grab::All`] tells the reducer as well, and
    /// [`Grab::Plain`] is all that some servers know.
    pub grab: Grab,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { reach: Reach::default(), backoff: Backoff::default(), id: Bytes::new(), grab: Grab::Uniq }
    }
}

/// A worker: one connection, one job at a time.
///
/// ```no_run
/// # async fn example() -> Result<(), gearman_client::Error> {
/// use gearman_client::{Failure, Job, Worker};
/// use gearman_net::Tcp;
///
/// async fn reverse(job: Job) -> Result<Vec<u8>, Failure> {
///     Ok(job.workload().iter().rev().copied().collect())
/// }
///
/// let mut worker = Worker::new(Tcp, "127.0.0.1:4730");
/// worker.register("reverse", reverse)?;
/// worker.run().await;
/// # Ok(())
/// # }
/// ```
pub struct Worker<N> {
    network: N,
    address: String,
    config: WorkerConfig,
    /// In the order of registration.
    abilities: Vec<(FunctionName, Option<Duration>)>,
    handlers: HashMap<FunctionName, Handler>,
    stop: Stop,
}

impl<N: Network> Worker<N> {
    /// A worker with the defaults of [`WorkerConfig`]. It connects when it runs.
    pub fn new(network: N, address: impl Into<String>) -> Self {
        Self::with_config(network, address, WorkerConfig::default())
    }

    /// A worker. It connects when it runs.
    pub fn with_config(network: N, address: impl Into<String>, config: WorkerConfig) -> Self {
        let address = address.into();
        Self { network, address, config, abilities: Vec::new(), handlers: HashMap::new(), stop: Stop::new() }
    }

    /// Says how a function is done, for as long as it takes.
    ///
    /// # Errors
    /// [`Error::Argument`] if the name is none.
    pub fn register<F, R>(&mut self, function: impl Into<Bytes>, handler: F) -> Result<(), Error>
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output: IntoOutcome> + Send + 'static,
    {
        self.add(function.into(), None, handler)
    }

    /// Says how a function is done, and that the server may give a job to another worker when it is not done
    /// within `timeout`. Servers count it in milliseconds and raise what is under a second to one. The handler
    /// is not interrupted; its result comes too late and is refused.
    ///
    /// # Errors
    /// [`Error::Argument`] if the name is none.
    pub fn register_within<F, R>(
        &mut self,
        function: impl Into<Bytes>,
        timeout: Duration,
        handler: F,
    ) -> Result<(), Error>
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output: IntoOutcome> + Send + 'static,
    {
        self.add(function.into(), Some(timeout), handler)
    }

    fn add<F, R>(&mut self, function: Bytes, timeout: Option<Duration>, handler: F) -> Result<(), Error>
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output: IntoOutcome> + Send + 'static,
    {
        let name = FunctionName::new(function).map_err(Error::Argument)?;
        self.abilities.retain(|(known, _)| *known != name);
        self.abilities.push((name.clone(), timeout));
        let boxed = move |job| -> Doing {
            let doing = handler(job);
            Box::pin(async move { doing.await.into_outcome() })
        };
        self.handlers.insert(name, Box::new(boxed));
        Ok(())
    }

    /// A handle by which the worker can be stopped from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// Works until it is stopped. When the connection is lost, or cannot be made, it is made anew after a
    /// while, for ever.
    ///
    /// Dropping the future breaks the connection off; a job at hand is then given to another worker.
    pub async fn run(&self) {
        let mut failures = 0;
        while !self.stop.is_requested() {
            match self.run_connection().await {
                Ok(()) => return,
                Err((error, has_worked)) => {
                    failures = if has_worked { 0 } else { failures + 1 };
                    let delay = self.config.backoff.delay(failures);
                    tracing::info!("{}: {error}; connecting anew in {} ms", self.address, delay.as_millis());
                    tokio::select! {
                        biased;
                        () = self.stop.requested() => return,
                        () = sleep(delay) => {}
                    }
                }
            }
        }
    }

    /// Works over one connection until it is stopped.
    ///
    /// # Errors
    /// What ended the connection.
    pub async fn run_once(&self) -> Result<(), Error> {
        self.run_connection().await.map_err(|(error, _)| error)
    }

    /// Works over one connection; an error comes with whether the server had answered a grab before.
    async fn run_connection(&self) -> Result<(), (Error, bool)> {
        let mut session = match Session::open(self).await {
            Ok(session) => session,
            Err(error) => return Err((error, false)),
        };
        match session.work().await {
            Ok(()) => {
                session.close().await;
                Ok(())
            }
            Err(error) => Err((error, session.has_worked())),
        }
    }
}

/// What a handler may end with.
pub trait IntoOutcome {
    /// The result, or how it failed.
    ///
    /// # Errors
    /// How it failed.
    fn into_outcome(self) -> Result<Bytes, Failure>;
}

impl<R: Into<Bytes>> IntoOutcome for Result<R, Failure> {
    fn into_outcome(self) -> Result<Bytes, Failure> {
        self.map(Into::into)
    }
}
