//! Incremental decoding: bytes in whatever pieces they arrive become frames.

use crate::body::kept;
use crate::error::DecodeError;
use crate::frame::{Frame, HEADER_LENGTH, Magic, Packet};
use crate::gathered::Gathered;
use bytes::buf::Limit;
use bytes::{BufMut, Bytes};

/// How large a message a decoder takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of a binary packet in bytes; up to 4 GiB - 1, which is the default.
    pub packet: u32,
    /// The longest text line in bytes, line end included; 8192 by default. Who reads the answer to `workers`
    /// needs more: all functions of a worker are on one line.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packet: u32::MAX, line: 8192 }
    }
}

/// Turns a stream of bytes, in either direction, into frames.
///
/// A message that lies whole in the input is copied once, into bytes of exactly its size, so that a workload
/// that is kept for long does not pin a read buffer. A message that arrives in parts is gathered in a buffer
/// that is at most four times as large as what has arrived (or [`Decoder::SMALL`]), whatever the header
/// announces, and that moves so seldom that all moves together copy a third of the message's length. Who reads from
/// a socket may read into that buffer ([`Decoder::room`]), and spares the message the way through another; it is then
/// up to four times as large as what has arrived and [`Decoder::LONG`] more.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    state: State,
}

/// Where the decoder stands.
///
/// ```text
///          first byte NUL              12 bytes             size bytes
/// Between ----------------> Header ------------> Body ------------------> Between
///    |                       |    \-- over the limit --> Skipping --------> Between
///    |  other                 \-- bad magic --> Broken
///    +-----------------------> Line ---- \n ----------------------------> Between
///                                \-- no \n within the limit --> Broken
/// ```
#[derive(Debug)]
enum State {
    Between,
    Header(PartialHeader),
    Body { header: Header, gathered: Gathered },
    Line { gathered: Gathered },
    Skipping { left: usize },
    Broken(DecodeError),
}

/// The header of a binary packet whose magic is good.
#[derive(Clone, Copy, Debug)]
struct Header {
    magic: Magic,
    number: u32,
    size: u32,
}

impl Header {
    fn parse(bytes: [u8; HEADER_LENGTH]) -> Result<Self, DecodeError> {
        let [m0, m1, m2, m3, t0, t1, t2, t3, s0, s1, s2, s3] = bytes;
        let magic = [m0, m1, m2, m3];
        let magic = Magic::from_bytes(magic).ok_or(DecodeError::BadMagic(magic))?;
        let number = u32::from_be_bytes([t0, t1, t2, t3]);
        let size = u32::from_be_bytes([s0, s1, s2, s3]);
        Ok(Self { magic, number, size })
    }

    fn packet(self, body: impl Into<Bytes>) -> Frame {
        Frame::Packet(Packet { magic: self.magic, number: self.number, body: body.into() })
    }

    fn length(self) -> usize {
        self.size as usize
    }
}

/// The bytes of a header that have arrived.
#[derive(Clone, Copy, Debug, Default)]
struct PartialHeader {
    bytes: [u8; HEADER_LENGTH],
    filled: usize,
}

impl PartialHeader {
    /// Takes what is missing; `None` if that is not all there. A bad magic is told as soon as it is seen.
    fn fill(&mut self, input: &mut &[u8]) -> Result<Option<Header>, DecodeError> {
        let part = take(input, HEADER_LENGTH - self.filled);
        self.bytes[self.filled..][..part.len()].copy_from_slice(part);
        self.filled += part.len();
        if self.filled < size_of_val(&Magic::Request.bytes()) {
            return Ok(None);
        }
        let header = Header::parse(self.bytes)?;
        Ok((self.filled == HEADER_LENGTH).then_some(header))
    }
}

impl Decoder {
    /// The bytes that an unfinished message may occupy however little of it has arrived.
    pub const SMALL: usize = 64;

    /// How much of a message must be missing, and how much of it must have arrived or the buffer have room for, that it
    /// is worth a read of its own, in bytes: others may follow a shorter rest in the same read.
    pub const LONG: usize = 16 * 1024;

