//! One transcript played once against one server.

mod choice;
mod connection;
mod difference;
mod drain;
mod ends;
mod fence;
mod include;
mod incoming;
mod matching;
mod outgoing;
mod player;
mod program;
mod sending;
mod served;
mod stream;
mod table;
mod timeline;
mod until;
mod variables;
mod words;
mod world;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

pub use connection::Ending;
pub use difference::{Marks, Mismatch, Row};
pub(crate) use incoming::{Ended, Incoming, Message, RawPacket};
pub use player::play;
pub use program::Program;
pub use timeline::{Moment, Way};
pub use world::{Carrier, Dialling, World};

use gearman_net::{Clock as _, MachineClock};
use gearman_protocol::UnixMillis;

use crate::language::{Grade, Variant};
use crate::launch::Server;
use crate::profile::{Profile, Tolerance};

/// How long something expected may take when neither the line nor the header says.
pub(crate) const USUAL_WAIT: Duration = Duration::from_secs(3);

/// What a transcript is played against, and how.
#[derive(Debug)]
pub struct Stage<'s> {
    /// `HOST:PORT`; of a server in another world, how it is called there.
    pub address: String,
    /// Where the server is, if it is not on this machine's network.
    pub world: Option<&'s dyn World>,
    /// What is known about the server.
    pub profile: &'s Profile,
    /// How messages are cut into writes.
    pub variant: Variant,
    /// By how much every wait is stretched.
    pub time_scale: f64,
    /// The server itself, if the tool launched it.
    pub server: Option<&'s mut Server>,
    /// The program under test, for transcripts that play the server.
    pub program: Option<&'s Program>,
}

impl Stage<'_> {
    /// What the wall clock says where the server is.
    pub(crate) fn wall(&self) -> UnixMillis {
        self.world.map_or_else(|| MachineClock::new().wall(), World::wall)
    }

    /// A wait stretched for this server and this run.
    pub(crate) fn stretch(&self, time: Duration) -> Duration {
        self.profile.stretch(time).mul_f64(self.time_scale)
    }
}

/// What one playing showed.
#[derive(Debug)]
pub struct Played {
    /// The statement that failed, if one did.
    pub failure: Option<Failure>,
    /// The alternatives that were taken, in order.
    pub outcomes: Vec<Outcome>,
    /// Deviations that the profile tolerates.
    pub deviations: BTreeSet<Tolerance>,
    /// How each connection ended.
    pub endings: Vec<(String, Ending)>,
    /// What happened on all connections.
    pub moments: Vec<Moment>,
    /// How long it took.
    pub took: Duration,
    /// Whether the server ended a connection before the transcript did, asked to or not.
    pub closed_by_server: bool,
    /// How many jobs were left in the queues and had to be drained.
    pub leftovers: usize,
    /// How a program under test crashed, if one did.
    pub crashed: Option<String>,
    /// What programs under test wrote to standard error last.
    pub log: Vec<String>,
}

/// An alternative that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// What it says about the server.
    pub grade: Grade,
    /// The line of its `alt`, from 1.
    pub line: usize,
}

/// A statement that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line of the transcript, from 1.
    pub line: usize,
    /// The bytes of the line in the transcript.
    pub span: Range<usize>,
    /// Where the statement stands, if that is in a file which this line includes.
    pub included: Option<Place>,
    /// The statement with single spaces.
    pub statement: String,
    /// In which way.
    pub kind: FailureKind,
    /// One sentence without a full stop.
    pub summary: String,
    /// Expected and got, side by side.
    pub rows: Vec<Row>,
    /// What waits at the head of every open connection.
    pub heads: Vec<(String, String)>,
}

/// A line of a file that a transcript includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as shown to people.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
    /// The bytes of the line.
    pub span: Range<usize>,
}

/// The ways in which a statement fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Something else came.
    Mismatch,
    /// Nothing came in time.
    Silence,
    /// Something came where nothing may.
    Noise,
    /// No connection could be made.
    Unreachable,
    /// The server did not read what was sent.
    NotRead,
    /// The server could not be controlled as asked.
    Control,
    /// The program under test lives and says nothing.
    Mute,
}
