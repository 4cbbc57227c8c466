//! Bytes that no well-behaved peer sends.
//!
//! All of them are harmless to a server that refuses or closes; none is here that is known to stop, block or open
//! a server that people run.

use bytes::Bytes;
use gearman_protocol::{MAX_FUNCTION_NAME, MAX_UNIQUE, Magic, Outward, PacketType};
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

    /// What a decoder finds in the bytes: nothing whole, a refused request, or no message at all.
    fn found(kind: Hostile) -> &'static str {
        let bytes = kind.bytes();
        let mut input = &bytes[..];
        match Decoder::new(Limits::default()).decode(&mut input) {
            Ok(None) => "partial",
            Ok(Some(frame)) => match Request::parse(frame) {
                Ok(_) => "request",
                Err(error) if error.is_fatal() => "fatal",
                Err(_) => "refused",
            },
            Err(_) => "fatal",
        }
    }

    #[test]
    fn every_kind_is_what_it_says() {
        for kind in Hostile::ALL {
            let wanted = match (kind.closes(), kind.is_fatal()) {
                (true, _) => "partial",
                (_, true) => "fatal",
                (false, false) => "refused",
            };
            assert_eq!(found(kind), wanted, "{kind:?}");
        }
    }
}
