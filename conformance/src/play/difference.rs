//! What was expected and what came, side by side, with every byte marked that differs.

use std::ops::Range;

use super::incoming::SHOWN;
use crate::language::escaped;

/// How many bytes are shown before the first that differs, where a value is too long to be shown whole.
const BEFORE: usize = 16;

/// Where expected and got differ, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// One sentence without a full stop.
    pub summary: String,
    /// What was compared.
    pub rows: Vec<Row>,
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is called, as `packet` or `handle`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Whether they agree.
    pub same: bool,
    /// What differs between the two, where that is a matter of single bytes.
    pub marks: Marks,
}

/// The characters that differ, as ranges in what is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Those that were expected and did not come.
    pub expected: Vec<Range<usize>>,
    /// Those that came and were not expected.
    pub got: Vec<Range<usize>>,
}

impl Row {
    /// Two things that agree or differ as a whole.
    pub(crate) fn new(what: &str, expected: impl Into<String>, got: impl Into<String>, same: bool) -> Self {
        let (what, expected, got) = (what.to_owned(), expected.into(), got.into());
        Self { what, expected, got, same, marks: Marks::default() }
    }

    /// Two things that differ as a whole.
    pub(crate) fn differs(what: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(what, expected, got, false)
    }

    /// Two values that differ in some of their bytes; `name` stands before the expected ones.
    pub(crate) fn of_bytes(what: &str, name: &str, expected: &[u8], got: &[u8]) -> Self {
        let first = expected.iter().zip(got).take_while(|(one, other)| one == other).count();
        let start = if first + BEFORE <= SHOWN { 0 } else { first - BEFORE };
        let (wanted, lost) = side(name, expected, start, differing(expected, got, first));
        let (came, surplus) = side("", got, start, differing(got, expected, first));
        Self { marks: Marks { expected: lost, got: surplus }, ..Self::differs(what, wanted, came) }
    }

    /// Two lists of words; those at the same place that differ are marked, and those that have no partner.
    pub(crate) fn of_words(what: &str, expected: &[String], got: &[String], same: &[bool]) -> Self {
        let marks = |words: &[String]| {
            let mut at = 0;
            let mut marks = Vec::new();
            for (index, word) in words.iter().enumerate() {
                let length = word.chars().count();
                if !same.get(index).copied().unwrap_or(false) {
                    marks.push(at..at + length);
                }
                at += length + 1;
            }
            marks
        };
        let marks = Marks { expected: marks(expected), got: marks(got) };
        Self { marks, ..Self::differs(what, expected.join(" "), got.join(" ")) }
    }
}

/// Whether the byte at a place of `one` differs; the two are the same up to `first`.
///
/// Values of one length are compared byte by byte; in others, what lies between their common beginning and their common end differs.
fn differing<'v>(one: &'v [u8], other: &'v [u8], first: usize) -> impl Fn(usize) -> bool + use<'v> {
    let is_long_as = one.len() == other.len();
    let tails = one[first..].iter().rev().zip(other[first..].iter().rev());
    let end = one.len() - tails.take_while(|(one, other)| one == other).count();
    move |at| (first..end).contains(&at) && !(is_long_as && one[at] == other[at])
}

/// What is shown of a value from `start` on, and which of the characters differ.
fn side(
    name: &str,
    value: &[u8],
    start: usize,
    differs: impl Fn(usize) -> bool,
) -> (String, Vec<Range<usize>>) {
    let start = start.min(value.len());
    let end = value.len().min(start + SHOWN);
    let mut text = format!("{name}\"{}", if start > 0 { "..." } else { "" });
    let mut marks = Vec::new();
    let places: Vec<usize> = (start..end).collect();
    for run in places.chunk_by(|&one, &next| differs(one) == differs(next)) {
        let from = text.chars().count();
        text.push_str(&escaped(&value[run[0]..run[0] + run.len()]));
        if differs(run[0]) {
            marks.push(from..text.chars().count());
        }
    }
    text.push_str(if end < value.len() { "...\"" } else { "\"" });
    match (start, end < value.len()) {
        (0, false) => {}
        (0, true) => text.push_str(&format!(" ({} bytes)", value.len())),
        _ => text.push_str(&format!(" ({} bytes, from {start})", value.len())),
    }
    (text, marks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is shown, and below it a caret for each character that is marked.
    fn drawn(text: &str, marks: &[Range<usize>]) -> String {
        let caret = |at| if marks.iter().any(|mark| mark.contains(&at)) { '^' } else { ' ' };
        let carets: String = (0..text.chars().count()).map(caret).collect();
        format!("{text}\n{}", carets.trim_end())
    }

    fn both(expected: &[u8], got: &[u8]) -> (String, String) {
        let row = Row::of_bytes("x", "", expected, got);
        (drawn(&row.expected, &row.marks.expected), drawn(&row.got, &row.marks.got))
    }

    #[test]
    fn every_byte_that_differs_is_marked_and_no_other() {
        let (expected, got) = both(b"one two three", b"One two thrEe");
        assert_eq!(expected, "\"one two three\"\n ^          ^");
        assert_eq!(got, "\"One two thrEe\"\n ^          ^");
    }

    #[test]
    fn what_one_side_lacks_is_marked_on_the_other() {
        let (expected, got) = both(b"H:a:1", b"H:a:1\0");
        assert_eq!((expected.as_str(), got.as_str()), ("\"H:a:1\"\n", "\"H:a:1\\0\"\n      ^^"));
        let (expected, got) = both(b"abcdef", b"abdef");
        assert_eq!((expected.as_str(), got.as_str()), ("\"abcdef\"\n   ^", "\"abdef\"\n"));
    }

    #[test]
    fn a_long_value_is_shown_where_it_differs() {
        let expected = [b'a'; 200];
        let mut came = expected;
        came[150] = b'B';
        let (wanted, got) = both(&expected, &came);
        let before = "a".repeat(16);
        assert_eq!(wanted.lines().nth(1), Some(format!("{}^", " ".repeat(20)).as_str()));
        assert!(got.starts_with(&format!("\"...{before}Ba")), "{got}");
        assert!(got.contains("(200 bytes, from 134)"), "{got}");
        // The last bytes of what is shown do not differ because one value ends later.
        let shorter = both(&expected, &expected[..100]);
        assert!(shorter.0.contains('^') && !shorter.1.contains('^'), "{shorter:?}");
    }

    #[test]
    fn words_are_marked_as_a_whole() {
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let row = Row::of_words("words", &words("a complete =01"), &words("a fail"), &[true, false]);
        assert_eq!(drawn(&row.expected, &row.marks.expected), "a complete =01\n  ^^^^^^^^ ^^^");
        assert_eq!(drawn(&row.got, &row.marks.got), "a fail\n  ^^^^");
    }

    proptest! {
        #[test]
        fn different_values_have_a_mark_that_lies_in_what_is_shown(
            one in proptest::collection::vec(any::<u8>(), 0..200),
            other in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let row = Row::of_bytes("x", "$h = ", &one, &other);
            prop_assert_eq!(one == other, row.marks == Marks::default());
            for (marks, text) in [(&row.marks.expected, &row.expected), (&row.marks.got, &row.got)] {
                let inside = marks.iter().all(|mark| mark.end < text.chars().count());
                prop_assert!(inside, "{}", text);
            }
        }
    }
}