    /// A decoder at the start of a connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: State::Between }
    }

    /// Takes the next frame from the front of `input`, which is advanced past what was used.
    ///
    /// `Ok(None)` means that all input was used and the next frame is not whole yet.
    ///
    /// # Errors
    /// Only fatal ones ([`DecodeError::is_fatal`]): the end of the message is unknown, and every later call
    /// says the same.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, DecodeError> {
        if let State::Broken(error) = self.state {
            return Err(error);
        }
        while let Some(&first) = input.first() {
            // Only between two messages: the body of one may look like a packet.
            if matches!(self.state, State::Between)
                && let Some(frame) = self.whole_packet(input)
            {
                return Ok(Some(frame));
            }
            match self.step(first, input) {
                Ok(None) => {}
                Ok(frame) => return Ok(frame),
                Err(error) => {
                    self.state = State::Broken(error);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Where up to `most` of the next bytes can be read to at once, because they all belong to a long message;
    /// `None` if what comes next is to be given to [`Decoder::decode`]. Has room for at least one byte if `most` is
    /// not 0.
    ///
    /// When something was read, [`Decoder::take_whole`] has the message if that was the rest of it.
    pub fn room(&mut self, most: usize) -> Option<Limit<&mut Vec<u8>>> {
        let State::Body { header, gathered } = &mut self.state else { return None };
        let missing = header.length() - gathered.len();
        if missing >= Self::LONG && gathered.len() >= Self::LONG {
            gathered.make_room(Self::LONG, header.length());
        }
        let room = missing.min(gathered.capacity() - gathered.len());
        (room >= Self::LONG).then(|| gathered.memory().limit(room.min(most)))
    }

    /// The message that is whole since something was read into its room.
    pub fn take_whole(&mut self) -> Option<Frame> {
        let State::Body { header, gathered } = &mut self.state else { return None };
        if gathered.len() < header.length() {
            return None;
        }
        let frame = header.packet(std::mem::take(gathered));
        self.state = State::Between;
        Some(frame)
    }

    /// How many bytes of memory the unfinished message occupies, but for a KiB in front of a long one.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.state {
            State::Body { gathered, .. } | State::Line { gathered } => gathered.capacity(),
            State::Between | State::Header(_) | State::Skipping { .. } | State::Broken(_) => 0,
        }
    }

    /// How many bytes of an unfinished message have arrived, those that are being skipped not counted;
    /// `None` between two messages.
    #[must_use]
    pub fn partial(&self) -> Option<usize> {
        match &self.state {
            State::Between | State::Broken(_) => None,
            State::Header(header) => Some(header.filled),
            State::Body { gathered, .. } => Some(HEADER_LENGTH + gathered.len()),
            State::Line { gathered } => Some(gathered.len()),
            State::Skipping { .. } => Some(HEADER_LENGTH),
        }
    }

    /// The packet at the front, if it is a good one that is all there: what most are, without a detour by states.
    fn whole_packet(&self, input: &mut &[u8]) -> Option<Frame> {
        let (bytes, rest) = input.split_first_chunk::<HEADER_LENGTH>()?;
        let header = Header::parse(*bytes).ok()?;
        if header.size > self.limits.packet || rest.len() < header.length() {
            return None;
        }
        *input = rest;
        Some(header.packet(kept(take(input, header.length()))))
    }

    /// Goes on by one state. `first` is the first byte of the input, which is not empty.
    fn step(&mut self, first: u8, input: &mut &[u8]) -> Result<Option<Frame>, DecodeError> {
        match &mut self.state {
            State::Between if first == 0 => self.state = State::Header(PartialHeader::default()),
            State::Between => self.state = State::Line { gathered: Gathered::default() },
            State::Header(partial) => {
                if let Some(header) = partial.fill(input)? {
                    return Ok(self.begin_body(header, input));
                }
            }
            State::Body { header, gathered } => {
                let part = take(input, header.length() - gathered.len());
                gathered.extend(part, header.length());
                return Ok(self.take_whole());
            }
            State::Line { gathered } => {
                if let Some(line) = gather_line(gathered, input, self.limits.line)? {
                    self.state = State::Between;
                    return Ok(Some(Frame::Line(line)));
                }
            }
            State::Skipping { left } => {
                *left -= take(input, *left).len();
                if *left == 0 {
                    self.state = State::Between;
                }
            }
            State::Broken(error) => return Err(*error),
        }
        Ok(None)
    }

    /// What follows a whole header: the frame at once if it is all there, or else the state to gather it in.
    fn begin_body(&mut self, header: Header, input: &mut &[u8]) -> Option<Frame> {
        if header.size > self.limits.packet {
            self.state = State::Skipping { left: header.length() };
            return Some(Frame::Oversized { number: header.number, size: header.size });
        }
        if input.len() < header.length() {
            self.state = State::Body { header, gathered: Gathered::default() };
            return None;
        }
        self.state = State::Between;
        Some(header.packet(kept(take(input, header.length()))))
    }
}

/// Takes up to `count` bytes from the front.
fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (part, rest) = input.split_at(count.min(input.len()));
    *input = rest;
    part
}

/// Takes a line's bytes up to its end, if the end is there; gives the line without `\n` or `\r\n`.
fn gather_line(
    gathered: &mut Gathered,
    input: &mut &[u8],
    limit: usize,
) -> Result<Option<Bytes>, DecodeError> {
    let end = input.iter().position(|&byte| byte == b'\n');
    let part = take(input, end.map_or(input.len(), |end| end + 1));
    let length = gathered.len() + part.len();
    if length > limit {
        return Err(DecodeError::LineTooLong { limit });
    }
    gathered.extend(part, if end.is_some() { length } else { limit });
    Ok(end.map(|_| without_line_end(std::mem::take(gathered).into())))
}

fn without_line_end(mut line: Bytes) -> Bytes {
    line.truncate(line.len() - 1);
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    line
}
