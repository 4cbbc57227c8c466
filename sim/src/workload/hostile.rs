//! Bytes that no well-behaved peer sends.
//!
//! All of them are harmless to a server that refuses or closes; none is here that is known to stop, block or open
//! a server that people run.

use bytes::Bytes;
use gearman_protocol::{
    DecodeError, Frame, MAX_FUNCTION_NAME, MAX_UNIQUE, Magic, Outward, Packet, PacketType,
};
use serde::{Deserialize, Serialize};

/// A kind of bytes that are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostile {
    /// A whole packet with the magic of a response.
    ResponseMagic,
    /// A packet of a type that nobody knows.
    UnknownType,
    /// A packet of a type that only servers send.
    ServersType,
    /// A packet of the type that was never given away.
    UnusedType,
    /// SUBMIT_JOB_SCHED, which no server does.
    Scheduled,
    /// A submit for the function without a name.
    NamelessFunction,
    /// A CAN_DO whose function's name has a line feed in it.
    ControlInFunction,
    /// A CAN_DO whose function's name is one byte too long.
    LongFunction,
    /// A submit whose unique is one byte too long.
    LongUnique,
    /// A header that promises more than ever comes, after which the peer closes.
    CutOff,
    /// A NUL and three letters that are no magic.
    Garbage,
    /// A text line that does not end.
    EndlessLine,
}

impl Hostile {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::ResponseMagic,
        Self::UnknownType,
        Self::ServersType,
        Self::UnusedType,
        Self::Scheduled,
        Self::NamelessFunction,
        Self::ControlInFunction,
        Self::LongFunction,
        Self::LongUnique,
        Self::CutOff,
        Self::Garbage,
        Self::EndlessLine,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResponseMagic => "a response",
            Self::UnknownType => "a type that nobody knows",
            Self::ServersType => "a type that servers send",
            Self::UnusedType => "a type never given away",
            Self::Scheduled => "a submit by calendar",
            Self::NamelessFunction => "a function without a name",
            Self::ControlInFunction => "a line feed in a name",
            Self::LongFunction => "a name that is too long",
            Self::LongUnique => "a unique that is too long",
            Self::CutOff => "closes within a message",
            Self::Garbage => "no magic",
            Self::EndlessLine => "a line without an end",
        }
    }

    /// Which kind some bytes are that a peer has written, from what was found in them: how they are wrong, and the
    /// message if there is a whole one.
    #[must_use]
    pub fn found(error: DecodeError, message: Option<&Frame>) -> Option<Self> {
        match error {
            DecodeError::BadMagic(_) => Some(Self::Garbage),
            DecodeError::LineTooLong { .. } => Some(Self::EndlessLine),
            DecodeError::WrongMagic { .. } => Some(Self::ResponseMagic),
            DecodeError::UniqueTooLarge => Some(Self::LongUnique),
            DecodeError::UnexpectedType(number) => Some(match PacketType::from_number(number) {
                None => Self::UnknownType,
                Some(PacketType::Unused5) => Self::UnusedType,
                Some(PacketType::SubmitJobSched) => Self::Scheduled,
                Some(_) => Self::ServersType,
            }),
            DecodeError::FunctionName => {
                let Some(Frame::Packet(Packet { body, .. })) = message else { return None };
                Some(match body.iter().position(|&byte| byte == 0).unwrap_or(body.len()) {
                    0 => Self::NamelessFunction,
                    length if length > MAX_FUNCTION_NAME => Self::LongFunction,
                    _ => Self::ControlInFunction,
                })
            }
            DecodeError::TooFewArguments { .. }
            | DecodeError::PacketTooLarge { .. }
            | DecodeError::NotANumber { .. } => None,
        }
    }

    /// What goes over the wire.
    #[must_use]
    pub fn bytes(self) -> Bytes {
        let request = Magic::Request;
        match self {
            Self::ResponseMagic => packet(Magic::Response, PacketType::EchoReq.number(), &[b"mirror"]),
            Self::UnknownType => packet(request, 99, &[b"what", b"is", b"this"]),
            Self::ServersType => packet(request, PacketType::JobCreated.number(), &[b"H:sim:1"]),
            Self::UnusedType => packet(request, PacketType::Unused5.number(), &[]),
            Self::Scheduled => {
                let number = PacketType::SubmitJobSched.number();
                packet(request, number, &[b"f0", b"u", b"0", b"0", b"1", b"0", b"0", b"workload"])
            }
            Self::NamelessFunction => {
                packet(request, PacketType::SubmitJob.number(), &[b"", b"u", b"workload"])
            }
            Self::ControlInFunction => packet(request, PacketType::CanDo.number(), &[b"f\n0"]),
            Self::LongFunction => {
                packet(request, PacketType::CanDo.number(), &[&[b'f'; MAX_FUNCTION_NAME + 1]])
            }
            Self::LongUnique => packet(
                request,
                PacketType::SubmitJob.number(),
                &[b"f0", &[b'u'; MAX_UNIQUE + 1], b"workload"],
            ),
            Self::CutOff => {
                let whole = packet(request, PacketType::EchoReq.number(), &[b"this much was promised"]);
                whole.slice(..20)
            }
            Self::Garbage => Bytes::from_static(b"\0HEY, is this thing on?"),
            Self::EndlessLine => Bytes::from(vec![b'a'; 8200]),
        }
    }

    /// Whether the peer closes right after it, because nothing more makes sense.
    #[must_use]
    pub const fn closes(self) -> bool {
        matches!(self, Self::CutOff)
    }

    /// Whether the server closes, because it cannot know where the message ends.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        matches!(self, Self::Garbage | Self::EndlessLine)
    }
}

fn packet(magic: Magic, number: u32, arguments: &[&[u8]]) -> Bytes {
    let mut out = Outward::new();
    out.put_packet(magic, number, arguments, None);
    out.to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_protocol::{Decoder, Limits, Request};

    /// What a decoder finds in the bytes: nothing whole, a refused request, or no message at all; and which kind that
    /// looks like.
    fn found(kind: Hostile) -> (&'static str, Option<Hostile>) {
        let bytes = kind.bytes();
        let mut input = &bytes[..];
        match Decoder::new(Limits::default()).decode(&mut input) {
            Ok(None) => ("partial", None),
            Ok(Some(frame)) => match Request::parse(frame.clone()) {
                Ok(_) => ("request", None),
                Err(error) if error.is_fatal() => ("fatal", Hostile::found(error, Some(&frame))),
                Err(error) => ("refused", Hostile::found(error, Some(&frame))),
            },
            Err(error) => ("fatal", Hostile::found(error, None)),
        }
    }

    #[test]
    fn every_kind_is_what_it_says_and_is_known_again() {
        for kind in Hostile::ALL {
            let wanted = match (kind.closes(), kind.is_fatal()) {
                (true, _) => ("partial", None),
                (_, true) => ("fatal", Some(kind)),
                (false, false) => ("refused", Some(kind)),
            };
            assert_eq!(found(kind), wanted, "{kind:?}");
        }
    }
}
