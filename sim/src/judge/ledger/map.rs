//! Tables that are looked up and never iterated, without the standard library's random keys, which would be
//! chance that no seed decides.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Multiply and fold; what plans draw and not what strangers send. Of long bytes, which are workloads, the ends say
/// enough.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixer(u64);

/// So many of the first and of the last of long bytes are looked at.
const END: usize = 64;

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if bytes.len() > 2 * END {
            self.write(&bytes[..END]);
            return self.write(&bytes[bytes.len() - END..]);
        }
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.write_u64(u64::from_le_bytes(chunk.try_into().expect("the chunk has eight bytes")));
        }
        let rest = chunks.remainder().iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
        self.write_u64(rest);
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ mixed >> 32;
    }
}
