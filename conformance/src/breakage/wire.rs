//! Messages as they pass the proxy, whole and writable.

use bytes::{Buf as _, BytesMut};
use gearman_protocol::{HEADER_LENGTH, PacketType};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Packet {
        magic: [u8; 4],
        number: u32,
        body: Vec<u8>,
    },
    /// With its end.
    Line(Vec<u8>),
    /// Bytes of a message that is not whole, or of one that begins like none.
    Raw(Vec<u8>),
}

/// How a side of a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Fin,
    Reset,
}

/// A message and how it came.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) message: Message,
    /// In how many reads.
    pub(super) pieces: u32,
    /// Whether another came in the same read before it.
    pub(super) is_behind: bool,
}

const RESPONSE: [u8; 4] = *b"\0RES";

/// A response.
pub(super) fn response(kind: PacketType, arguments: &[&[u8]]) -> Message {
    Message::Packet { magic: RESPONSE, number: kind.number(), body: arguments.join(&0) }
}

/// A request.
pub(super) fn request(kind: PacketType, arguments: &[&[u8]]) -> Message {
    Message::Packet { magic: *b"\0REQ", number: kind.number(), body: arguments.join(&0) }
}

/// A line of text.
pub(super) fn line(text: &str) -> Message {
    Message::Line(format!("{text}\n").into_bytes())
}

impl Message {
    pub(super) fn kind(&self) -> Option<PacketType> {
        match self {
            Self::Packet { number, .. } => PacketType::from_number(*number),
            Self::Line(_) | Self::Raw(_) => None,
        }
    }

    pub(super) fn is(&self, kind: PacketType) -> bool {
        self.kind() == Some(kind)
    }

    /// Whether it is a packet of a type that no list has.
    pub(super) fn is_unlisted(&self) -> bool {
        matches!(self, Self::Packet { number, .. } if PacketType::from_number(*number).is_none())
    }

    pub(super) fn retype(&mut self, kind: PacketType) {
        if let Self::Packet { number, .. } = self {
            *number = kind.number();
        }
    }

    /// The arguments of a packet, as many as its type has; none of anything else.
    pub(super) fn arguments(&self) -> Vec<Vec<u8>> {
        let Self::Packet { body, .. } = self else { return Vec::new() };
        let count = self.kind().map_or(1, |kind| kind.arguments().len().max(1));
        body.splitn(count, |byte| *byte == 0).map(<[u8]>::to_vec).collect()
    }

    /// One argument; empty if there is none.
    pub(super) fn argument(&self, at: usize) -> Vec<u8> {
        self.arguments().get(at).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, at: usize, value: impl Into<Vec<u8>>) {
        let mut arguments = self.arguments();
        if let Some(argument) = arguments.get_mut(at) {
            *argument = value.into();
        }
        self.set_all(&arguments);
    }

    pub(super) fn set_all(&mut self, arguments: &[Vec<u8>]) {
        if let Self::Packet { body, .. } = self {
            *body = arguments.join(&0);
        }
    }

    /// The text of a line without its end.
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Line(line) => Some(line.trim_ascii_end()),
            Self::Packet { .. } | Self::Raw(_) => None,
        }
    }

    /// Whether it is a line that begins so.
    pub(super) fn begins(&self, start: &str) -> bool {
        self.text().is_some_and(|text| text.starts_with(start.as_bytes()))
    }

    /// Makes another line of a line; its end stays.
    pub(super) fn rewrite(&mut self, change: impl Fn(String) -> String) {
        if let Self::Line(line) = self {
            let at = line.trim_ascii_end().len();
            let end = line.split_off(at);
            *line = change(String::from_utf8_lossy(line).into_owned()).into_bytes();
            line.extend(end);
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Packet { magic, number, body } => {
                let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
                [&magic[..], &number.to_be_bytes(), &size.to_be_bytes(), body].concat()
            }
            Self::Line(bytes) | Self::Raw(bytes) => bytes.clone(),
        }
    }
}

