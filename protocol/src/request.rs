//! What clients, workers and administrators ask of a server.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each match takes its few packet types out of the table; all others are refused alike"
)]

use crate::admin::AdminRequest;
use crate::arguments::Cutter;
use crate::error::DecodeError;
use crate::frame::{Frame, Magic, Packet};
use crate::names::{FunctionName, Handle, MAX_HANDLE, Reducer, Unique};
use crate::outward::Outward;
use crate::table::{Direction, PacketType};
use bytes::Bytes;

/// How urgent a job is; a higher one is always grabbed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before all others.
    High,
    /// What most jobs have.
    Normal,
    /// After all others.
    Low,
}

impl Priority {
    /// All three, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];
}

/// Whether the submitter waits for the result, and when the job may start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The submitter hears everything about the job, and the job ends if it leaves.
    Foreground,
    /// Nobody hears of the job again.
    Background,
    /// Background, normal priority, and not before a time: the text of its Unix seconds, judged by the server.
    Epoch(Bytes),
}

/// A request for a job, in any of the nine forms the wire has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    /// What shall be done.
    pub function: FunctionName,
    /// The client's key for the job.
    pub unique: Unique,
    /// How urgent it is.
    pub priority: Priority,
    /// Who waits for it, and when it may start.
    pub mode: Mode,
    /// The reducer, for the two forms that have one.
    pub reducer: Option<Reducer>,
    /// What the worker gets.
    pub workload: Bytes,
}

/// How much a worker wants to be told about the job it grabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grab {
    /// Handle, function and workload.
    Plain,
    /// The unique as well.
    Uniq,
    /// The unique and the reducer as well.
    All,
}

/// The time limit of CAN_DO_TIMEOUT: its text, judged by the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobTimeout(pub Bytes);

/// What a worker says about a job it holds; clients are told the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// Part of the result.
    Data(Bytes),
    /// A warning.
    Warning(Bytes),
    /// How far the job has come, as text: the server passes on what it got.
    Status {
        /// Above the line.
        numerator: Bytes,
        /// Below the line.
        denominator: Bytes,
    },
    /// The job is done, with (the rest of) its result.
    Complete(Bytes),
    /// The job has failed.
    Fail,
    /// The job has failed, and why.
    Exception(Bytes),
}

impl Report {
    /// Whether the job ends with it.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Complete(_) | Self::Fail | Self::Exception(_))
    }

    const fn packet_type(&self) -> PacketType {
        match self {
            Self::Data(_) => PacketType::WorkData,
            Self::Warning(_) => PacketType::WorkWarning,
            Self::Status { .. } => PacketType::WorkStatus,
            Self::Complete(_) => PacketType::WorkComplete,
            Self::Fail => PacketType::WorkFail,
            Self::Exception(_) => PacketType::WorkException,
        }
    }

    /// Takes a report apart; `None` if the type is not one of a report.
    pub(crate) fn parse(packet_type: PacketType, body: Bytes) -> Option<Result<(Handle, Self), DecodeError>> {
        let make = match packet_type {
            PacketType::WorkData => Self::Data,
            PacketType::WorkWarning => Self::Warning,
            PacketType::WorkComplete => Self::Complete,
            PacketType::WorkException => Self::Exception,
            PacketType::WorkFail => return Some(Ok((Handle::new(up_to_nul(body)), Self::Fail))),
            PacketType::WorkStatus => return Some(Self::parse_status(body)),
            _ => return None,
        };
        let (handle, data) = handle_and_data(body);
        Some(Ok((handle, make(data))))
    }

    fn parse_status(body: Bytes) -> Result<(Handle, Self), DecodeError> {
        let mut arguments = Arguments::new(PacketType::WorkStatus, body);
        let handle = Handle::new(arguments.next()?);
        let numerator = arguments.next()?;
        Ok((handle, Self::Status { numerator, denominator: arguments.rest() }))
    }

    pub(crate) fn encode(&self, magic: Magic, handle: &Handle, out: &mut Outward) {
        let number = self.packet_type().number();
        match self {
            Self::Data(last) | Self::Warning(last) | Self::Complete(last) | Self::Exception(last) => {
                out.put_packet(magic, number, &[handle.as_bytes()], Some(last));
            }
            Self::Status { numerator, denominator } => {
                out.put_packet(magic, number, &[handle.as_bytes(), numerator], Some(denominator));
            }
            Self::Fail => out.put_packet(magic, number, &[handle.as_bytes()], None),
        }
    }
}

