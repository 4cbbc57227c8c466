//! The text protocol: commands of administrators and the layouts of the replies.

use crate::listing::{self, END, Row, table};
use crate::names::Handle;
use crate::outward::Outward;
use bytes::{BufMut, Bytes, BytesMut};

/// The most words a command may have.
const MAX_WORDS: usize = 5;

/// How many jobs a function may have, by priority; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueueLimits {
    /// For high priority.
    pub high: Option<u32>,
    /// For normal priority.
    pub normal: Option<u32>,
    /// For low priority.
    pub low: Option<u32>,
}

/// A command of the text protocol.
///
/// Key words are matched without regard to case; words are parted by runs of spaces. Words after a command that is
/// one word are ignored; the others are refused with more words than they know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminRequest {
    /// `status`: the functions.
    Status,
    /// `prioritystatus`: the functions, waiting jobs by priority.
    PriorityStatus,
    /// `workers`: the connections.
    Workers,
    /// `show jobs`.
    ShowJobs,
    /// `show unique jobs`.
    ShowUniqueJobs,
    /// `cancel job HANDLE`.
    CancelJob(Handle),
    /// `create function NAME`. The name is as it was typed: whether it is one, the server says.
    CreateFunction(Bytes),
    /// `drop function NAME`.
    DropFunction(Bytes),
    /// `maxqueue NAME [HIGH [NORMAL LOW]]`.
    MaxQueue {
        /// The function's name as it was typed.
        function: Bytes,
        /// The limits.
        limits: QueueLimits,
    },
    /// `version`.
    Version,
    /// `getpid`.
    GetPid,
    /// `verbose`.
    Verbose,
    /// `shutdown` and `shutdown graceful`.
    Shutdown {
        /// Whether running jobs may end first.
        graceful: bool,
    },
    /// A line that is no command, or one with the wrong words, and what to answer.
    Malformed(AdminError),
}

/// Why a command of the text protocol is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminError {
    /// The first word is no command.
    UnknownCommand(Bytes),
    /// `show` with words it does not know.
    UnknownShowArguments,
    /// `cancel` of something that is no job.
    UnknownError,
    /// A command with too few or too many words.
    InvalidArguments(Bytes),
    /// `cancel job` of a job that is not live.
    UnknownJob,
    /// `drop function` of one that is not there.
    FunctionNotFound,
    /// `drop function` of one that is in use.
    FunctionInUse,
    /// A function name that is none.
    InvalidFunctionName,
    /// A new function for which there is no memory.
    MemoryLimit,
}

impl AdminRequest {
    /// What a line asks for.
    #[must_use]
    pub fn parse(line: &Bytes) -> Self {
        let words: Vec<Bytes> = line
            .split(|&byte| byte == b' ')
            .filter(|word| !word.is_empty())
            .map(|word| line.slice_ref(word))
            .collect();
        // A leading space makes an empty first word, which is no command.
        let first = if line.first() == Some(&b' ') {
            Bytes::new()
        } else {
            words.first().cloned().unwrap_or_default()
        };
        if words.len() > MAX_WORDS {
            return Self::Malformed(AdminError::InvalidArguments(first));
        }
        let keyword =
            |index: usize| words.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        match &first.to_ascii_lowercase()[..] {
            b"status" => Self::Status,
            b"prioritystatus" => Self::PriorityStatus,
            b"workers" => Self::Workers,
            b"version" => Self::Version,
            b"getpid" => Self::GetPid,
            b"verbose" => Self::Verbose,
            // A mistyped `graceful` must not stop the server at once.
            b"shutdown" if words.len() == 1 || keyword(1) == b"graceful" => {
                Self::Shutdown { graceful: words.len() > 1 }
            }
            b"show" if words.len() > 1 => match (&keyword(1)[..], &keyword(2)[..]) {
                (b"jobs", b"") => Self::ShowJobs,
                (b"unique", b"jobs") if words.len() == 3 => Self::ShowUniqueJobs,
                _ => Self::Malformed(AdminError::UnknownShowArguments),
            },
            b"cancel" if words.len() > 2 => match (&keyword(1)[..], &words[2..]) {
                (b"job", [handle]) => Self::CancelJob(Handle::new(handle.clone())),
                _ => Self::Malformed(AdminError::UnknownError),
            },
            b"create" => Self::named_function(&words, Self::CreateFunction),
            b"drop" => Self::named_function(&words, Self::DropFunction),
            b"maxqueue" => Self::max_queue(&words),
            _ => Self::Malformed(AdminError::UnknownCommand(first)),
        }
    }

