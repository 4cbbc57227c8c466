//! What a server says to its peers.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each match takes its few packet types out of the table; all others are refused alike"
)]

use crate::admin::AdminReply;
use crate::error::{DecodeError, ErrorCode};
use crate::frame::{Frame, Magic, Packet};
use crate::names::{FunctionName, Handle, Reducer, Unique};
use crate::outward::Outward;
use crate::request::{Arguments, Grab, Report};
use crate::table::{Direction, PacketType};
use bytes::Bytes;

/// A job for a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The job's name.
    pub handle: Handle,
    /// What shall be done.
    pub function: FunctionName,
    /// The client's key; left out of the packet for [`Grab::Plain`].
    pub unique: Unique,
    /// The reducer; only [`Grab::All`] carries it.
    pub reducer: Reducer,
    /// What to work on.
    pub workload: Bytes,
    /// Which of the three packets carries it.
    pub form: Grab,
}

/// What a server knows of a job by its handle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobStatus {
    /// The handle that was asked about.
    pub handle: Handle,
    /// Whether the job is live.
    pub known: bool,
    /// Whether a worker holds it.
    pub running: bool,
    /// Above the line, 0 until a worker reports.
    pub numerator: u32,
    /// Below the line, 0 until a worker reports.
    pub denominator: u32,
}

/// What a server knows of a job by its unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UniqueStatus {
    /// The unique that was asked about.
    pub unique: Bytes,
    /// Whether the job is live.
    pub known: bool,
    /// Whether a worker holds it.
    pub running: bool,
    /// Above the line, 0 until a worker reports.
    pub numerator: u32,
    /// Below the line, 0 until a worker reports.
    pub denominator: u32,
    /// How many watchers the job has.
    pub watchers: u32,
}

/// A response to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// JOB_CREATED.
    JobCreated {
        /// The job's name.
        handle: Handle,
    },
    /// NOOP.
    Noop,
    /// NO_JOB.
    NoJob,
    /// The three forms of JOB_ASSIGN.
    JobAssign(Assignment),
    /// The six reports of a worker, passed on to a watcher.
    Work {
        /// Of which job.
        handle: Handle,
        /// What the worker said.
        report: Report,
    },
    /// STATUS_RES.
    Status(JobStatus),
    /// STATUS_RES_UNIQUE.
    StatusUnique(UniqueStatus),
    /// ECHO_RES.
    Echo {
        /// What was sent.
        data: Bytes,
    },
    /// OPTION_RES.
    Option {
        /// The option's name, as it was sent.
        name: Bytes,
    },
    /// ERROR.
    Error {
        /// For programs.
        code: Bytes,
        /// For people.
        text: Bytes,
    },
    /// The answer to a command of the text protocol; on a client's side one line of it.
    Admin(AdminReply),
}

impl Response {
    /// The ERROR packet with this code and text.
    #[must_use]
    pub const fn error(code: ErrorCode, text: &'static str) -> Self {
        Self::Error {
            code: Bytes::from_static(code.as_str().as_bytes()),
            text: Bytes::from_static(text.as_bytes()),
        }
    }

    /// What a frame from a server says. A text line becomes [`AdminReply::Line`].
    ///
    /// # Errors
    /// Never fatal: where the frame ends is known.
    pub fn parse(frame: Frame) -> Result<Self, DecodeError> {
        match frame {
            Frame::Line(line) => Ok(Self::Admin(AdminReply::Line(line))),
            Frame::Oversized { size, .. } => Err(DecodeError::PacketTooLarge { size }),
            Frame::Packet(packet) => Self::parse_packet(packet),
        }
    }

    fn parse_packet(packet: Packet) -> Result<Self, DecodeError> {
        let Packet { magic, number, body } = packet;
        if magic != Magic::Response {
            return Err(DecodeError::WrongMagic { number });
        }
        let unexpected = DecodeError::UnexpectedType(number);
        let packet_type = PacketType::from_number(number).ok_or(unexpected)?;
        match packet_type.direction() {
            Direction::Response => Self::parse_body(packet_type, body),
            Direction::Both => {
                let (handle, report) = Report::parse(packet_type, body).unwrap_or(Err(unexpected))?;
                Ok(Self::Work { handle, report })
            }
            Direction::Request | Direction::Unused => Err(unexpected),
        }
    }