/// A request from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// CAN_DO and CAN_DO_TIMEOUT.
    CanDo {
        /// What the worker can do.
        function: FunctionName,
        /// Within which time, if it was CAN_DO_TIMEOUT.
        timeout: Option<JobTimeout>,
    },
    /// CANT_DO.
    CantDo {
        /// What the worker can no longer do.
        function: FunctionName,
    },
    /// RESET_ABILITIES.
    ResetAbilities,
    /// PRE_SLEEP.
    PreSleep,
    /// ALL_YOURS.
    AllYours,
    /// The nine forms of SUBMIT_JOB.
    Submit(Submit),
    /// The three forms of GRAB_JOB.
    Grab(Grab),
    /// The six reports of a worker.
    Work {
        /// Of which job.
        handle: Handle,
        /// What it says.
        report: Report,
    },
    /// GET_STATUS.
    GetStatus {
        /// Of which job.
        handle: Handle,
    },
    /// GET_STATUS_UNIQUE.
    GetStatusUnique {
        /// The unique; one over 64 bytes is refused when it is parsed.
        unique: Bytes,
    },
    /// ECHO_REQ.
    Echo {
        /// What to send back.
        data: Bytes,
    },
    /// OPTION_REQ.
    Option {
        /// Its name.
        name: Bytes,
    },
    /// SET_CLIENT_ID.
    SetClientId {
        /// What to call the connection.
        id: Bytes,
    },
    /// A command of the text protocol.
    Admin(AdminRequest),
}

impl Request {
    /// What a frame asks for.
    ///
    /// # Errors
    /// Never fatal: where the frame ends is known, so the connection can go on after an ERROR.
    pub fn parse(frame: Frame) -> Result<Self, DecodeError> {
        match frame {
            Frame::Line(line) => Ok(Self::Admin(AdminRequest::parse(&line))),
            Frame::Oversized { size, .. } => Err(DecodeError::PacketTooLarge { size }),
            Frame::Packet(packet) => Self::parse_packet(packet),
        }
    }

    fn parse_packet(packet: Packet) -> Result<Self, DecodeError> {
        let Packet { magic, number, body } = packet;
        if magic != Magic::Request {
            return Err(DecodeError::WrongMagic { number });
        }
        let unexpected = DecodeError::UnexpectedType(number);
        let packet_type = PacketType::from_number(number).ok_or(unexpected)?;
        match packet_type.direction() {
            Direction::Request => Self::parse_body(packet_type, body),
            Direction::Both => {
                let (handle, report) = Report::parse(packet_type, body).unwrap_or(Err(unexpected))?;
                Ok(Self::Work { handle, report })
            }
            Direction::Response | Direction::Unused => Err(unexpected),
        }
    }

    fn parse_body(packet_type: PacketType, body: Bytes) -> Result<Self, DecodeError> {
        use PacketType as P;
        let request = match packet_type {
            P::CanDo => Self::CanDo { function: FunctionName::new(body)?, timeout: None },
            P::CanDoTimeout => {
                let mut arguments = Arguments::new(packet_type, body);
                let function = FunctionName::new(arguments.next()?)?;
                Self::CanDo { function, timeout: Some(JobTimeout(arguments.rest())) }
            }
            P::CantDo => Self::CantDo { function: FunctionName::new(body)? },
            P::ResetAbilities => Self::ResetAbilities,
            P::PreSleep => Self::PreSleep,
            P::AllYours => Self::AllYours,
            P::GrabJob => Self::Grab(Grab::Plain),
            P::GrabJobUniq => Self::Grab(Grab::Uniq),
            P::GrabJobAll => Self::Grab(Grab::All),
            P::GetStatus => Self::GetStatus { handle: Handle::new(up_to_nul(repeatable(body)?)) },
            P::GetStatusUnique => Self::GetStatusUnique { unique: Unique::new(up_to_nul(body))?.to_bytes() },
            P::EchoReq => Self::Echo { data: body },
            P::OptionReq => Self::Option { name: body },
            P::SetClientId => Self::SetClientId { id: body },
            // By calendar: no server takes it.
            P::SubmitJobSched => return Err(DecodeError::UnexpectedType(packet_type.number())),
            _ => return Submit::parse(packet_type, body).map(Self::Submit),
        };
        Ok(request)
    }

