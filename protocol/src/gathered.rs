//! What arrives in parts, in memory of its own.

use crate::decoder::Decoder;
use bytes::{Buf, Bytes};
use std::iter::repeat_n;

/// How much memory in front of a long message is nobody's, in bytes.
///
/// Linux copies to and from sockets with `rep movsb`, which some processors (AMD's Zen 3) do many times more slowly
/// where the bytes go to a place up to 63 bytes farther within its page than the one they come from. Memory for much
/// begins with a page, and so does what the system takes from us, in which a header of a few bytes comes first.
const LEAD: usize = 1024;

/// The part of a message that has arrived.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    memory: Vec<u8>,
    /// How many bytes the memory begins with that are not the message's.
    lead: usize,
}

impl Gathered {
    /// How many bytes have arrived.
    pub(crate) fn len(&self) -> usize {
        self.memory.len() - self.lead
    }

    /// How many bytes may arrive before they all move.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.capacity() - self.lead
    }

    /// What can be read into, after what has arrived.
    pub(crate) fn memory(&mut self) -> &mut Vec<u8> {
        &mut self.memory
    }

    /// Appends a part of a message that is `whole` bytes long.
    pub(crate) fn extend(&mut self, part: &[u8], whole: usize) {
        self.make_room(part.len(), whole);
        self.memory.extend_from_slice(part);
    }

    /// Makes room for so many more bytes of a message that is `whole` bytes long.
    pub(crate) fn make_room(&mut self, more: usize, whole: usize) {
        let needed = self.len() + more;
        if needed > self.capacity() {
            let room = room(needed, whole);
            let lead = if room < Decoder::LONG { 0 } else { LEAD };
            self.memory.reserve_exact(lead + room - self.memory.len());
            drop(self.memory.splice(..0, repeat_n(0, lead - self.lead)));
            self.lead = lead;
        }
    }
}

impl From<Gathered> for Bytes {
    fn from(gathered: Gathered) -> Self {
        let mut bytes = Self::from(gathered.memory);
        bytes.advance(gathered.lead);
        bytes
    }
}

/// How large a buffer to gather `needed` of `whole` bytes in: the whole, a quarter of it, a quarter of that, as
/// long as it holds them.
///
/// A message thus moves through a sixteenth and a quarter of its own size, and the moves together copy a third of
/// it, where halves would copy all of it and a buffer that doubles from any other size nearly twice as much.
fn room(needed: usize, whole: usize) -> usize {
    let mut room = whole;
    while room.div_ceil(4) >= needed.max(Decoder::SMALL / 4) {
        room = room.div_ceil(4);
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_long_as_what_is_called_long_has_a_lead() {
        for (length, lead) in [(Decoder::LONG - 1, 0), (Decoder::LONG, LEAD)] {
            let mut gathered = Gathered::default();
            gathered.extend(&vec![b'x'; length], length);
            assert_eq!((gathered.lead, gathered.len()), (lead, length));
        }
    }

    #[test]
    fn what_is_long_keeps_its_lead_from_the_start_of_its_memory_wherever_it_moves() {
        let (mut gathered, whole) = (Gathered::default(), 8 * Decoder::LONG);
        let mut leads = Vec::new();
        for count in [1, Decoder::LONG / 2, Decoder::LONG, 5 * Decoder::LONG] {
            gathered.extend(&vec![b'x'; count], whole);
            leads.push(gathered.memory.len() - gathered.len());
        }
        assert_eq!(leads, [0, LEAD, LEAD, LEAD]);
        assert_eq!(gathered.capacity(), whole);
        assert_eq!(Bytes::from(gathered), vec![b'x'; 1 + Decoder::LONG * 13 / 2]);
    }
}
