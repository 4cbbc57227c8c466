//! The line protocol of programs under test: words, of which those that begin with `=` are bytes in hexadecimal.

use std::fmt::Write as _;

use super::incoming::shown;
use crate::language::Pattern;

/// Bytes as a word.
pub(super) fn packed(bytes: &[u8]) -> String {
    bytes.iter().fold("=".to_owned(), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    })
}

/// The bytes of a word that holds some.
pub(super) fn unpacked(word: &[u8]) -> Option<Vec<u8>> {
    let digits = std::str::from_utf8(word).ok()?.strip_prefix('=')?;
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Whether a pattern is for bytes alone, and never for a plain word.
pub(super) fn must_be_packed(pattern: &Pattern) -> bool {
    matches!(pattern, Pattern::Text(_) | Pattern::Made(_) | Pattern::Length(_) | Pattern::Digest(_))
}

/// The words of a line as transcripts write them.
pub(super) fn shown_words(line: &[u8]) -> Vec<String> {
    let words = line.split(|&byte| byte == b' ').map(|word| match unpacked(word) {
        Some(bytes) => shown(&bytes),
        None => String::from_utf8_lossy(word).into_owned(),
    });
    words.collect()
}

/// A line as transcripts write it.
pub(super) fn shown_line(line: &[u8]) -> String {
    format!("words {}", shown_words(line).join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_travel_in_hexadecimal() {
        assert_eq!(packed(b"a\0\xff"), "=6100ff");
        assert_eq!(unpacked(b"=6100ff"), Some(b"a\0\xff".to_vec()));
        assert_eq!(unpacked(b"="), Some(Vec::new()));
        assert_eq!(unpacked(b"ran"), None);
        assert_eq!(unpacked(b"=6x"), None);
        assert_eq!(shown_line(b"a complete =6869"), "words a complete \"hi\"");
    }
}
