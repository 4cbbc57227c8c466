//! Frames: where one message ends and the next begins.

use crate::table::PacketType;
use bytes::Bytes;

/// The bytes before the body of a binary packet: magic, type and size, four bytes each, big-endian.
pub const HEADER_LENGTH: usize = 12;

/// The first four bytes of a binary packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Magic {
    /// `\0REQ`: towards the server.
    Request,
    /// `\0RES`: from the server.
    Response,
}

impl Magic {
    /// The four bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 4] {
        match self {
            Self::Request => *b"\0REQ",
            Self::Response => *b"\0RES",
        }
    }

    /// The magic with these bytes, if they are one.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        match &bytes {
            b"\0REQ" => Some(Self::Request),
            b"\0RES" => Some(Self::Response),
            _ => None,
        }
    }
}

/// A binary packet whose boundaries are known; its type and its arguments may still be nonsense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Which way it claims to go.
    pub magic: Magic,
    /// The number of its type, known or not.
    pub number: u32,
    /// Its arguments, joined by NUL bytes.
    pub body: Bytes,
}

impl Packet {
    /// Its type, if the number is one that the protocol knows.
    #[must_use]
    pub const fn packet_type(&self) -> Option<PacketType> {
        PacketType::from_number(self.number)
    }
}

/// One message of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A binary packet.
    Packet(Packet),
    /// A line of the text protocol, without its `\n` or `\r\n`.
    Line(Bytes),
    /// A binary packet whose announced size is over the limit; its body is skipped, not kept.
    Oversized {
        /// The number of its type, known or not.
        number: u32,
        /// The announced size of its body in bytes.
        size: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_type_that_the_protocol_gives_it_or_none() {
        let packet_type = |number| Packet { magic: Magic::Request, number, body: Bytes::new() }.packet_type();
        assert_eq!(packet_type(16), Some(PacketType::EchoReq));
        assert_eq!(packet_type(43), None);
    }
}
