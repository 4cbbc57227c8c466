//! A worker on one connection.
//!
//! ```text
//!            NO_JOB                      NOOP
//! Grabbing ----------> asleep ----------------------+
//!  ^  |  <------------------------------------------+
//!  |  | JOB_ASSIGN*
//!  |  v
//! Doing the job; its result and the next grab go out together
//! ```
//!
//! A NOOP that comes at any other time was for a sleep that is over and means nothing. None can be missed: the
//! server answers PRE_SLEEP with NOOP at once when a job came after its NO_JOB.

use super::{Failure, Job, Worker};
use crate::Error;
use crate::link::{Link, check_size};
use bytes::Bytes;
use gearman_net::Network;
use gearman_protocol::{Assignment, Handle, JobTimeout, Report, Request, Response};
use std::collections::VecDeque;
use std::future::poll_fn;
use tokio::sync::mpsc;

/// How many reports may wait before the handler waits itself.
const WAITING_REPORTS: usize = 16;

pub(super) struct Session<'a, N: Network> {
    worker: &'a Worker<N>,
    link: Link<N::Stream>,
    has_worked: bool,
    /// Jobs that came without a grab: the server counts them as this worker's, so they are done all the same.
    unasked: VecDeque<Assignment>,
}

impl<'a, N: Network> Session<'a, N> {
    /// Connects and says what the worker can do.
    pub(super) async fn open(worker: &'a Worker<N>) -> Result<Self, Error> {
        let mut link = Link::open(&worker.network, &worker.address, &worker.config.reach).await?;
        if !worker.config.id.is_empty() {
            link.send(&Request::SetClientId { id: worker.config.id.clone() });
        }
        for (function, timeout) in &worker.abilities {
            let timeout = timeout.map(|timeout| JobTimeout(timeout.as_millis().to_string().into()));
            link.send(&Request::CanDo { function: function.clone(), timeout });
        }
        Ok(Self { worker, link, has_worked: false, unasked: VecDeque::new() })
    }

    /// Whether the server has answered a grab.
    pub(super) const fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// Does jobs until the worker is stopped.
    pub(super) async fn work(&mut self) -> Result<(), Error> {
        while !self.worker.stop.is_requested() {
            let next = match self.unasked.pop_front() {
                Some(assignment) => Some(assignment),
                None => self.grab().await?,
            };
            match next {
                Some(assignment) => self.carry_out(assignment).await?,
                None => self.sleep().await?,
            }
        }
        Ok(())
    }

    /// Says goodbye; results that wait are written.
    pub(super) async fn close(self) {
        self.link.close().await;
    }

    async fn grab(&mut self) -> Result<Option<Assignment>, Error> {
        self.link.send(&Request::Grab(self.worker.config.grab));
        let answer = loop {
            let response = self.link.next().await?;
            if let Response::JobAssign(assignment) = response {
                break Some(assignment);
            } else if response == Response::NoJob {
                break None;
            } else if let Response::Error { code, text } = response {
                if !is_about_a_report(&code) {
                    return Err(Error::Refused { code, text });
                }
                tracing::debug!("a report was not taken: {}", text.escape_ascii());
            }
        };
        self.has_worked = true;
        Ok(answer)
    }

    /// Sleeps until the server wakes it or somebody stops it.
    async fn sleep(&mut self) -> Result<(), Error> {
        self.link.send(&Request::PreSleep);
        loop {
            tokio::select! {
                biased;
                () = self.worker.stop.requested() => return Ok(()),
                response = self.link.next() => {
                    let response = response?;
                    if let Response::JobAssign(assignment) = response {
                        self.unasked.push_back(assignment);
                        return Ok(());
                    }
                    if response == Response::Noop {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, assignment: Assignment) -> Result<(), Error> {
        let handle = assignment.handle.clone();
        let last = match self.worker.handlers.get(&assignment.function) {
            Some(handler) => {
                let (reports, reported) = mpsc::channel(WAITING_REPORTS);
                let doing = handler(Job::new(assignment, reports));
                self.watch(&handle, doing, reported).await?
            }
            // A server that assigns what nobody asked for: another worker may know what to do.
            None => Report::Fail,
        };
        self.link.send(&Request::Work { handle, report: last });
        Ok(())
    }

    /// Passes reports on while the job is done; gives the one that ends it.
    ///
    /// A handler is never dropped halfway: when the connection is lost it is told so and runs to its end.
    async fn watch(
        &mut self,
        handle: &Handle,
        mut doing: super::Doing,
        mut reported: mpsc::Receiver<Report>,
    ) -> Result<Report, Error> {
        let mut loss = None;
        let outcome = loop {
            let may_report = loss.is_none() && !self.link.is_full();
            tokio::select! {
                biased;
                Some(report) = reported.recv(), if may_report => self.report(handle, report),
                outcome = &mut doing => break outcome,
                // Whatever else the server says meanwhile is not about the next job.
                response = poll_fn(|cx| self.link.poll_next_or_room(cx)), if loss.is_none() => match response {
                    Ok(Some(Response::JobAssign(assignment))) => self.unasked.push_back(assignment),
                    Ok(_) => {}
                    Err(reason) => {
                        loss = Some(reason);
                        reported.close();
                    }
                },
            }
        };
        if let Some(loss) = loss {
            return Err(loss.into());
        }
        while let Ok(report) = reported.try_recv() {
            self.report(handle, report);
        }
        Ok(last_report(outcome))
    }

    fn report(&mut self, handle: &Handle, report: Report) {
        self.link.send(&Request::Work { handle: handle.clone(), report });
    }
}

/// Whether an ERROR that comes in place of an answer to a grab is about an earlier report, so that the answer
/// is still to come.
fn is_about_a_report(code: &[u8]) -> bool {
    matches!(code, b"JOB_NOT_FOUND" | b"not_worker")
}

fn last_report(outcome: Result<Bytes, Failure>) -> Report {
    let fits = |bytes: &Bytes| check_size(bytes).is_ok();
    match outcome {
        Ok(result) if fits(&result) => Report::Complete(result),
        Err(Failure::Exception(data)) if fits(&data) => Report::Exception(data),
        Err(Failure::Fail) => Report::Fail,
        Ok(_) | Err(Failure::Exception(_)) => {
            Report::Exception(Bytes::from_static(b"what came out does not fit a packet"))
        }
    }
}