    fn named_function(words: &[Bytes], make: fn(Bytes) -> Self) -> Self {
        match words {
            [_, noun, name] if noun.eq_ignore_ascii_case(b"function") => make(name.clone()),
            _ => Self::Malformed(AdminError::InvalidArguments(words[0].clone())),
        }
    }

    fn max_queue(words: &[Bytes]) -> Self {
        let limit = |index: usize| words.get(index).and_then(|word| queue_limit(word));
        let Some(function) = words.get(1).cloned() else {
            return Self::Malformed(AdminError::InvalidArguments(words[0].clone()));
        };
        let limits = match words.len() {
            // One number holds for all three priorities.
            3 => QueueLimits { high: limit(2), normal: limit(2), low: limit(2) },
            _ => QueueLimits { high: limit(2), normal: limit(3), low: limit(4) },
        };
        Self::MaxQueue { function, limits }
    }

    /// Appends the command as a line.
    pub fn encode(&self, out: &mut Outward) {
        let mut line = BytesMut::new();
        match self {
            Self::Status => line.put_slice(b"status"),
            Self::PriorityStatus => line.put_slice(b"prioritystatus"),
            Self::Workers => line.put_slice(b"workers"),
            Self::ShowJobs => line.put_slice(b"show jobs"),
            Self::ShowUniqueJobs => line.put_slice(b"show unique jobs"),
            Self::CancelJob(handle) => {
                line.put_slice(b"cancel job ");
                line.put_slice(handle.as_bytes());
            }
            Self::CreateFunction(name) => {
                line.put_slice(b"create function ");
                line.put_slice(name);
            }
            Self::DropFunction(name) => {
                line.put_slice(b"drop function ");
                line.put_slice(name);
            }
            Self::MaxQueue { function, limits } => {
                line.put_slice(b"maxqueue ");
                line.put_slice(function);
                for limit in [limits.high, limits.normal, limits.low] {
                    line.put_slice(format!(" {}", limit.unwrap_or(0)).as_bytes());
                }
            }
            Self::Version => line.put_slice(b"version"),
            Self::GetPid => line.put_slice(b"getpid"),
            Self::Verbose => line.put_slice(b"verbose"),
            Self::Shutdown { graceful: false } => line.put_slice(b"shutdown"),
            Self::Shutdown { graceful: true } => line.put_slice(b"shutdown graceful"),
            Self::Malformed(AdminError::UnknownCommand(word)) => line.put_slice(word),
            // Other malformed lines keep nothing of what was typed, so nothing can be said again.
            Self::Malformed(_) => {}
        }
        line.put_slice(b"\r\n");
        out.put_slice(&line);
    }
}

/// A queue limit as gearmand reads it: leading digits count, and what is no positive number is no limit.
fn queue_limit(word: &[u8]) -> Option<u32> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&word[..digits]).ok()?;
    text.parse().ok().filter(|&limit| limit > 0)
}

/// A line of `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionStatus {
    /// The function's name.
    pub function: Bytes,
    /// Live jobs.
    pub total: u64,
    /// Assigned jobs.
    pub running: u64,
    /// Workers that can do it.
    pub workers: u64,
}

