//! The bytes on their way to a peer.

use crate::frame::{HEADER_LENGTH, Magic};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Arguments of this many bytes and more are passed on without being copied.
const SHARED_FROM: usize = 16 * 1024;

/// The room that the first small packet makes for others, in bytes.
const ROOM: usize = 512;

/// A gathered piece of this many bytes is finished, so that what waits for a slow reader is never moved again.
const PIECE: usize = 64 * 1024;

/// A connection's one buffer of encoded bytes that are not yet written.
///
/// Small packets are gathered in one piece, so that a turn is one write; a large last argument is kept as the
/// shared bytes it came in. Reading goes through [`Buf`], whose `chunks_vectored` fits a vectored write.
#[derive(Debug, Default)]
pub struct Outward {
    /// Finished pieces, none of them empty.
    pieces: VecDeque<Bytes>,
    /// The piece that small packets are gathered in, after all finished ones.
    gathering: Vec<u8>,
    /// How much of that piece is written already.
    written: usize,
    length: usize,
}

impl Outward {
    /// An empty buffer, which holds no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes wait to be written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing waits to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All bytes that wait, copied; for tests and for peers that write at once.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        for piece in &self.pieces {
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(self.gathered());
        bytes
    }

    /// Takes everything that `other` holds, after what is here; small pieces are copied.
    pub fn append(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        if self.is_empty() {
            *self = other;
            return;
        }
        for piece in &other.pieces {
            self.put_bytes(piece);
        }
        self.put_slice(other.gathered());
    }

    /// Adds bytes as they are, such as a line of the text protocol.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.gathering.extend_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Makes room for so many more bytes in the piece that is being gathered.
    fn make_room(&mut self, count: usize) {
        if self.gathering.len() >= PIECE {
            self.seal();
        }
        if self.gathering.capacity() == 0 {
            self.gathering.reserve(count.max(ROOM));
        }
    }

    /// Adds bytes without copying them if they are many.
    pub fn put_bytes(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_FROM {
            self.put_slice(bytes);
        } else {
            self.seal();
            self.length += bytes.len();
            self.pieces.push_back(bytes.clone());
        }
    }

    /// Adds a binary packet: header, then the arguments joined by NUL bytes.
    ///
    /// # Panics
    /// If the body would be over 4 GiB - 1, which no header can announce. Every request that
    /// [`Request::parse`](crate::Request::parse) lets through can be answered and passed on.
    pub fn put_packet(&mut self, magic: Magic, number: u32, arguments: &[&[u8]], last: Option<&Bytes>) {
        let inner: usize = arguments.iter().map(|argument| argument.len() + 1).sum();
        let body = match last {
            Some(last) => inner + last.len(),
            None => inner.saturating_sub(1),
        };
        let size = u32::try_from(body).expect("a body fits its header's size field");
        self.make_room(HEADER_LENGTH + inner);
        let gathering = &mut self.gathering;
        let before = gathering.len();
        gathering.extend_from_slice(&header(magic, number, size));
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                gathering.push(0);
            }
            gathering.extend_from_slice(argument);
        }
        if last.is_some() && !arguments.is_empty() {
            gathering.push(0);
        }
        self.length += gathering.len() - before;
        if let Some(last) = last {
            self.put_bytes(last);
        }
    }

    /// What is being gathered and not written yet.
    fn gathered(&self) -> &[u8] {
        &self.gathering[self.written..]
    }

    /// Closes the piece that is being gathered.
    fn seal(&mut self) {
        let mut piece = Bytes::from(std::mem::take(&mut self.gathering));
        piece.advance(std::mem::take(&mut self.written));
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }
}

fn header(magic: Magic, number: u32, size: u32) -> [u8; HEADER_LENGTH] {
    let [m0, m1, m2, m3] = magic.bytes();
    let [t0, t1, t2, t3] = number.to_be_bytes();
    let [s0, s1, s2, s3] = size.to_be_bytes();
    [m0, m1, m2, m3, t0, t1, t2, t3, s0, s1, s2, s3]
}

impl Buf for Outward {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        match self.pieces.front() {
            Some(piece) => piece,
            None => self.gathered(),
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        let all = pieces.chain([self.gathered()]).filter(|piece| !piece.is_empty());
        let mut filled = 0;
        for (slot, piece) in slices.iter_mut().zip(all) {
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.length, "cannot advance past what waits");
        self.length -= count;
        while let Some(front) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
        self.written += count;
        if self.length == 0 {
            // An idle connection keeps no memory.
            *self = Self::new();
        }
    }
}
