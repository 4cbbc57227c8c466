//! The bytes on their way to a peer.

use crate::frame::{HEADER_LENGTH, Magic};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Arguments of this many bytes and more are passed on without being copied.
const SHARED_FROM: usize = 16 * 1024;

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
    gathering: BytesMut,
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
        bytes.extend_from_slice(&self.gathering);
        bytes
    }

    /// Takes everything that `other` holds, after what is here; small pieces are copied.
    pub fn append(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        if self.is_empty() {
            *self = other;
            return;
        }
        for piece in other.pieces {
            self.put_bytes(&piece);
        }
        self.put_bytes(&other.gathering.freeze());
    }

    /// Adds bytes as they are, such as a line of the text protocol.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        if self.gathering.len() >= PIECE {
            self.seal();
        }
        self.gathering.put_slice(bytes);
        self.length += bytes.len();
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
        self.gathering.reserve(HEADER_LENGTH + inner);
        self.put_slice(&magic.bytes());
        self.put_slice(&number.to_be_bytes());
        self.put_slice(&size.to_be_bytes());
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.put_slice(b"\0");
            }
            self.put_slice(argument);
        }
        if let Some(last) = last {
            if !arguments.is_empty() {
                self.put_slice(b"\0");
            }
            self.put_bytes(last);
        }
    }

    /// Closes the piece that is being gathered.
    fn seal(&mut self) {
        if !self.gathering.is_empty() {
            self.pieces.push_back(self.gathering.split().freeze());
        }
    }
}

impl Buf for Outward {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&self.gathering[..], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        let all = pieces.chain([&self.gathering[..]]).filter(|piece| !piece.is_empty());
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
        self.gathering.advance(count);
        if self.length == 0 {
            // An idle connection keeps no memory.
            *self = Self::new();
        }
    }
}
