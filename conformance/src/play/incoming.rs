//! What has arrived on a connection, cut into messages as they are on the wire.
//!
//! The cutting is done here rather than by the protocol's decoder: a conformance tool must see the magic, the
//! line ends and the half messages that a decoder for well-behaved peers refuses or hides.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use gearman_protocol::{HEADER_LENGTH, Magic, PacketType, split_arguments};

use crate::language::{LineEnd, escaped};

/// How many bytes of an argument are shown.
pub(super) const SHOWN: usize = 64;

/// One message, or the end of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// A binary packet, whatever its magic and type.
    Packet(RawPacket),
    /// A line of text.
    Line {
        /// The line without its end.
        text: Bytes,
        /// Its end.
        end: LineEnd,
    },
    /// The beginning of a message that never came to its end.
    Partial(Bytes),
    /// The peer ended the connection.
    End(Ended),
}

/// A packet as it came, before anything is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawPacket {
    /// The magic that belongs on packets from this peer.
    pub(crate) usual: Magic,
    pub(crate) magic: [u8; 4],
    pub(crate) number: u32,
    pub(crate) body: Bytes,
}

/// How the peer ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Fin,
    Reset,
}

impl Message {
    /// What it was on the wire; of a long body the beginning.
    pub(crate) fn beginning(&self) -> Vec<u8> {
        match self {
            Self::Packet(packet) => {
                let size = u32::try_from(packet.body.len()).unwrap_or(u32::MAX);
                let body = &packet.body[..packet.body.len().min(SHOWN)];
                [&packet.magic[..], &packet.number.to_be_bytes(), &size.to_be_bytes(), body].concat()
            }
            Self::Line { text, end } => [&text[..], end.bytes()].concat(),
            Self::Partial(bytes) => bytes.to_vec(),
            Self::End(_) => Vec::new(),
        }
    }
}

/// Bytes that have arrived and the messages cut from them.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The magic that belongs on packets from this peer.
    pub(crate) usual: Magic,
    /// Lines that begin with `#` are remarks for people, and no messages.
    has_remarks: bool,
    buffer: BytesMut,
    messages: VecDeque<Message>,
    ended: Option<Ended>,
}

impl Incoming {
    /// Nothing yet, from a server.
    pub(crate) fn from_server() -> Self {
        Self {
            usual: Magic::Response,
            has_remarks: false,
            buffer: BytesMut::new(),
            messages: VecDeque::new(),
            ended: None,
        }
    }

    /// Nothing yet, from a client or a worker.
    pub(crate) fn from_client() -> Self {
        Self { usual: Magic::Request, ..Self::from_server() }
    }

    /// Nothing yet, from a program that says lines of words.
    pub(crate) fn from_program() -> Self {
        Self { has_remarks: true, ..Self::from_server() }
    }

    /// Takes in bytes; returns the messages they completed, for the timeline.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> impl Iterator<Item = &Message> {
        self.buffer.extend_from_slice(bytes);
        let before = self.messages.len();
        while let Some(message) = cut(&mut self.buffer, self.usual) {
            let is_remark = matches!(&message, Message::Line { text, .. } if text.starts_with(b"#"));
            if !(self.has_remarks && is_remark) {
                self.messages.push_back(message);
            }
        }
        self.messages.range(before..)
    }

    /// Takes in the end of the connection.
    pub(crate) fn end(&mut self, ended: Ended) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(ended);
        if !self.buffer.is_empty() {
            self.messages.push_back(Message::Partial(self.buffer.split().freeze()));
        }
        self.messages.push_back(Message::End(ended));
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// The first message; the end stays the first for ever.
    pub(crate) fn head(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(crate) fn take(&mut self) {
        if !matches!(self.messages.front(), Some(Message::End(_))) {
            self.messages.pop_front();
        }
    }

    /// Takes every message that waits.
    pub(crate) fn take_all(&mut self) -> VecDeque<Message> {
        std::mem::take(&mut self.messages)
    }

    /// Every message that waits; the end is the last.
    pub(crate) fn messages(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.messages.iter()
    }

    /// How many bytes of an unfinished message are there.
    pub(crate) fn unfinished(&self) -> usize {
        self.buffer.len()
    }

    /// Whether anything at all has arrived and was not taken.
    pub(crate) fn is_quiet(&self) -> bool {
        self.messages.is_empty() && self.buffer.is_empty()
    }
}

