//! Where the body of a packet is kept that has arrived whole.

use crate::decoder::Decoder;
use crate::gathered::Gathered;
use bytes::Bytes;

/// A body of up to `N` bytes, in one piece of memory with the count of those who share it.
struct Small<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

impl<const N: usize> AsRef<[u8]> for Small<N> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// A copy of a body.
///
/// `Bytes` of their own make a second allocation when they are first shared, and every request is shared: its
/// arguments are parts of its body. Small bodies, which are many, are therefore kept so that one is enough. With
/// the 16 bytes that sharing takes and their length they fill sizes in which allocators deal.
pub(crate) fn kept(body: &[u8]) -> Bytes {
    match body.len() {
        0 => Bytes::new(),
        1..=15 => small::<15>(body),
        16..=31 => small::<31>(body),
        32..=47 => small::<47>(body),
        48..=63 => small::<63>(body),
        64..=79 => small::<79>(body),
        80..=95 => small::<95>(body),
        96..=111 => small::<111>(body),
        112..=143 => small::<143>(body),
        144..=175 => small::<175>(body),
        176..=207 => small::<207>(body),
        208..=239 => small::<239>(body),
        240..Decoder::LONG => Bytes::copy_from_slice(body),
        Decoder::LONG.. => long(body),
    }
}

fn long(body: &[u8]) -> Bytes {
    let mut gathered = Gathered::default();
    gathered.extend(body, body.len());
    gathered.into()
}

fn small<const N: usize>(body: &[u8]) -> Bytes {
    let mut bytes = [0; N];
    bytes[..body.len()].copy_from_slice(body);
    let length = u8::try_from(body.len()).expect("a small body is shorter than 256 bytes");
    Bytes::from_owner(Small { bytes, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_as_it_is_whatever_its_length() {
        for length in (0..600_u16).chain([16_383, 16_384, 60_000]) {
            let body: Vec<u8> = (0..length).map(|place| place.to_le_bytes()[0]).collect();
            assert_eq!(kept(&body), body, "{length} bytes");
        }
    }
}
