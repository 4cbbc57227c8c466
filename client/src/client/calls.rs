//! What is asked on a connection, and what is to come back.

use super::driver::Watchers;
use crate::Error;
use bytes::Bytes;
use gearman_protocol::{Handle, JobStatus, Report, Request, Response, UniqueStatus};
use tokio::sync::{mpsc, oneshot};

/// Where a call hears its answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A request, and what is to come back.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) awaited: Awaited,
}

/// What is to come back for a request, and to whom.
#[derive(Debug)]
pub(super) enum Awaited {
    /// JOB_CREATED, and nothing more.
    Background(Reply<Handle>),
    /// JOB_CREATED, and then reports for a watcher.
    Foreground(mpsc::UnboundedSender<Report>, Reply<Handle>),
    /// STATUS_RES for this handle.
    Status(Handle, Reply<JobStatus>),
    /// STATUS_RES_UNIQUE.
    StatusUnique(Reply<UniqueStatus>),
    /// ECHO_RES with these bytes.
    Echo(Bytes, Reply<Bytes>),
    /// OPTION_RES.
    Option(Reply<()>),
}

impl Awaited {
    /// Whether a response is what is awaited.
    pub(super) fn is(&self, response: &Response) -> bool {
        match (self, response) {
            (Self::Background(_) | Self::Foreground(..), Response::JobCreated { .. })
            | (Self::StatusUnique(_), Response::StatusUnique(_))
            | (Self::Option(_), Response::Option { .. }) => true,
            (Self::Status(handle, _), Response::Status(status)) => *handle == status.handle,
            (Self::Echo(sent, _), Response::Echo { data }) => sent == data,
            _ => false,
        }
    }

    /// Whether the caller has left.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Background(reply) | Self::Foreground(_, reply) => reply.is_closed(),
            Self::Status(_, reply) => reply.is_closed(),
            Self::StatusUnique(reply) => reply.is_closed(),
            Self::Echo(_, reply) => reply.is_closed(),
            Self::Option(reply) => reply.is_closed(),
        }
    }

    /// Answers the call with the response that was awaited. A caller that has left meanwhile misses it, but the
    /// watcher takes its turns all the same.
    pub(super) fn answer(self, response: Response, watchers: &mut Watchers) {
        match (self, response) {
            (Self::Background(reply), Response::JobCreated { handle }) => give(reply, Ok(handle)),
            (Self::Foreground(watcher, reply), Response::JobCreated { handle }) => {
                watchers.attach(handle.clone(), watcher);
                give(reply, Ok(handle));
            }
            (Self::Status(_, reply), Response::Status(status)) => give(reply, Ok(status)),
            (Self::StatusUnique(reply), Response::StatusUnique(status)) => give(reply, Ok(status)),
            (Self::Echo(_, reply), Response::Echo { data }) => give(reply, Ok(data)),
            (Self::Option(reply), Response::Option { .. }) => give(reply, Ok(())),
            (awaited, _) => awaited.fail(Error::Unanswered),
        }
    }

    pub(super) fn fail(self, error: Error) {
        match self {
            Self::Background(reply) | Self::Foreground(_, reply) => give(reply, Err(error)),
            Self::Status(_, reply) => give(reply, Err(error)),
            Self::StatusUnique(reply) => give(reply, Err(error)),
            Self::Echo(_, reply) => give(reply, Err(error)),
            Self::Option(reply) => give(reply, Err(error)),
        }
    }
}

fn give<T>(reply: Reply<T>, answer: Result<T, Error>) {
    // It fails when the caller has left.
    let _ = reply.send(answer);
}
