//! Packets where they lie: the library's decoder gives each body memory of its own, which a load generator
//! that shares two cores with its server cannot afford.

use crate::failure::{Failure, Result};
use bytes::Bytes;
use gearman_protocol::{HEADER_LENGTH, Magic, Outward, PacketType};

/// From how many bytes on a packet that comes in parts has memory of its own.
pub(crate) const LARGE: usize = 16 << 10;

/// A packet in a read buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) kind: PacketType,
    pub(crate) body: &'a [u8],
    /// The memory that the body lies in, if it is its own: a large packet was read into it and is never copied.
    memory: Option<&'a Bytes>,
}

impl<'a> Packet<'a> {
    /// Takes a whole packet from the front of the input; `None` if it has not all come.
    pub(crate) fn cut(input: &mut &'a [u8]) -> Result<Option<Self>> {
        let Some((header, rest)) = input.split_first_chunk::<HEADER_LENGTH>() else { return Ok(None) };
        let [m0, m1, m2, m3, t0, t1, t2, t3, s0, s1, s2, s3] = *header;
        let number = u32::from_be_bytes([t0, t1, t2, t3]);
        let kind = Magic::from_bytes([m0, m1, m2, m3]).and_then(|_| PacketType::from_number(number));
        let Some(kind) = kind else {
            return Err(Failure::says(format!("no packet: the peer sent {}", header.escape_ascii())));
        };
        let Some((body, rest)) = rest.split_at_checked(u32::from_be_bytes([s0, s1, s2, s3]) as usize) else {
            return Ok(None);
        };
        *input = rest;
        Ok(Some(Self { kind, body, memory: None }))
    }

    /// Takes the packet that fills this memory.
    pub(crate) fn whole(memory: &'a Bytes) -> Result<Option<Self>> {
        let packet = Self::cut(&mut &memory[..])?;
        Ok(packet.map(|packet| Self { memory: Some(memory), ..packet }))
    }

    /// A part of the body, to be kept: shared if it can be, copied otherwise.
    pub(crate) fn keep(&self, part: &[u8]) -> Bytes {
        self.memory.map_or_else(|| Bytes::copy_from_slice(part), |memory| memory.slice_ref(part))
    }

    /// Appends a packet whose last argument is a part of this one's body; it is shared if it can be.
    pub(crate) fn pass_on(&self, out: &mut Outward, magic: Magic, kind: PacketType, arguments: &[&[u8]]) {
        match (self.memory, arguments.split_last()) {
            (Some(memory), Some((last, arguments))) => {
                out.put_packet(magic, kind.number(), arguments, Some(&memory.slice_ref(last)));
            }
            _ => out.put_packet(magic, kind.number(), arguments, None),
        }
    }

    /// How long the packet is that begins here, header included; `None` if its header has not all come.
    pub(crate) fn length(input: &[u8]) -> Option<usize> {
        let header = input.first_chunk::<HEADER_LENGTH>()?;
        Some(HEADER_LENGTH + u32::from_be_bytes(*header.last_chunk()?) as usize)
    }

    /// The body up to the first NUL, and what follows it.
    pub(crate) fn split(self) -> (&'a [u8], &'a [u8]) {
        split(self.body)
    }
}

/// The bytes up to the first NUL, and what follows it.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

/// Appends a request.
pub(crate) fn request(out: &mut Outward, kind: PacketType, arguments: &[&[u8]]) {
    out.put_packet(Magic::Request, kind.number(), arguments, None);
}

/// Appends a response.
pub(crate) fn response(out: &mut Outward, kind: PacketType, arguments: &[&[u8]]) {
    out.put_packet(Magic::Response, kind.number(), arguments, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_cut_only_when_it_is_whole() {
        let mut out = Outward::new();
        response(&mut out, PacketType::JobAssign, &[b"H:1", b"f", b"work"]);
        let bytes = out.to_vec();
        for length in 0..bytes.len() {
            assert_eq!(Packet::cut(&mut &bytes[..length]).unwrap(), None, "{length} bytes");
        }
        let mut input = &bytes[..];
        let packet = Packet::cut(&mut input).unwrap().expect("it is whole");
        assert_eq!((packet.kind, packet.split()), (PacketType::JobAssign, (&b"H:1"[..], &b"f\0work"[..])));
        assert!(input.is_empty());
    }

    #[test]
    fn what_is_kept_of_a_packet_with_memory_of_its_own_is_not_copied() {
        let mut out = Outward::new();
        response(&mut out, PacketType::JobAssign, &[b"H:1", b"f", b"work"]);
        let memory = Bytes::from(out.to_vec());
        let packet = Packet::whole(&memory).unwrap().expect("it is whole");
        let (_, rest) = packet.split();
        assert_eq!(packet.keep(rest).as_ptr(), rest.as_ptr());
        let packet = Packet::cut(&mut &memory[..]).unwrap().expect("it is whole");
        assert_ne!(packet.keep(rest).as_ptr(), rest.as_ptr());
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert!(Packet::cut(&mut &b"ERR unknown_command\r\n"[..]).is_err());
    }
}