/// Bytes of one direction, cut into messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
    /// In how many reads the message came that is not whole yet.
    pieces: u32,
    /// How many bytes still belong to a message whose beginning was let go.
    rest: usize,
}

impl Frames {
    /// Takes in what one read brought.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Vec<Framed> {
        self.buffer.extend_from_slice(bytes);
        self.pieces += 1;
        let mut list = Vec::new();
        while let Some(message) = self.cut() {
            list.push(Framed { message, pieces: self.pieces, is_behind: !list.is_empty() });
            self.pieces = 1;
        }
        if self.buffer.is_empty() {
            self.pieces = 0;
        }
        list
    }

    fn cut(&mut self) -> Option<Message> {
        if self.rest > 0 && !self.buffer.is_empty() {
            let count = self.rest.min(self.buffer.len());
            self.rest -= count;
            return Some(Message::Raw(self.buffer.split_to(count).to_vec()));
        }
        if *self.buffer.first()? != 0 {
            let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
            return Some(Message::Line(self.buffer.split_to(end + 1).to_vec()));
        }
        let whole = self.announced()?;
        if self.buffer.len() < whole {
            return None;
        }
        let mut packet = self.buffer.split_to(whole);
        let magic = [packet[0], packet[1], packet[2], packet[3]];
        let number = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        packet.advance(HEADER_LENGTH);
        Some(Message::Packet { magic, number, body: packet.to_vec() })
    }

    /// How long the packet at the beginning says it is, with its header.
    fn announced(&self) -> Option<usize> {
        let size = self.buffer.get(8..HEADER_LENGTH)?;
        let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]);
        Some(usize::try_from(size).unwrap_or(usize::MAX).saturating_add(HEADER_LENGTH))
    }

    /// Whether a message has arrived in part.
    pub(super) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Lets go what has arrived of a message: somebody waits for the answer to just that.
    pub(super) fn release(&mut self) -> Option<Message> {
        let first = *self.buffer.first()?;
        if first == 0 {
            self.rest = self.announced()?.saturating_sub(self.buffer.len());
        }
        Some(Message::Raw(self.buffer.split().to_vec()))
    }

    /// Everything that is left when the side has ended.
    pub(super) fn remains(&mut self) -> Option<Message> {
        (!self.buffer.is_empty()).then(|| Message::Raw(self.buffer.split().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: &[u8] = b"\0REQ\0\0\0\x10\0\0\0\x03abc";

    #[test]
    fn messages_know_how_they_came() {
        let mut frames = Frames::default();
        let list = frames.extend(&[ECHO, b"status\r\n", &ECHO[..5]].concat());
        let came: Vec<(u32, bool)> = list.iter().map(|framed| (framed.pieces, framed.is_behind)).collect();
        assert_eq!(came, [(1, false), (1, true)]);
        assert!(list[0].message.is(PacketType::EchoReq) && list[1].message.begins("status"));
        assert!(frames.is_partial());
        let list = frames.extend(&ECHO[5..]);
        assert_eq!((list[0].pieces, list[0].is_behind), (2, false));
        assert_eq!(list[0].message.bytes(), ECHO);
        assert!(!frames.is_partial());
    }

    #[test]
    fn what_is_let_go_and_its_rest_are_the_same_bytes() {
        let mut frames = Frames::default();
        assert!(frames.extend(&ECHO[..13]).is_empty());
        assert_eq!(frames.release(), Some(Message::Raw(ECHO[..13].to_vec())));
        let list = frames.extend(&[&ECHO[13..], b"x\n"].concat());
        assert_eq!(list[0].message, Message::Raw(ECHO[13..].to_vec()));
        assert_eq!(list[1].message, line("x"));
    }

    #[test]
    fn an_argument_is_changed_and_the_others_stay() {
        let mut message = response(PacketType::JobAssignUniq, &[b"H:1", b"f", b"u", b"a\0b"]);
        message.set(2, *b"other");
        assert_eq!(message, response(PacketType::JobAssignUniq, &[b"H:1", b"f", b"other", b"a\0b"]));
    }
}
