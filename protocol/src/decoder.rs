//! Incremental decoding: bytes in whatever pieces they arrive become frames.

use crate::error::DecodeError;
use crate::frame::{Frame, HEADER_LENGTH, Magic, Packet};
use bytes::{Bytes, BytesMut};

/// How large a message a decoder takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of a binary packet in bytes; up to 4 GiB - 1, which is the default.
    pub packet: u32,
    /// The longest text line in bytes, line end included; 8192 by default.
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
/// that grows by doubling and never past the message's announced end: it holds at most twice what has arrived
/// plus a constant, whatever the header announces.
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
///    |                          \-- over the limit --> Skipping --------> Between
///    |  other                    \-- bad magic --> Broken
///    +-----------------------> Line ---- \n ----------------------------> Between
///                                \-- no \n within the limit --> Broken
/// ```
#[derive(Debug)]
enum State {
    Between,
    Header { bytes: [u8; HEADER_LENGTH], filled: usize },
    Body { header: Header, gathered: BytesMut },
    Line { gathered: BytesMut },
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
        let magic = Magic::from_bytes([m0, m1, m2, m3]).ok_or(DecodeError::BadMagic([m0, m1, m2, m3]))?;
        let number = u32::from_be_bytes([t0, t1, t2, t3]);
        Ok(Self { magic, number, size: u32::from_be_bytes([s0, s1, s2, s3]) })
    }

    fn packet(self, body: Bytes) -> Frame {
        Frame::Packet(Packet { magic: self.magic, number: self.number, body })
    }

    fn length(self) -> usize {
        self.size as usize
    }
}

impl Decoder {
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
        loop {
            let Some(&first) = input.first() else {
                return if let State::Broken(error) = self.state { Err(error) } else { Ok(None) };
            };
            match &mut self.state {
                State::Between if first == 0 => {
                    self.state = State::Header { bytes: [0; HEADER_LENGTH], filled: 0 };
                }
                State::Between => self.state = State::Line { gathered: BytesMut::new() },
                State::Header { bytes, filled } => {
                    let part = take(input, HEADER_LENGTH - *filled);
                    bytes[*filled..*filled + part.len()].copy_from_slice(part);
                    *filled += part.len();
                    let magic = [bytes[0], bytes[1], bytes[2], bytes[3]];
                    if *filled >= magic.len() && Magic::from_bytes(magic).is_none() {
                        return self.fail(DecodeError::BadMagic(magic));
                    }
                    if *filled == HEADER_LENGTH {
                        let header = Header::parse(*bytes)?;
                        if let Some(frame) = self.begin_body(header, input) {
                            return Ok(Some(frame));
                        }
                    }
                }
                State::Body { header, gathered } => {
                    let part = take(input, header.length() - gathered.len());
                    gather(gathered, part, header.length());
                    if gathered.len() == header.length() {
                        let frame = header.packet(std::mem::take(gathered).freeze());
                        self.state = State::Between;
                        return Ok(Some(frame));
                    }
                }
                State::Line { gathered } => {
                    let end = input.iter().position(|&byte| byte == b'\n');
                    let part = take(input, end.map_or(input.len(), |end| end + 1));
                    if gathered.len() + part.len() > self.limits.line {
                        let limit = self.limits.line;
                        return self.fail(DecodeError::LineTooLong { limit });
                    }
                    gather(gathered, part, self.limits.line);
                    if end.is_some() {
                        let line = without_line_end(std::mem::take(gathered));
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
        }
    }

    /// How many bytes of memory the unfinished message occupies.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.state {
            State::Body { gathered, .. } | State::Line { gathered } => gathered.capacity(),
            State::Between | State::Header { .. } | State::Skipping { .. } | State::Broken(_) => 0,
        }
    }

    /// How many bytes of an unfinished message have arrived, those that are being skipped not counted;
    /// `None` between two messages.
    #[must_use]
    pub fn partial(&self) -> Option<usize> {
        match &self.state {
            State::Between | State::Broken(_) => None,
            State::Header { filled, .. } => Some(*filled),
            State::Body { gathered, .. } => Some(HEADER_LENGTH + gathered.len()),
            State::Line { gathered } => Some(gathered.len()),
            State::Skipping { .. } => Some(HEADER_LENGTH),
        }
    }

    /// What follows a whole header: the frame at once if it is all there, or else the state to gather it in.
    fn begin_body(&mut self, header: Header, input: &mut &[u8]) -> Option<Frame> {
        let size = header.length();
        if header.size > self.limits.packet {
            self.state = State::Skipping { left: size };
            return Some(Frame::Oversized { number: header.number, size: header.size });
        }
        if input.len() < size {
            self.state = State::Body { header, gathered: BytesMut::new() };
            return None;
        }
        self.state = State::Between;
        Some(header.packet(Bytes::copy_from_slice(take(input, size))))
    }

    fn fail(&mut self, error: DecodeError) -> Result<Option<Frame>, DecodeError> {
        self.state = State::Broken(error);
        Err(error)
    }
}

/// Takes up to `count` bytes from the front.
fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (part, rest) = input.split_at(count.min(input.len()));
    *input = rest;
    part
}

/// Appends, growing to twice what is there but never past `end`, which is where the message ends.
fn gather(gathered: &mut BytesMut, part: &[u8], end: usize) {
    let needed = gathered.len() + part.len();
    if needed > gathered.capacity() {
        let target = needed.max(gathered.capacity() * 2).min(end);
        gathered.reserve(target - gathered.len());
    }
    gathered.extend_from_slice(part);
}

fn without_line_end(mut line: BytesMut) -> Bytes {
    line.truncate(line.len() - 1);
    if line.last() == Some(&b'\r') {
        line.truncate(line.len() - 1);
    }
    line.freeze()
}
