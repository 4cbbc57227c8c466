//! What the server declines although the packet is good.

use crate::Refused;
use gearman_protocol::{ErrorCode, Response};

/// Legal, and declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The function has as many jobs as its limit allows.
    QueueFull,
    /// Workloads, buffers and tables take as much memory as they may.
    MemoryLimit,
    /// The store could not keep the job.
    NotStored,
    /// The worker has registered as many functions as it may.
    TooManyFunctions,
    /// There are as many connections as there may be.
    TooManyConnections,
    /// The peer's address has as many connections as it may.
    TooManyFromAddress,
    /// A message was begun and not finished in time.
    PacketTimeout,
    /// The job could be taken but never be handed out in one packet.
    TooLargeToAssign,
    /// No new jobs before the end.
    Draining,
    /// There is no such option.
    UnknownOption,
    /// WORK_DATA or WORK_WARNING for a job that the sender does not hold.
    DataForNoJob,
    /// WORK_STATUS, WORK_COMPLETE or WORK_FAIL for a job that the sender does not hold.
    ResultForNoJob,
    /// WORK_EXCEPTION for a job that the sender does not hold.
    ExceptionForNoJob,
    /// WORK_FAIL with a handle that no server gives out.
    HandleTooLong,
}

impl Refusal {
    /// The ERROR packet that says so, in the words that clients have known for years.
    pub(crate) const fn response(self) -> Response {
        let (code, text) = match self {
            Self::QueueFull => (ErrorCode::QueueError, "Job queue is full"),
            Self::MemoryLimit => (ErrorCode::QueueError, "Memory limit reached"),
            Self::NotStored => (ErrorCode::QueueError, "QUEUE_ERROR"),
            Self::TooManyFunctions => (ErrorCode::ArgumentTooLarge, "Too many functions on this connection"),
            Self::TooManyConnections => (ErrorCode::TooManyConnections, "Too many connections"),
            Self::TooManyFromAddress => {
                (ErrorCode::TooManyConnections, "Too many connections from this address")
            }
            Self::PacketTimeout => (ErrorCode::Timeout, "Packet was not finished in time"),
            Self::TooLargeToAssign => (ErrorCode::ArgumentTooLarge, "Packet exceeds the limit"),
            Self::Draining => (ErrorCode::ShutdownGraceful, "Server is shutting down"),
            Self::UnknownOption => (ErrorCode::UnknownOption, "Server does not recognize given option"),
            Self::DataForNoJob => (ErrorCode::JobNotFound, "Job does not exist on server"),
            Self::ResultForNoJob => (ErrorCode::JobNotFound, "Job given in work result not found"),
            Self::ExceptionForNoJob => {
                (ErrorCode::JobNotFound, "An exception was received for a job that does not exist")
            }
            Self::HandleTooLong => (
                ErrorCode::ArgumentTooLarge,
                "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf",
            ),
        };
        Response::error(code, text)
    }

    /// What it counts as.
    pub(crate) const fn counts_as(self) -> Refused {
        match self {
            Self::QueueFull => Refused::QueueLimit,
            Self::MemoryLimit => Refused::MemoryLimit,
            Self::NotStored => Refused::Store,
            Self::TooManyFunctions => Refused::FunctionsPerConnection,
            Self::TooManyConnections => Refused::MaxConnections,
            Self::TooManyFromAddress => Refused::ConnectionsPerAddress,
            Self::PacketTimeout => Refused::PacketTimeout,
            Self::TooLargeToAssign => Refused::MaxPacketSize,
            Self::Draining => Refused::Draining,
            Self::UnknownOption | Self::HandleTooLong => Refused::Malformed,
            Self::DataForNoJob | Self::ResultForNoJob | Self::ExceptionForNoJob => Refused::JobNotFound,
        }
    }
}