    /// Appends it to what goes to the server.
    ///
    /// # Panics
    /// If its body would be over 4 GiB - 1.
    pub fn encode(&self, out: &mut Outward) {
        use PacketType as P;
        let mut put = |packet_type: P, arguments: &[&[u8]], last: Option<&Bytes>| {
            out.put_packet(Magic::Request, packet_type.number(), arguments, last);
        };
        match self {
            Self::CanDo { function, timeout: None } => put(P::CanDo, &[function.as_bytes()], None),
            Self::CanDo { function, timeout: Some(timeout) } => {
                put(P::CanDoTimeout, &[function.as_bytes()], Some(&timeout.0));
            }
            Self::CantDo { function } => put(P::CantDo, &[function.as_bytes()], None),
            Self::ResetAbilities => put(P::ResetAbilities, &[], None),
            Self::PreSleep => put(P::PreSleep, &[], None),
            Self::AllYours => put(P::AllYours, &[], None),
            Self::Submit(submit) => submit.encode(out),
            Self::Grab(Grab::Plain) => put(P::GrabJob, &[], None),
            Self::Grab(Grab::Uniq) => put(P::GrabJobUniq, &[], None),
            Self::Grab(Grab::All) => put(P::GrabJobAll, &[], None),
            Self::Work { handle, report } => report.encode(Magic::Request, handle, out),
            Self::GetStatus { handle } => put(P::GetStatus, &[handle.as_bytes()], None),
            Self::GetStatusUnique { unique } => put(P::GetStatusUnique, &[], Some(unique)),
            Self::Echo { data } => put(P::EchoReq, &[], Some(data)),
            Self::Option { name } => put(P::OptionReq, &[], Some(name)),
            Self::SetClientId { id } => put(P::SetClientId, &[], Some(id)),
            Self::Admin(command) => command.encode(out),
        }
    }
}

impl Submit {
    /// The packet type that carries this form.
    ///
    /// An epoch job is always of normal priority, as is one with a reducer: the wire has no other form, and
    /// what cannot be said is not said.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        use PacketType as P;
        match (&self.mode, &self.reducer, self.priority) {
            (Mode::Epoch(_), _, _) => P::SubmitJobEpoch,
            (Mode::Foreground, Some(_), _) => P::SubmitReduceJob,
            (Mode::Background, Some(_), _) => P::SubmitReduceJobBackground,
            (Mode::Foreground, None, Priority::High) => P::SubmitJobHigh,
            (Mode::Foreground, None, Priority::Normal) => P::SubmitJob,
            (Mode::Foreground, None, Priority::Low) => P::SubmitJobLow,
            (Mode::Background, None, Priority::High) => P::SubmitJobHighBg,
            (Mode::Background, None, Priority::Normal) => P::SubmitJobBg,
            (Mode::Background, None, Priority::Low) => P::SubmitJobLowBg,
        }
    }

    fn parse(packet_type: PacketType, body: Bytes) -> Result<Self, DecodeError> {
        use PacketType as P;
        let size = body.len();
        let mut arguments = Arguments::new(packet_type, body);
        let (function, (unique, length)) = (arguments.next()?, arguments.with_rest()?);
        let mode = match packet_type {
            P::SubmitJobEpoch => Mode::Epoch(arguments.next()?),
            P::SubmitJobBg | P::SubmitJobHighBg | P::SubmitJobLowBg | P::SubmitReduceJobBackground => {
                Mode::Background
            }
            _ => Mode::Foreground,
        };
        let reducer = match packet_type {
            P::SubmitReduceJob | P::SubmitReduceJobBackground => Some(arguments.next()?),
            _ => None,
        };
        if reducer.is_some() {
            // The aggregator: on the wire, and ignored by every server.
            arguments.next()?;
        }
        let priority = match packet_type {
            P::SubmitJobHigh | P::SubmitJobHighBg => Priority::High,
            P::SubmitJobLow | P::SubmitJobLowBg => Priority::Low,
            _ => Priority::Normal,
        };
        let (function, unique) = (FunctionName::new(function)?, Unique::at_front(unique, length)?);
        let reducer = reducer.map(Reducer::new).transpose()?;
        let submit = Self { function, unique, priority, mode, reducer, workload: arguments.rest() };
        if submit.is_assignable() { Ok(submit) } else { Err(too_large(size)) }
    }

    /// Whether the job fits the largest packet that may assign it: JOB_ASSIGN_ALL with the longest handle.
    ///
    /// A server takes no other; [`Request::parse`] refuses them.
    #[must_use]
    pub fn is_assignable(&self) -> bool {
        let reducer = self.reducer.as_ref().map_or(0, |reducer| reducer.as_bytes().len());
        let names = MAX_HANDLE + self.function.as_bytes().len() + self.unique.as_bytes().len() + reducer;
        let separators = PacketType::JobAssignAll.arguments().len() - 1;
        u32::try_from(names + separators + self.workload.len()).is_ok()
    }

    fn encode(&self, out: &mut Outward) {
        let (function, unique) = (self.function.as_bytes(), self.unique.as_bytes());
        let number = self.packet_type().number();
        let mut put = |arguments: &[&[u8]]| {
            out.put_packet(Magic::Request, number, arguments, Some(&self.workload));
        };
        match (&self.mode, &self.reducer) {
            (Mode::Epoch(seconds), _) => put(&[function, unique, seconds]),
            (_, Some(reducer)) => put(&[function, unique, reducer.as_bytes(), b""]),
            (_, None) => put(&[function, unique]),
        }
    }
}

