//! The Gearman wire protocol: what do the bytes mean?
//!
//! Bytes become [`Frame`]s in a [`Decoder`], and frames become typed [`Request`]s or [`Response`]s; the
//! typed values are written into an [`Outward`] buffer. Everything is derived from one table of packet
//! types ([`PacketType`]). The crate does no I/O and reads no clock.
//!
//! ```
//! use bytes::Bytes;
//! use gearman_protocol::{Decoder, Frame, Limits, Outward, Request};
//!
//! let mut wire = Outward::new();
//! Request::Echo { data: Bytes::from_static(b"hello") }.encode(&mut wire);
//!
//! let bytes = wire.to_vec();
//! let mut decoder = Decoder::new(Limits::default());
//! let mut input = &bytes[..];
//! let Ok(Some(frame)) = decoder.decode(&mut input) else { panic!("a whole packet was there") };
//! assert_eq!(Request::parse(frame), Ok(Request::Echo { data: Bytes::from_static(b"hello") }));
//! ```

mod admin;
mod arguments;
mod body;
mod decoder;
mod error;
mod frame;
mod gathered;
mod listing;
mod names;
mod outward;
mod request;
mod response;
mod table;
mod time;

pub use admin::{
    AdminError, AdminReply, AdminRequest, FunctionStatus, JobListing, PriorityStatus, QueueLimits,
    WorkerListing,
};
pub use arguments::split_arguments;
pub use decoder::{Decoder, Limits};
pub use error::{DecodeError, ErrorCode};
pub use frame::{Frame, HEADER_LENGTH, Magic, Packet};
pub use names::{FunctionName, Handle, MAX_FUNCTION_NAME, MAX_HANDLE, MAX_UNIQUE, Reducer, Unique};
pub use outward::Outward;
pub use request::{Grab, JobTimeout, Mode, Priority, Report, Request, Submit};
pub use response::{Assignment, JobStatus, Response, UniqueStatus};
pub use table::{Direction, PacketType};
pub use time::{Time, UnixMillis};
