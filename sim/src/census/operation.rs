//! What a peer can do to a server, by name.

use crate::history::{Closing, Connection, Entry, What};
use crate::lives::Lives;
use crate::workload::Hostile;
use gearman_protocol::{
    AdminRequest, Direction, Grab, MAX_UNIQUE, Mode, PacketType, Report, Request, Submit,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Something that a peer does: a request, a way to make one, or the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation(&'static str);

/// The commands of the text protocol.
const COMMANDS: [&str; 15] = [
    "status",
    "prioritystatus",
    "workers",
    "show jobs",
    "show unique jobs",
    "cancel job",
    "create function",
    "drop function",
    "maxqueue",
    "version",
    "getpid",
    "verbose",
    "shutdown",
    "shutdown graceful",
    "text that is no command",
];
/// Ways to submit that have no packet of their own.
const WAYS: [&str; 9] = [
    "no unique",
    "a unique",
    "the longest unique",
    "workload as unique",
    "a unique that is no text",
    "an empty workload",
    "a workload to 1 KiB",
    "a workload to 1 MiB",
    "a workload over 1 MiB",
];
/// The two kinds of OPTION_REQ.
const OPTIONS: [&str; 2] = ["the option exceptions", "an unknown option"];
/// What a job that is submitted with a time may mean by it.
const EPOCHS: [&str; 3] = ["a time that has passed", "a time to come", "a time that is far away"];
/// What makes a worker more than one that can do one thing, one job after the other.
const PLURALS: [&str; 2] = ["a grab for several functions", "a job besides others in hand"];
/// What those do who know several servers, when they connect.
const MOVES: [&str; 2] = ["connects to another server", "comes back to a server"];
/// What is no request; which kind of bytes it is counts besides.
const OTHERS: [&str; 3] = ["bytes that are no request", "half-closes", "closes"];
/// What is so far away that no run lasts so long, in milliseconds.
const FAR_MS: i64 = 60_000;

impl Operation {
    /// All of them: the packets that a server takes, the commands of the text protocol, and the rest.
    pub fn all() -> impl Iterator<Item = Self> {
        // By calendar no server submits: to the protocol it is a packet that is not taken.
        let is_taken = |packet: &PacketType| {
            matches!(packet.direction(), Direction::Request | Direction::Both)
                && *packet != PacketType::SubmitJobSched
        };
        let packets =
            PacketType::ALL.iter().filter(move |packet| is_taken(packet)).map(|packet| packet.name());
        let others = COMMANDS.into_iter().chain(WAYS).chain(OPTIONS).chain(EPOCHS).chain(PLURALS);
        let others = others.chain(MOVES).chain(OTHERS);
        packets.chain(others).chain(Hostile::ALL.map(Hostile::name)).map(Self)
    }

    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|operation| operation.0 == name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// What an entry of a history shows a peer to do by itself, and on which connection; a submit is three operations, and
    /// a connection none unless one was before.
    pub(super) fn of(what: &What) -> Option<(Connection, Vec<Self>)> {
        match what {
            What::Wrote { connection, request } => Some((*connection, Self::of_request(request))),
            What::WroteMalformed { connection, kind, .. } => {
                let kind = kind.map(|kind| Self(kind.name()));
                Some((*connection, [Self(OTHERS[0])].into_iter().chain(kind).collect()))
            }
            What::Closed { connection, how: Closing::HalfClosed } => {
                Some((*connection, vec![Self(OTHERS[1])]))
            }
            What::Closed { connection, how: Closing::ByPeer } => Some((*connection, vec![Self(OTHERS[2])])),
            What::Connected { connection, .. } => Some((*connection, vec![])),
            What::Closed { .. }
            | What::Read { .. }
            | What::ReadMalformed { .. }
            | What::Ended { .. }
            | What::ServerUp(_)
            | What::ServerDrains(_)
            | What::ServerEnds(_)
            | What::ServerDown(_)
            | What::StormOver
            | What::AtRest => None,
        }
    }

    /// What else it is, because of what this peer has done before or because of the time.
    pub(super) fn as_things_stand(lives: &Lives, entry: &Entry) -> Option<Self> {
        if let What::Connected { actor, server, .. } = entry.what {
            return match lives.moves(actor, server) {
                (true, is_back) => Some(Self(MOVES[usize::from(is_back)])),
                (false, _) => None,
            };
        }
        let What::Wrote { connection, request } = &entry.what else { return None };
        if let Request::Grab(_) = request {
            return (lives.functions(*connection) > 1).then_some(Self(PLURALS[0]));
        }
        // Who forgets a job and takes another holds both, and works at one.
        if let Request::Work { handle, .. } = request {
            return lives.works_beside(*connection, handle.as_bytes()).then_some(Self(PLURALS[1]));
        }
        let Request::Submit(Submit { mode: Mode::Epoch(epoch), .. }) = request else { return None };
        let epoch_s = std::str::from_utf8(epoch).ok()?.parse().ok()?;
        Some(Self(match lives.until_epoch(entry.at, epoch_s) {
            ..=0 => EPOCHS[0],
            1..FAR_MS => EPOCHS[1],
            FAR_MS.. => EPOCHS[2],
        }))
    }

    /// The one that no single entry of a history shows.
    pub(super) const fn cut_off() -> Self {
        Self(Hostile::CutOff.name())
    }

    fn of_request(request: &Request) -> Vec<Self> {
        use PacketType as P;
        let packet = match request {
            Request::Submit(submit) => return Self::of_submit(submit),
            Request::Admin(command) => return vec![Self(of_command(command))],
            Request::Option { name } => {
                let known = name.eq_ignore_ascii_case(b"exceptions");
                return vec![Self(P::OptionReq.name()), Self(OPTIONS[usize::from(!known)])];
            }
            Request::CanDo { timeout: None, .. } => P::CanDo,
            Request::CanDo { timeout: Some(_), .. } => P::CanDoTimeout,
            Request::CantDo { .. } => P::CantDo,
            Request::ResetAbilities => P::ResetAbilities,
            Request::PreSleep => P::PreSleep,
            Request::AllYours => P::AllYours,
            Request::Grab(Grab::Plain) => P::GrabJob,
            Request::Grab(Grab::Uniq) => P::GrabJobUniq,
            Request::Grab(Grab::All) => P::GrabJobAll,
            Request::Work { report, .. } => of_report(report),
            Request::GetStatus { .. } => P::GetStatus,
            Request::GetStatusUnique { .. } => P::GetStatusUnique,
            Request::Echo { .. } => P::EchoReq,
            Request::SetClientId { .. } => P::SetClientId,
        };
        vec![Self(packet.name())]
    }

    fn of_submit(submit: &Submit) -> Vec<Self> {
        let unique = match submit.unique.as_bytes() {
            b"" => WAYS[0],
            b"-" => WAYS[3],
            unique if unique.iter().any(|byte| !(b' '..=b'~').contains(byte)) => WAYS[4],
            unique if unique.len() == MAX_UNIQUE => WAYS[2],
            _ => WAYS[1],
        };
        let workload = match submit.workload.len() {
            0 => WAYS[5],
            1..=1024 => WAYS[6],
            1025..=1_048_576 => WAYS[7],
            _ => WAYS[8],
        };
        vec![Self(submit.packet_type().name()), Self(unique), Self(workload)]
    }
}

const fn of_report(report: &Report) -> PacketType {
    match report {
        Report::Data(_) => PacketType::WorkData,
        Report::Warning(_) => PacketType::WorkWarning,
        Report::Status { .. } => PacketType::WorkStatus,
        Report::Complete(_) => PacketType::WorkComplete,
        Report::Fail => PacketType::WorkFail,
        Report::Exception(_) => PacketType::WorkException,
    }
}

const fn of_command(command: &AdminRequest) -> &'static str {
    match command {
        AdminRequest::Status => COMMANDS[0],
        AdminRequest::PriorityStatus => COMMANDS[1],
        AdminRequest::Workers => COMMANDS[2],
        AdminRequest::ShowJobs => COMMANDS[3],
        AdminRequest::ShowUniqueJobs => COMMANDS[4],
        AdminRequest::CancelJob(_) => COMMANDS[5],
        AdminRequest::CreateFunction(_) => COMMANDS[6],
        AdminRequest::DropFunction(_) => COMMANDS[7],
        AdminRequest::MaxQueue { .. } => COMMANDS[8],
        AdminRequest::Version => COMMANDS[9],
        AdminRequest::GetPid => COMMANDS[10],
        AdminRequest::Verbose => COMMANDS[11],
        AdminRequest::Shutdown { graceful: false } => COMMANDS[12],
        AdminRequest::Shutdown { graceful: true } => COMMANDS[13],
        AdminRequest::Malformed(_) => COMMANDS[14],
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom(format!("there is no operation {name:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Operation::all().map(Operation::name).collect();
        assert_eq!(names.len(), Operation::all().count());
        assert!(Operation::all().all(|operation| Operation::from_name(operation.name()) == Some(operation)));
    }
}
