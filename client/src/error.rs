//! What can go wrong, by who is to blame.

use bytes::Bytes;
use gearman_protocol::DecodeError;
use std::io;
use thiserror::Error;

/// Why a call has no good answer.
#[derive(Debug, Error)]
pub enum Error {
    /// The server cannot be reached.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The connection ended before the answer came. Whether the request had an effect is not known.
    #[error("the connection was lost: {0}")]
    Lost(#[from] Loss),
    /// The deadline passed before the answer came. Whether the request had or will have an effect is not known.
    #[error("there was no answer within the deadline")]
    Deadline,
    /// The server answered a later request and not this one.
    #[error("the server left this request unanswered")]
    Unanswered,
    /// The server said no.
    #[error("the server refused: {}: {}", .code.escape_ascii(), .text.escape_ascii())]
    Refused {
        /// For programs, such as `QUEUE_ERROR`.
        code: Bytes,
        /// For people.
        text: Bytes,
    },
    /// The request cannot be put into a packet; nothing was sent.
    #[error("this cannot be asked: {0}")]
    Argument(DecodeError),
    /// The job ended with WORK_FAIL.
    #[error("the job failed")]
    Failed,
    /// The job ended with WORK_EXCEPTION.
    #[error("the job failed: {}", .0.escape_ascii())]
    Exception(Bytes),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Loss {
    /// The server closed it.
    #[error("the server closed it")]
    Closed,
    /// The system says that it is broken.
    #[error("{0}")]
    Broken(io::ErrorKind),
    /// The server sent something that is no response.
    #[error("the server sent something that cannot be understood: {0}")]
    Malformed(DecodeError),
}

impl From<&io::Error> for Loss {
    fn from(error: &io::Error) -> Self {
        Self::Broken(error.kind())
    }
}