    fn parse_body(packet_type: PacketType, body: Bytes) -> Result<Self, DecodeError> {
        use PacketType as P;
        let number = packet_type.number();
        let response = match packet_type {
            P::JobCreated => Self::JobCreated { handle: Handle::new(body) },
            P::Noop => Self::Noop,
            P::NoJob => Self::NoJob,
            P::EchoRes => Self::Echo { data: body },
            P::OptionRes => Self::Option { name: body },
            P::Error => {
                let mut arguments = Arguments::new(packet_type, body);
                Self::Error { code: arguments.next()?, text: arguments.rest() }
            }
            P::StatusRes => {
                let mut arguments = Arguments::new(packet_type, body);
                Self::Status(JobStatus {
                    handle: Handle::new(arguments.next()?),
                    known: flag(number, &arguments.next()?)?,
                    running: flag(number, &arguments.next()?)?,
                    numerator: count(number, &arguments.next()?)?,
                    denominator: count(number, &arguments.rest())?,
                })
            }
            P::StatusResUnique => {
                let mut arguments = Arguments::new(packet_type, body);
                Self::StatusUnique(UniqueStatus {
                    unique: arguments.next()?,
                    known: flag(number, &arguments.next()?)?,
                    running: flag(number, &arguments.next()?)?,
                    numerator: count(number, &arguments.next()?)?,
                    denominator: count(number, &arguments.next()?)?,
                    watchers: count(number, &arguments.rest())?,
                })
            }
            _ => return Assignment::parse(packet_type, body).map(Self::JobAssign),
        };
        Ok(response)
    }

    /// Appends it to what goes to the peer; a long table of the text protocol becomes bytes only as it is written.
    ///
    /// # Panics
    /// If its body would be over 4 GiB - 1.
    pub fn encode_by_parts(self, out: &mut Outward) {
        match self {
            Self::Admin(reply) => reply.encode_by_parts(out),
            other => other.encode(out),
        }
    }

    /// Appends it to what goes to the peer.
    ///
    /// # Panics
    /// If its body would be over 4 GiB - 1.
    pub fn encode(&self, out: &mut Outward) {
        use PacketType as P;
        let mut put = |packet_type: P, arguments: &[&[u8]], last: Option<&Bytes>| {
            out.put_packet(Magic::Response, packet_type.number(), arguments, last);
        };
        match self {
            Self::JobCreated { handle } => put(P::JobCreated, &[handle.as_bytes()], None),
            Self::Noop => put(P::Noop, &[], None),
            Self::NoJob => put(P::NoJob, &[], None),
            Self::JobAssign(assignment) => assignment.encode(out),
            Self::Work { handle, report } => report.encode(Magic::Response, handle, out),
            Self::Status(JobStatus { handle, known, running, numerator, denominator }) => {
                let numbers = join([(*known).into(), (*running).into(), *numerator, *denominator]);
                put(P::StatusRes, &[handle.as_bytes()], Some(&numbers));
            }
            Self::StatusUnique(status) => {
                let UniqueStatus { unique, known, running, numerator, denominator, watchers } = status;
                let numbers = join([(*known).into(), (*running).into(), *numerator, *denominator, *watchers]);
                put(P::StatusResUnique, &[unique], Some(&numbers));
            }
            Self::Echo { data } => put(P::EchoRes, &[], Some(data)),
            Self::Option { name } => put(P::OptionRes, &[], Some(name)),
            Self::Error { code, text } => put(P::Error, &[code], Some(text)),
            Self::Admin(reply) => reply.encode(out),
        }
    }
}

impl Assignment {
    fn parse(packet_type: PacketType, body: Bytes) -> Result<Self, DecodeError> {
        let form = match packet_type {
            PacketType::JobAssign => Grab::Plain,
            PacketType::JobAssignUniq => Grab::Uniq,
            PacketType::JobAssignAll => Grab::All,
            _ => return Err(DecodeError::UnexpectedType(packet_type.number())),
        };
        let mut arguments = Arguments::new(packet_type, body);
        let handle = Handle::new(arguments.next()?);
        let function = FunctionName::new(arguments.next()?)?;
        let unique = if form == Grab::Plain { Unique::default() } else { Unique::new(arguments.next()?)? };
        let reducer = if form == Grab::All { Reducer::new(arguments.next()?)? } else { Reducer::default() };
        Ok(Self { handle, function, unique, reducer, workload: arguments.rest(), form })
    }

    fn encode(&self, out: &mut Outward) {
        let (handle, function) = (self.handle.as_bytes(), self.function.as_bytes());
        let (unique, reducer) = (self.unique.as_bytes(), self.reducer.as_bytes());
        let mut put = |packet_type: PacketType, arguments: &[&[u8]]| {
            out.put_packet(Magic::Response, packet_type.number(), arguments, Some(&self.workload));
        };
        match self.form {
            Grab::Plain => put(PacketType::JobAssign, &[handle, function]),
            Grab::Uniq => put(PacketType::JobAssignUniq, &[handle, function, unique]),
            Grab::All => put(PacketType::JobAssignAll, &[handle, function, unique, reducer]),
        }
    }
}

/// Numbers as the last arguments of a packet.
fn join<const N: usize>(numbers: [u32; N]) -> Bytes {
    numbers.map(|number| number.to_string()).join("\0").into()
}

fn flag(number: u32, text: &[u8]) -> Result<bool, DecodeError> {
    match text {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(DecodeError::NotANumber { number }),
    }
}

/// Some servers leave a number that is not set empty.
fn count(number: u32, text: &[u8]) -> Result<u32, DecodeError> {
    if text.is_empty() {
        return Ok(0);
    }
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(DecodeError::NotANumber { number })
}
