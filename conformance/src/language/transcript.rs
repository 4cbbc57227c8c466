//! A transcript as it is played: a header and statements.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use gearman_protocol::PacketType;

use super::attributes::Attributes;
use super::include::Included;
use super::value::{Pattern, Value};

/// A transcript that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Where it was read from, as shown to people.
    pub path: String,
    /// The text it was read from.
    pub text: String,
    /// What it is about.
    pub header: Header,
    /// What happens.
    pub body: Vec<Statement>,
}

/// What a transcript is about, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The stable name, `chapter/.../slug`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The ids of the protocol's statements that it exercises.
    pub spec: Vec<String>,
    /// How binding those statements are.
    pub level: Level,
    /// Features without which it is skipped.
    pub needs: Vec<String>,
    /// Named settings the server must be started with.
    pub settings: BTreeMap<String, String>,
    /// The ways of writing it is played in, if not in all of them.
    pub variants: Option<Vec<Variant>>,
    /// How long to wait for something expected, if not the usual time.
    pub within: Option<Duration>,
    /// How often it is played in a run, 1 unless it is after a race.
    pub runs: u32,
    /// The version of the suite that first had it.
    pub since: Option<String>,
    /// Free words; `time` means that waiting is its subject.
    pub tags: Vec<String>,
    /// Why the case exists and what a server might do instead, for people.
    pub explain: String,
    /// It reads or changes what belongs to the whole server, so nothing else may run beside it.
    pub exclusive: bool,
    /// It may harm what others do on the server.
    pub destructive: bool,
}

/// How binding a statement of the protocol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Breaking it breaks peers.
    Must,
    /// There may be a reason not to.
    Should,
    /// A server may do it.
    May,
    /// Written nowhere, done by the common servers.
    DeFacto,
    /// Recorded for its own sake.
    Info,
}

/// A way of cutting what is sent into writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// One write per line.
    AsWritten,
    /// One write per byte.
    Bytes,
    /// One write for a packet's header and one for its body.
    Split,
    /// One write for neighbouring lines of one connection.
    Merged,
}

/// One statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The bytes of that line without indent and comment.
    pub span: Range<usize>,
    /// The line with single spaces, as profiles quote it.
    pub text: String,
    /// What to do.
    pub action: Action,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `open A...`: connects.
    Open(Vec<String>),
    /// `close A...`: close(2).
    Close(Vec<String>),
    /// `shutdown A`: ends the sending half.
    Shutdown(String),
    /// `reset A`: closes with RST.
    Reset(String),
    /// `A > out`.
    Send(Send),
    /// `A < in` and `A <~ in`.
    Receive(Receive),
    /// `A <lines pat...`: a text table up to its `.`.
    Lines {
        /// The connection.
        from: String,
        /// One pattern for each line.
        patterns: Vec<Pattern>,
        /// Order and patience.
        attributes: Attributes,
    },
    /// `A <rest pat`: everything until the connection ends.
    Rest {
        /// The connection.
        from: String,
        /// What it must look like.
        pattern: Pattern,
        /// Patience.
        attributes: Attributes,
    },
    /// `fence A...`: proves that nothing unexpected was sent so far.
    Fence {
        /// The connections, one after the other.
        on: Vec<String>,
        /// Patience, and whether harmless packets are harmless here.
        attributes: Attributes,
    },
    /// `quiet A... dur`: nothing may arrive for so long.
    Quiet {
        /// The connections, all at once.
        on: Vec<String>,
        /// How long.
        time: Duration,
    },
    /// `sleep dur`.
    Sleep(Duration),
    /// `batch A`: one write for all.
    Batch {
        /// The connection.
        to: String,
        /// What is sent.
        sends: Vec<Statement>,
    },
    /// `unordered`: all of these, in any order.
    Unordered(Vec<Statement>),
    /// `until`: asks again and again until every answer is as expected.
    Until {
        /// Questions, and their answers.
        body: Vec<Statement>,
        /// Patience.
        attributes: Attributes,
    },
    /// `either`: exactly one of these goes on.
    Either(Vec<Alternative>),
    /// `repeat N as $i`.
    Repeat {
        /// How often.
        times: u32,
        /// The variable that counts from 0.
        counter: Option<String>,
        /// What is repeated.
        body: Vec<Statement>,
    },
    /// `when feature`.
    When {
        /// The feature a profile must list.
        feature: String,
        /// If it does.
        then: Vec<Statement>,
        /// If it does not.
        otherwise: Vec<Statement>,
    },
    /// `finally`: done at the end, whatever happened before.
    Finally(Vec<Statement>),
    /// `include path`: the statements of another file.
    Include(Included),
    /// `server ...`.
    Server(ServerVerb),
    /// `listen A`: the tool is the server.
    Listen(String),
    /// `accept A...`.
    Accept(Vec<String>),
    /// `start A...`: starts the program under test.
    Start(Vec<String>),
}

