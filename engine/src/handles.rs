//! Handles: the names that clients and workers know jobs by.

use crate::tables::jobs::JobNumber;
use bytes::Bytes;
use gearman_protocol::{Handle, MAX_HANDLE};

/// Turns numbers into handles and back.
#[derive(Debug)]
pub(crate) struct Handles {
    /// What every handle begins with, the colon included.
    prefix: Vec<u8>,
}

impl Handles {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}:").into_bytes() }
    }

    pub(crate) fn name(&self, number: JobNumber) -> Handle {
        let mut text = [0; MAX_HANDLE];
        let digits = write_digits(&mut text, number.0);
        let start = digits - self.prefix.len();
        text[start..digits].copy_from_slice(&self.prefix);
        Handle::new(Bytes::copy_from_slice(&text[start..]))
    }

    /// The number in a handle that this server may have given out.
    pub(crate) fn number(&self, handle: &Handle) -> Option<JobNumber> {
        let digits = handle.as_bytes().strip_prefix(&self.prefix[..])?;
        let canonical = digits.first().is_some_and(|&first| first != b'0');
        if !canonical || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok().map(JobNumber)
    }
}

/// Writes a number at the end of a text, and says where it begins.
fn write_digits(text: &mut [u8], mut number: u64) -> usize {
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(prefix: &str, number: u64) -> String {
        let handles = Handles::new(prefix);
        let handle = handles.name(JobNumber(number));
        assert_eq!(handles.number(&handle), Some(JobNumber(number)));
        handle.to_string()
    }

    #[test]
    fn the_counter_is_never_cut() {
        assert_eq!(there_and_back("H:lap", 1), "H:lap:1");
        let longest = there_and_back(&"p".repeat(42), u64::MAX);
        assert_eq!(longest, format!("{}:18446744073709551615", "p".repeat(42)));
        assert_eq!(longest.len(), MAX_HANDLE);
    }

    #[test]
    fn a_handle_has_one_spelling() {
        let handles = Handles::new("H:lap");
        for other in [
            "H:lap:01",
            "H:lap:",
            "H:lap:+1",
            "H:lap:1 ",
            "H:lap",
            "H:lap:18446744073709551616",
            "h:lap:1",
            "",
        ] {
            assert_eq!(handles.number(&Handle::new(other)), None, "{other}");
        }
    }
}