/// Cuts the first complete message off: a NUL begins a packet, anything else a line.
fn cut(buffer: &mut BytesMut, usual: Magic) -> Option<Message> {
    if *buffer.first()? != 0 {
        let at = buffer.iter().position(|&byte| byte == b'\n')?;
        let mut text = buffer.split_to(at).freeze();
        buffer.advance(1);
        let end = if text.last() == Some(&b'\r') { LineEnd::CrLf } else { LineEnd::Lf };
        text.truncate(text.len() - usize::from(end == LineEnd::CrLf));
        return Some(Message::Line { text, end });
    }
    let header: [u8; HEADER_LENGTH] = buffer.get(..HEADER_LENGTH)?.try_into().ok()?;
    let [m0, m1, m2, m3, t0, t1, t2, t3, s0, s1, s2, s3] = header;
    let size = usize::try_from(u32::from_be_bytes([s0, s1, s2, s3])).ok()?;
    if buffer.len() - HEADER_LENGTH < size {
        return None;
    }
    buffer.advance(HEADER_LENGTH);
    Some(Message::Packet(RawPacket {
        usual,
        magic: [m0, m1, m2, m3],
        number: u32::from_be_bytes([t0, t1, t2, t3]),
        body: buffer.split_to(size).freeze(),
    }))
}

impl Message {
    /// The bytes as they came; the end has none.
    pub(crate) fn wire(&self) -> Vec<u8> {
        match self {
            Self::Packet(packet) => {
                let size = u32::try_from(packet.body.len()).unwrap_or(u32::MAX);
                [&packet.magic[..], &packet.number.to_be_bytes(), &size.to_be_bytes(), &packet.body].concat()
            }
            Self::Line { text, end } => [text, end.bytes()].concat(),
            Self::Partial(bytes) => bytes.to_vec(),
            Self::End(_) => Vec::new(),
        }
    }
}

impl RawPacket {
    /// The type, if the number is known.
    pub(crate) fn packet_type(&self) -> Option<PacketType> {
        PacketType::from_number(self.number)
    }

    /// The body cut into `count` arguments; `None` if a NUL is missing.
    pub(crate) fn arguments(&self, count: usize) -> Option<Vec<Bytes>> {
        match count {
            // A packet without arguments whose body is not empty must not pass as one with an empty body.
            0 => self.body.is_empty().then(Vec::new),
            _ => split_arguments(&self.body, count),
        }
    }

    /// The name as transcripts write it.
    pub(crate) fn name(&self) -> String {
        let number = self.number;
        match (self.packet_type(), Magic::from_bytes(self.magic)) {
            (Some(packet_type), Some(magic)) if magic == self.usual => packet_type.name().to_owned(),
            (_, Some(Magic::Response)) => format!("RES({number})"),
            (_, Some(Magic::Request)) => format!("REQ({number})"),
            (_, None) => format!("RES({number}) {{magic=\"{}\"}}", escaped(&self.magic)),
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(packet) => {
                f.write_str(&packet.name())?;
                let count = packet.packet_type().map_or(1, |packet_type| packet_type.arguments().len());
                match packet.arguments(count) {
                    Some(arguments) => {
                        arguments.iter().try_for_each(|argument| write!(f, " {}", shown(argument)))
                    }
                    None => write!(f, " {}", shown(&packet.body)),
                }
            }
            Self::Line { text, .. } => write!(f, "text {}", shown(text)),
            Self::Partial(bytes) => write!(f, "raw {}  # a message without its end", shown(bytes)),
            Self::End(Ended::Fin) => f.write_str("fin"),
            Self::End(Ended::Reset) => f.write_str("reset"),
        }
    }
}

/// Bytes between quotes, cut when they are long.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(head) if bytes.len() > SHOWN => format!("\"{}...\" ({} bytes)", escaped(head), bytes.len()),
        _ => format!("\"{}\"", escaped(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<String> {
        let mut incoming = Incoming::from_server();
        for chunk in chunks {
            let _ = incoming.extend(chunk).count();
        }
        incoming.end(Ended::Fin);
        incoming.messages.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn packets_lines_and_halves_are_told_apart() {
        let wire = b"OK\r\n\0RES\0\0\0\x08\0\0\0\x03H:1\0REQ\0\0\0\x0e\0\0\0\x01xERR\n\0RE";
        assert_eq!(
            all(&[wire]),
            [
                "text \"OK\"",
                "JOB_CREATED \"H:1\"",
                "REQ(14) \"x\"",
                "text \"ERR\"",
                "raw \"\\0RE\"  # a message without its end",
                "fin"
            ]
        );
    }

    #[test]
    fn a_body_where_none_belongs_is_seen() {
        let packet = RawPacket {
            usual: Magic::Response,
            magic: *b"\0RES",
            number: 10,
            body: Bytes::from_static(b"x"),
        };
        assert_eq!(packet.arguments(0), None);
    }

    proptest! {
        #[test]
        fn any_split_cuts_the_same(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'\n'), Just(1u8), any::<u8>()], 0..80), at in 0usize..80) {
            let at = at.min(bytes.len());
            prop_assert_eq!(all(&[&bytes]), all(&[&bytes[..at], &bytes[at..]]));
        }
    }
}