/// A line of `prioritystatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorityStatus {
    /// The function's name.
    pub function: Bytes,
    /// Waiting jobs of high priority.
    pub high: u64,
    /// Waiting jobs of normal priority.
    pub normal: u64,
    /// Waiting jobs of low priority.
    pub low: u64,
    /// Workers that can do it.
    pub workers: u64,
}

/// A line of `workers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerListing {
    /// The connection's number.
    pub connection: u64,
    /// The peer's address.
    pub address: String,
    /// What it calls itself; `-` until it says.
    pub id: Bytes,
    /// What it can do, in the order of the listing.
    pub functions: Vec<Bytes>,
}

/// A line of `show jobs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobListing {
    /// The job's name.
    pub handle: Handle,
    /// How often it was requeued.
    pub retries: u64,
    /// Whether it is kept in a store or was submitted as background.
    pub persisted: bool,
}

/// The answer to a command of the text protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminReply {
    /// `OK`, ended by CRLF.
    Ok,
    /// `OK VALUE`, ended by LF: `version`, `getpid`, `verbose`.
    Value(Bytes),
    /// To `status`.
    Status(Vec<FunctionStatus>),
    /// To `prioritystatus`.
    PriorityStatus(Vec<PriorityStatus>),
    /// To `workers`.
    Workers(Vec<WorkerListing>),
    /// To `show jobs`.
    Jobs(Vec<JobListing>),
    /// To `show unique jobs`.
    UniqueJobs(Vec<Bytes>),
    /// Some rows of one of these tables. Others follow, and at last the table with the rest of them.
    Part(Box<Self>),
    /// A refusal.
    Error(AdminError),
    /// One line as it was read by a client, which alone knows what it asked.
    Line(Bytes),
}

impl AdminReply {
    /// Appends the reply in its layout: tables end with a line of one dot.
    pub fn encode(&self, out: &mut Outward) {
        let mut text = Vec::new();
        self.write(&mut text);
        out.put_bytes(&text.into());
    }

    fn write(&self, text: &mut Vec<u8>) {
        match self {
            Self::Ok => text.extend_from_slice(b"OK\r\n"),
            Self::Value(value) => text.extend([&b"OK "[..], value, b"\n"].concat()),
            Self::Line(bytes) => bytes.write(text),
            Self::Error(error) => text.extend(error.line()),
            Self::Status(rows) => table(rows, text),
            Self::PriorityStatus(rows) => table(rows, text),
            Self::Workers(rows) => table(rows, text),
            Self::Jobs(rows) => table(rows, text),
            Self::UniqueJobs(rows) => table(rows, text),
            Self::Part(rows) => {
                rows.write(text);
                text.truncate(text.len().saturating_sub(END.len()));
            }
        }
    }

    /// The same, except that what is long becomes bytes while it is written, not now.
    pub fn encode_by_parts(self, out: &mut Outward) {
        match listing::of(self) {
            Ok(listing) => out.put_listing(listing),
            Err(line) => line.encode(out),
        }
    }
}

impl AdminError {
    /// The line that tells it.
    fn line(&self) -> Vec<u8> {
        let text: &[&[u8]] = match self {
            Self::UnknownCommand(word) => &[b"UNKNOWN_COMMAND Unknown+server+command", word],
            Self::UnknownShowArguments => &[b"UNKNOWN_SHOW_ARGUMENTS"],
            Self::UnknownError => &[b"UNKNOWN_ERROR"],
            Self::UnknownJob => &[b"UNKNOWN_JOB"],
            Self::FunctionNotFound => &[b"function not found"],
            Self::FunctionInUse => &[b"there are still connected workers or executing clients"],
            Self::InvalidFunctionName => {
                &[b"INVALID_FUNCTION_NAME Function+name+must+be+1+to+512+bytes+without+control+characters"]
            }
            Self::MemoryLimit => &[b"QUEUE_ERROR Memory+limit+reached"],
            Self::InvalidArguments(command) => {
                &[b"INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+", command]
            }
        };
        [&[&b"ERR "[..]][..], text, &[b"\r\n"]].concat().concat()
    }
}
