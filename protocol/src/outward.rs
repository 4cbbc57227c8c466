//! The bytes on their way to a peer.

use crate::frame::{HEADER_LENGTH, Magic};
use crate::listing::Listing;
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
    /// Finished pieces, none of them empty. The first are bytes.
    pieces: VecDeque<Piece>,
    /// The piece that small packets are gathered in, after all finished ones.
    gathering: Vec<u8>,
    /// How much of that piece is written already.
    written: usize,
    length: usize,
}

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    /// What becomes bytes when it is the first.
    Listing(Box<dyn Listing>),
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
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(piece),
                Piece::Listing(listing) => listing.copy(&mut bytes),
            }
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
        let Self { pieces, gathering, written, .. } = other;
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => self.put_bytes(&bytes),
                Piece::Listing(listing) => self.put_listing(listing),
            }
        }
        self.put_slice(&gathering[written..]);
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
            self.pieces.push_back(Piece::Bytes(bytes.clone()));
        }
    }

    /// Adds a table. If it is long, it becomes bytes when what is before it is written.
    pub(crate) fn put_listing(&mut self, mut listing: Box<dyn Listing>) {
        if listing.left() <= PIECE {
            self.make_room(listing.left());
            self.length += listing.left();
            return listing.write(&mut self.gathering, usize::MAX);
        }
        self.seal();
        self.length += listing.left();
        self.pieces.push_back(Piece::Listing(listing));
        self.unfold();
    }

    /// Makes the first piece bytes, if it is not.
    fn unfold(&mut self) {
        let Some(Piece::Listing(listing)) = self.pieces.front_mut() else { return };
        let mut text = Vec::with_capacity(PIECE + ROOM);
        listing.write(&mut text, PIECE);
        if listing.left() == 0 {
            self.pieces.pop_front();
        }
        self.pieces.push_front(Piece::Bytes(text.into()));
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
            self.pieces.push_back(Piece::Bytes(piece));
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
            Some(Piece::Bytes(piece)) => piece,
            Some(Piece::Listing(_)) => unreachable!("the first piece is bytes"),
            None => self.gathered(),
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Bytes(piece) => Some(&piece[..]),
            Piece::Listing(_) => None,
        });
        let all = pieces.chain([Some(self.gathered())]).map_while(|piece| piece);
        let mut filled = 0;
        for (slot, piece) in slices.iter_mut().zip(all.filter(|piece| !piece.is_empty())) {
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.length, "cannot advance past what waits");
        self.length -= count;
        while let Some(Piece::Bytes(front)) = self.pieces.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
            if let Some(Piece::Listing(_)) = self.pieces.front() {
                self.unfold();
            }
        }
        self.written += count;
        if self.length == 0 {
            // An idle connection keeps no memory.
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_once_for_several_small_packets_and_as_much_as_a_larger_one_needs() {
        let (mut small, mut large) = (Outward::new(), Outward::new());
        small.put_packet(Magic::Request, 16, &[b"x"], None);
        assert_eq!(small.gathering.capacity(), ROOM);
        large.put_packet(Magic::Request, 16, &[&[b'x'; ROOM]], None);
        assert_eq!(large.gathering.capacity(), HEADER_LENGTH + ROOM + 1);
    }
}
