//! When which fault happens to whom.

use super::FaultClass;
use crate::lives::Stretch;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When it happens.
    pub when: When,
    /// What happens.
    pub deed: Deed,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum When {
    /// So many milliseconds after the start.
    At(u32),
    /// Right after a job has come to a stretch of its life for the `nth` time, counted from 1 over all jobs of
    /// actors that are not of the core.
    Reached {
        /// The stretch.
        stretch: Stretch,
        /// Which time.
        nth: u32,
    },
    /// Right after the servers' stores were asked for the `nth` time, counted from 1, to keep a record.
    Storing {
        /// Which time.
        nth: u32,
    },
}

/// Whose connection is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// The one on which the job has moved; nobody's if the moment is a time.
    Mover,
    /// That of an actor, by index.
    Actor(u32),
}

/// Which bytes stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lanes {
    /// Those towards the server.
    ToServer,
    /// Those from the server.
    FromServer,
    /// All.
    Both,
}

/// What follows when bytes have stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What was held back arrives.
    Heals,
    /// The connections break at both ends.
    Breaks,
}

/// What meets a peer that dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reception {
    /// It is refused.
    Refuses,
    /// It waits.
    Hangs,
    /// It gets a connection that is closed at once.
    Closes,
}

/// How a reader learns that nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Last {
    /// It reads the end of the stream.
    Fin,
    /// It gets an error.
    Reset,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// A connection's bytes stand still.
    Stall {
        /// Whose.
        whom: Whom,
        /// Which.
        lanes: Lanes,
        /// For how long.
        for_ms: u32,
        /// What follows.
        then: Outcome,
    },
    /// A connection's bytes arrive a few at a time.
    Dribble {
        /// Whose.
        whom: Whom,
        /// Which.
        lanes: Lanes,
        /// At most so many in each step of the simulation.
        bytes: u32,
        /// For how long.
        for_ms: u32,
    },
    /// A peer takes little at a time.
    SlowReader {
        /// Who.
        whom: Whom,
        /// At most so many bytes at a time.
        bytes: u32,
        /// After so many steps of the simulation each.
        every: u32,
        /// No more than so many bytes may wait for it.
        window: u32,
        /// For how long.
        for_ms: u32,
    },
    /// A connection ends at its peer.
    HalfOpen {
        /// Whose.
        whom: Whom,
        /// After so long the server gets a reset.
        for_ms: u32,
    },
    /// The next message that is written passes in part, and its writer gets an error.
    Cut {
        /// Whose connection's.
        whom: Whom,
        /// In which direction; in both it is the first that is written.
        lanes: Lanes,
        /// What its reader gets behind that part.
        last: Last,
    },
    /// A connection breaks, and something is wrong when its peer dials.
    Door {
        /// Whose.
        whom: Whom,
        /// What is wrong.
        reception: Reception,
        /// For how long.
        for_ms: u32,
    },
    /// All connections of some hosts break, and when they can dial again all do at one moment.
    ReconnectStorm {
        /// The hosts, by number.
        hosts: Vec<u32>,
        /// They wait for so long.
        for_ms: u32,
    },
    /// A server's process stands still.
    ServerPause {
        /// Which server's.
        #[serde(default)]
        server: u8,
        /// For how long.
        for_ms: u32,
    },
    /// The programs of a host stand still.
    WorkerPause {
        /// The host, by number.
        host: u32,
        /// For how long.
        for_ms: u32,
    },
    /// Some hosts and the servers cannot reach each other, in one direction or both.
    Partition {
        /// The hosts, by number.
        hosts: Vec<u32>,
        /// Of several servers, only this one; all if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<u8>,
        /// Which bytes do not pass.
        lanes: Lanes,
        /// For how long.
        for_ms: u32,
        /// What follows.
        then: Outcome,
    },
    /// A server's process dies.
    ServerCrash {
        /// Which server's.
        #[serde(default)]
        server: u8,
        /// It starts again after so long.
        down_ms: u32,
    },
    /// A server's host goes dark.
    ServerPowerLoss {
        /// Which server's.
        #[serde(default)]
        server: u8,
        /// It starts again after so long.
        down_ms: u32,
    },
    /// A server is told to end when it has finished what it can.
    ServerDrain {
        /// Which.
        #[serde(default)]
        server: u8,
        /// It starts again so long after its end.
        down_ms: u32,
    },
    /// All programs of a host die.
    WorkerCrash {
        /// The host, by number.
        host: u32,
        /// They start again after so long.
        down_ms: u32,
    },
    /// An actor closes its connection.
    Leave {
        /// Who.
        whom: Whom,
    },
    /// The wall clock of all servers is set.
    ClockStep {
        /// By so much, forwards if it is positive.
        by_ms: i32,
    },
    /// A worker takes so long for the next job it gets, and says nothing meanwhile.
    Overrun {
        /// Who, by index.
        actor: u32,
        /// How long.
        takes_ms: u32,
    },
    /// A client gives its next call so little time.
    Impatience {
        /// Who, by index; the client library plays it.
        actor: u32,
        /// How much.
        within_ms: u32,
    },
}

impl Deed {
    /// The class it belongs to.
    #[must_use]
    pub const fn class(&self) -> FaultClass {
        match self {
            Self::Stall { then: Outcome::Heals, .. } => FaultClass::StallHeal,
            Self::Stall { then: Outcome::Breaks, .. } => FaultClass::StallReset,
            Self::Dribble { .. } => FaultClass::Dribble,
            Self::SlowReader { .. } => FaultClass::SlowReader,
            Self::HalfOpen { .. } => FaultClass::HalfOpen,
            Self::Cut { last: Last::Reset, .. } => FaultClass::ResetMidPacket,
            Self::Cut { last: Last::Fin, .. } => FaultClass::FinMidPacket,
            Self::Door { reception: Reception::Refuses, .. } => FaultClass::ConnectRefused,
            Self::Door { reception: Reception::Hangs, .. } => FaultClass::ConnectHang,
            Self::Door { reception: Reception::Closes, .. } => FaultClass::AcceptClose,
            Self::ReconnectStorm { .. } => FaultClass::ReconnectStorm,
            Self::ServerPause { .. } => FaultClass::ServerPause,
            Self::WorkerPause { .. } => FaultClass::WorkerPause,
            Self::Partition { lanes: Lanes::Both, .. } => FaultClass::Partition,
            Self::Partition { lanes: Lanes::ToServer | Lanes::FromServer, .. } => FaultClass::PartitionOneWay,
            Self::ServerCrash { .. } => FaultClass::ServerCrash,
            Self::ServerPowerLoss { .. } => FaultClass::ServerPowerLoss,
            Self::ServerDrain { .. } => FaultClass::ServerDrain,
            Self::WorkerCrash { .. } => FaultClass::WorkerCrash,
            Self::Leave { .. } => FaultClass::ClientLeave,
            Self::ClockStep { .. } => FaultClass::ClockStep,
            Self::Overrun { .. } => FaultClass::JobTimeout,
            Self::Impatience { .. } => FaultClass::CallTimeout,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(ms) => write!(f, "at {ms} ms"),
            Self::Reached { stretch, nth } => write!(f, "when job no. {nth} is {stretch}"),
            Self::Storing { nth } => write!(f, "when the store is to keep record no. {nth}"),
        }
    }
}
