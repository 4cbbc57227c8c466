//! What can be wrong with a peer's bytes, and the codes in which a server says so.

use thiserror::Error;

/// The code of an ERROR packet: the C library's constants without their prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The packet's magic is not that of a request.
    InvalidMagic,
    /// The packet's type is not one that a server takes.
    InvalidCommand,
    /// The packet's arguments are not those of its type.
    InvalidPacket,
    /// The function's name is not one.
    InvalidFunctionName,
    /// A part of the packet is larger than allowed.
    ArgumentTooLarge,
    /// The job cannot be taken into the queue.
    QueueError,
    /// The option is not known.
    UnknownOption,
    /// The job is not known, or not the sender's.
    JobNotFound,
    /// The server takes no new jobs because it is stopping.
    ShutdownGraceful,
    /// The server, or the peer's address, has as many connections as it may.
    TooManyConnections,
    /// The peer took too long to finish a packet.
    Timeout,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::InvalidMagic,
        Self::InvalidCommand,
        Self::InvalidPacket,
        Self::InvalidFunctionName,
        Self::ArgumentTooLarge,
        Self::QueueError,
        Self::UnknownOption,
        Self::JobNotFound,
        Self::ShutdownGraceful,
        Self::TooManyConnections,
        Self::Timeout,
    ];

    /// The code as it travels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidMagic => "INVALID_MAGIC",
            Self::InvalidCommand => "INVALID_COMMAND",
            Self::InvalidPacket => "INVALID_PACKET",
            Self::InvalidFunctionName => "INVALID_FUNCTION_NAME",
            Self::ArgumentTooLarge => "ARGUMENT_TOO_LARGE",
            Self::QueueError => "QUEUE_ERROR",
            Self::UnknownOption => "UNKNOWN_OPTION",
            Self::JobNotFound => "JOB_NOT_FOUND",
            Self::ShutdownGraceful => "SHUTDOWN_GRACEFUL",
            Self::TooManyConnections => "TOO_MANY_CONNECTIONS",
            Self::Timeout => "TIMEOUT",
        }
    }
}

/// What is wrong with the bytes of a peer.
///
/// After most of these the end of the packet is still known, so the connection can go on; see
/// [`DecodeError::is_fatal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DecodeError {
    /// The bytes begin with NUL but with none of the two magics.
    #[error("bytes {0:02x?} are no magic: the end of this message is not known")]
    BadMagic([u8; 4]),
    /// A text line has passed the limit and its end is not in sight.
    #[error("a text line is longer than {limit} bytes")]
    LineTooLong {
        /// The limit in bytes, line end included.
        limit: usize,
    },
    /// A packet that goes the other way.
    #[error("a packet of type {number} has the other direction's magic")]
    WrongMagic {
        /// The number of its type.
        number: u32,
    },
    /// The type is unknown, unused, or not for this direction.
    #[error("packet type {0} is not expected here")]
    UnexpectedType(u32),
    /// A NUL between two arguments is missing.
    #[error("packet type {number} takes {wanted} arguments, {got} are there")]
    TooFewArguments {
        /// The number of its type.
        number: u32,
        /// How many arguments its type takes.
        wanted: usize,
        /// How many were there.
        got: usize,
    },
    /// A function's name is empty, too long, or has a control character.
    #[error("a function name has 1 to 512 bytes and no control characters")]
    FunctionName,
    /// A unique or a reducer is too long.
    #[error("a unique or a reducer has at most 64 bytes")]
    UniqueTooLarge,
    /// The body is over the limit, or too large to be passed on or answered. One that was announced over the
    /// limit will be skipped.
    #[error("a packet of {size} bytes is over the limit")]
    PacketTooLarge {
        /// The announced size in bytes.
        size: u32,
    },
    /// A number in a response is none (requests carry their numbers as text, which the server judges).
    #[error("an argument of packet type {number} is not a number")]
    NotANumber {
        /// The number of its type.
        number: u32,
    },
}

impl DecodeError {
    /// Whether the end of the message is unknown, so that nothing after it on this connection means anything.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        matches!(self, Self::BadMagic(_) | Self::LineTooLong { .. })
    }

    /// The code and the text of the ERROR packet that tells the peer.
    #[must_use]
    pub const fn as_refusal(self) -> (ErrorCode, &'static str) {
        match self {
            Self::WrongMagic { .. } | Self::BadMagic(_) => {
                (ErrorCode::InvalidMagic, "Request magic expected")
            }
            Self::UnexpectedType(_) => (ErrorCode::InvalidCommand, "Command not expected"),
            Self::TooFewArguments { .. } | Self::NotANumber { .. } => {
                (ErrorCode::InvalidPacket, "Packet has too few arguments")
            }
            Self::FunctionName => (
                ErrorCode::InvalidFunctionName,
                "Function name must be 1 to 512 bytes without control characters",
            ),
            Self::UniqueTooLarge => (ErrorCode::ArgumentTooLarge, "Unique value too large"),
            Self::PacketTooLarge { .. } => (ErrorCode::ArgumentTooLarge, "Packet exceeds the limit"),
            Self::LineTooLong { .. } => (ErrorCode::ArgumentTooLarge, "Text line exceeds the limit"),
        }
    }
}
