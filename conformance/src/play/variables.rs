//! The values that a playing has captured.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use gearman_protocol::UnixMillis;

/// The variables of one playing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Vec<u8>>,
    /// What the wall clock said before the message that is made.
    pub(crate) now: UnixMillis,
}

impl Variables {
    /// Variables with a fresh random `${ns}`, so that nothing on a live server carries the same names.
    pub(crate) fn fresh() -> Self {
        // The standard library seeds its hashers from the system's entropy; no other chance is needed here.
        let chance = RandomState::new().hash_one("gtx") & 0xffff_ffff;
        let mut variables = Self::default();
        variables.set("ns", format!("gtx{chance:08x}-").into_bytes());
        variables
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(Vec::as_slice)
    }

    pub(crate) fn set(&mut self, name: &str, value: Vec<u8>) {
        self.values.insert(name.to_owned(), value);
    }

    /// The random prefix.
    pub(crate) fn prefix(&self) -> &[u8] {
        self.get("ns").unwrap_or_default()
    }

    /// Whether a line of a server-wide table is about this playing: it holds the prefix, or one of its words is a
    /// captured value.
    pub(crate) fn concern(&self, line: &[u8]) -> bool {
        let prefix = self.prefix();
        let has_prefix = line.windows(prefix.len()).any(|window| window == prefix);
        let mut words = line.split(|byte| b"\t ".contains(byte)).filter(|word| !word.is_empty());
        has_prefix || words.any(|word| self.values.values().any(|value| value == word))
    }

    /// Forgets what was captured since `before` was copied.
    pub(crate) fn back_to(&mut self, before: &Self) {
        self.values.retain(|name, _| before.values.contains_key(name));
    }
}