/// The arguments of a packet, each missing one an error that names the packet.
pub(crate) struct Arguments {
    packet_type: PacketType,
    taken: usize,
    cutter: Cutter,
}

impl Arguments {
    pub(crate) fn new(packet_type: PacketType, body: Bytes) -> Self {
        Self { packet_type, taken: 0, cutter: Cutter::new(body) }
    }

    pub(crate) fn next(&mut self) -> Result<Bytes, DecodeError> {
        self.taken += 1;
        self.cutter.next().ok_or_else(|| self.missing())
    }

    /// The next argument is the first so many bytes of what is given, which goes on to the end of the packet.
    pub(crate) fn with_rest(&mut self) -> Result<(Bytes, usize), DecodeError> {
        self.taken += 1;
        self.cutter.with_rest().ok_or_else(|| self.missing())
    }

    /// The packet ends too early.
    const fn missing(&self) -> DecodeError {
        let (number, wanted) = (self.packet_type.number(), self.packet_type.arguments().len());
        DecodeError::TooFewArguments { number, wanted, got: self.taken }
    }

    pub(crate) fn rest(self) -> Bytes {
        self.cutter.rest()
    }
}

/// The most bytes that follow the handle in STATUS_RES: four NULs, two flags, two numbers.
const STATUS_ROOM: usize = 4 + 2 + 2 * 10;

/// Lets through the handle that STATUS_RES can repeat in one packet.
fn repeatable(body: Bytes) -> Result<Bytes, DecodeError> {
    if u32::try_from(body.len() + STATUS_ROOM).is_ok() { Ok(body) } else { Err(too_large(body.len())) }
}

/// The refusal of a body of this many bytes.
fn too_large(size: usize) -> DecodeError {
    DecodeError::PacketTooLarge { size: u32::try_from(size).unwrap_or(u32::MAX) }
}

/// Data of no bytes may lack the NUL before it: Perl's worker leaves it out, and gives up when it is refused.
fn handle_and_data(body: Bytes) -> (Handle, Bytes) {
    let mut cutter = Cutter::new(body.clone());
    match cutter.next() {
        Some(handle) => (Handle::new(handle), cutter.rest()),
        None => (Handle::new(body), Bytes::new()),
    }
}

/// A name that is all of a packet ends at its first NUL: some programs send the NUL that ends their string, and the
/// answer to a question repeats the name before others.
fn up_to_nul(mut body: Bytes) -> Bytes {
    let end = body.iter().position(|&byte| byte == 0).unwrap_or(body.len());
    body.truncate(end);
    body
}
