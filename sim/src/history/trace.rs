//! How an entry is printed: one line each, in the protocol's own words.

use super::{Closing, Entry, ServerId, What};
use gearman_protocol::{AdminReply, Grab, JobStatus, Mode, Outward, PacketType, Report, Request, Response};
use std::fmt;

/// Bytes of a longer workload that are shown.
const SHOWN: usize = 24;

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6} ms  #{}  {}", self.at.as_millis(), self.place, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerUp(server) => write!(f, "{server} up"),
            Self::ServerDrains(server) => write!(f, "{server} is told to end"),
            Self::ServerEnds(server) => write!(f, "{server} ends"),
            Self::ServerDown(server) => write!(f, "{server} down"),
            Self::Connected { connection, actor, server } if *server == ServerId::default() => {
                write!(f, "{connection} is {actor}, connected")
            }
            Self::Connected { connection, actor, server } => {
                write!(f, "{connection} is {actor}, connected to {server}")
            }
            Self::Wrote { connection, request } => write!(f, "{connection} > {}", Shown(request)),
            Self::WroteMalformed { connection, error, .. } => write!(f, "{connection} > garbage: {error}"),
            Self::Read { connection, response } => write!(f, "{connection} < {}", Shown(response)),
            Self::ReadMalformed { connection, error } => write!(f, "{connection} < garbage: {error}"),
            Self::Closed { connection, how } => write!(f, "{connection} {how}"),
            Self::Ended { connection } => write!(f, "{connection} has ended at the server"),
            Self::StormOver => write!(f, "the storm is over"),
            Self::AtRest => write!(f, "all is at rest"),
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByPeer => "closed by the peer",
            Self::HalfClosed => "half-closed by the peer",
            Self::ByServer => "closed by the server",
            Self::OnTheWay => "closed on the way",
            Self::Reset => "reset",
        })
    }
}

/// Something of the protocol in one line.
pub(crate) struct Shown<'a, T: ?Sized>(pub(crate) &'a T);

impl fmt::Display for Shown<'_, [u8]> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN)];
        write!(f, "\"{}\"", shown.escape_ascii())?;
        if self.0.len() > SHOWN { write!(f, ".. {} B", self.0.len()) } else { Ok(()) }
    }
}

impl fmt::Display for Shown<'_, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Request::CanDo { function, timeout: None } => write!(f, "CAN_DO {function}"),
            Request::CanDo { function, timeout: Some(timeout) } => {
                write!(f, "CAN_DO_TIMEOUT {function} {}", timeout.0.escape_ascii())
            }
            Request::CantDo { function } => write!(f, "CANT_DO {function}"),
            Request::ResetAbilities => f.write_str("RESET_ABILITIES"),
            Request::PreSleep => f.write_str("PRE_SLEEP"),
            Request::AllYours => f.write_str("ALL_YOURS"),
            Request::Submit(submit) => {
                let name = submit.packet_type().name();
                write!(f, "{name} {} unique \"{}\" ", submit.function, submit.unique)?;
                if let Mode::Epoch(seconds) = &submit.mode {
                    write!(f, "at {} ", seconds.escape_ascii())?;
                }
                if let Some(reducer) = &submit.reducer {
                    write!(f, "reducer \"{reducer}\" ")?;
                }
                Shown(&submit.workload[..]).fmt(f)
            }
            Request::Grab(form) => f.write_str(match form {
                Grab::Plain => "GRAB_JOB",
                Grab::Uniq => "GRAB_JOB_UNIQ",
                Grab::All => "GRAB_JOB_ALL",
            }),
            Request::Work { handle, report } => write!(f, "{handle} {}", Shown(report)),
            Request::GetStatus { handle } => write!(f, "GET_STATUS {handle}"),
            Request::GetStatusUnique { unique } => write!(f, "GET_STATUS_UNIQUE {}", Shown(&unique[..])),
            Request::Echo { data } => write!(f, "ECHO_REQ {}", Shown(&data[..])),
            Request::Option { name } => write!(f, "OPTION_REQ {}", name.escape_ascii()),
            Request::SetClientId { id } => write!(f, "SET_CLIENT_ID {}", Shown(&id[..])),
            Request::Admin(command) => {
                let mut out = Outward::new();
                command.encode(&mut out);
                write!(f, "{}", out.to_vec().trim_ascii_end().escape_ascii())
            }
        }
    }
}

impl fmt::Display for Shown<'_, Report> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Report::Data(data) => write!(f, "{} {}", PacketType::WorkData.name(), Shown(&data[..])),
            Report::Warning(data) => write!(f, "{} {}", PacketType::WorkWarning.name(), Shown(&data[..])),
            Report::Status { numerator, denominator } => {
                let name = PacketType::WorkStatus.name();
                write!(f, "{name} {}/{}", numerator.escape_ascii(), denominator.escape_ascii())
            }
            Report::Complete(data) => write!(f, "{} {}", PacketType::WorkComplete.name(), Shown(&data[..])),
            Report::Fail => f.write_str(PacketType::WorkFail.name()),
            Report::Exception(data) => write!(f, "{} {}", PacketType::WorkException.name(), Shown(&data[..])),
        }
    }
}

impl fmt::Display for Shown<'_, Response> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Response::JobCreated { handle } => write!(f, "JOB_CREATED {handle}"),
            Response::Noop => f.write_str("NOOP"),
            Response::NoJob => f.write_str("NO_JOB"),
            Response::JobAssign(assignment) => {
                let (handle, function, unique) =
                    (&assignment.handle, &assignment.function, &assignment.unique);
                match assignment.form {
                    Grab::Plain => write!(f, "JOB_ASSIGN {handle} {function} ")?,
                    Grab::Uniq => write!(f, "JOB_ASSIGN_UNIQ {handle} {function} unique \"{unique}\" ")?,
                    Grab::All => {
                        let reducer = &assignment.reducer;
                        write!(
                            f,
                            "JOB_ASSIGN_ALL {handle} {function} unique \"{unique}\" reducer \"{reducer}\" "
                        )?;
                    }
                }
                Shown(&assignment.workload[..]).fmt(f)
            }
            Response::Work { handle, report } => write!(f, "{handle} {}", Shown(report)),
            Response::Status(JobStatus { handle, known, running, numerator, denominator }) => {
                write!(f, "STATUS_RES {handle} known {known} running {running} {numerator}/{denominator}")
            }
            Response::StatusUnique(status) => write!(
                f,
                "STATUS_RES_UNIQUE {} known {} running {} {}/{} watchers {}",
                Shown(&status.unique[..]),
                status.known,
                status.running,
                status.numerator,
                status.denominator,
                status.watchers
            ),
            Response::Echo { data } => write!(f, "ECHO_RES {}", Shown(&data[..])),
            Response::Option { name } => write!(f, "OPTION_RES {}", name.escape_ascii()),
            Response::Error { code, text } => {
                write!(f, "ERROR {} {}", code.escape_ascii(), text.escape_ascii())
            }
            Response::Admin(AdminReply::Line(line)) => write!(f, "{}", line.escape_ascii()),
            Response::Admin(reply) => write!(f, "{reply:?}"),
        }
    }
}