/// Something sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The connection.
    pub to: String,
    /// What.
    pub output: Output,
    /// How.
    pub attributes: Attributes,
}

/// Something expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// The connection.
    pub from: String,
    /// `<~`: harmless packets before it are skipped.
    pub skip_harmless: bool,
    /// What.
    pub input: Input,
    /// Patience and details.
    pub attributes: Attributes,
}

/// The type of a packet, by name or by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A type of the protocol: its arguments are known.
    Named(PacketType),
    /// `REQ(n)`: any number, with the magic of requests.
    Request(u32),
    /// `RES(n)`: any number, with the magic of responses.
    Response(u32),
    /// `GRAB`: the request with which the worker under test asks for a job, as its profile says.
    Grab,
    /// `ASSIGN`: the assignment that answers that request.
    Assign,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A packet.
    Packet {
        /// Its type.
        kind: Kind,
        /// Its arguments, which NULs join.
        arguments: Vec<Value>,
    },
    /// A line of the text protocol.
    Text(Value),
    /// Bytes, one after the other.
    Raw(Vec<Value>),
    /// Bytes, in hexadecimal.
    Hex(Vec<u8>),
    /// A line of words to a program under test.
    Words(Vec<Word<Value>>),
}

/// What is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A packet.
    Packet {
        /// Its type.
        kind: Kind,
        /// What its arguments look like.
        patterns: Vec<Pattern>,
    },
    /// A line of the text protocol, without its line end.
    Text(Pattern),
    /// A line of words from a program under test.
    Words(Vec<Word<Pattern>>),
    /// The end of the connection.
    End(End),
}

/// A word of the line protocol that programs under test speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<T> {
    /// As it is written.
    Plain(String),
    /// Bytes, which travel in hexadecimal behind a `=`; a variable stands for a whole word.
    Bytes(T),
}

/// How a connection may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Either way.
    Closed,
    /// In order.
    Fin,
    /// By RST.
    Reset,
}

/// One of several things that may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The line of its `alt`, from 1.
    pub line: usize,
    /// The bytes of that line.
    pub span: Range<usize>,
    /// What it says about the server.
    pub grade: Grade,
    /// The outcome's name, which profiles expect.
    pub name: String,
    /// What happens then; the first statement chooses.
    pub body: Vec<Statement>,
}

/// What an outcome says about the server, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Recorded for its own sake.
    Info,
    /// Against the letter, harmless in practice.
    NonStrict,
    /// A fault.
    Wrong,
}

/// What is done to a server that the tool launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerVerb {
    /// Sends a signal, by its name without `SIG`.
    Kill(String),
    /// Stops it in its tracks (SIGSTOP).
    Stop,
    /// Lets it go on (SIGCONT).
    Continue,
    /// Starts it again on the same port.
    Start,
    /// Ends it and starts it again on the same port.
    Restart,
    /// Waits until it takes connections.
    Ready,
    /// Waits until it takes none.
    Refuses,
    /// Waits until it has ended, with this exit code.
    Ended(u32),
}

impl<T> Word<T> {
    /// What it holds, if it is not plain.
    pub fn bytes(&self) -> Option<&T> {
        match self {
            Self::Plain(_) => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every one of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in transcripts and reports.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one this word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words!(Level { Must => "must", Should => "should", May => "may", DeFacto => "de-facto", Info => "info" });
words!(Variant { AsWritten => "as-written", Bytes => "bytes", Split => "split", Merged => "merged" });
words!(Grade { Ok => "ok", Info => "info", NonStrict => "non-strict", Wrong => "wrong" });
words!(End { Closed => "closed", Fin => "fin", Reset => "reset" });

impl Action {
    /// What is sent, if this sends.
    #[must_use]
    pub fn as_send(&self) -> Option<&Send> {
        if let Self::Send(send) = self { Some(send) } else { None }
    }

    /// What is expected, if this is `<` or `<~`.
    #[must_use]
    pub fn as_receive(&self) -> Option<&Receive> {
        if let Self::Receive(receive) = self { Some(receive) } else { None }
    }

    /// The connection it reads from, if it reads from one.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        if let Self::Lines { from, .. } | Self::Rest { from, .. } = self {
            return Some(from);
        }
        self.as_receive().map(|receive| receive.from.as_str())
    }

    /// Its attributes, if it waits for something to arrive.
    #[must_use]
    pub fn patience(&self) -> Option<&Attributes> {
        if let Self::Lines { attributes, .. }
        | Self::Rest { attributes, .. }
        | Self::Fence { attributes, .. } = self
        {
            return Some(attributes);
        }
        self.as_receive().map(|receive| &receive.attributes)
    }

    /// The connections and the time, if this is `quiet`.
    #[must_use]
    pub fn as_quiet(&self) -> Option<(&[String], Duration)> {
        if let Self::Quiet { on, time } = self { Some((on, *time)) } else { None }
    }
}

impl Header {
    /// The part of the id before the first slash.
    #[must_use]
    pub fn chapter(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }
}
