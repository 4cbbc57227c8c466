//! What both ends have seen, in words.

use super::scene::{LINE, Saw};
use std::fmt;

/// An end of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Peer,
    Server,
}

impl End {
    pub(super) const BOTH: [Self; 2] = [Self::Peer, Self::Server];
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "peer",
            Self::Server => "server",
        })
    }
}

/// What was seen, in the order in which it was, and by which of the peers or of the server's connections.
pub(super) type Log = Vec<(End, usize, Saw)>;

/// What the peer has seen, and what the server has.
pub(super) type Words = [String; 2];

/// What follows when something changes.
const THEN: &str = "; then ";
/// What both ends see when nothing is wrong.
const PEACE: [&str; 2] = ["connected, wrote 64, read 64", "read 64, wrote 64"];

/// What both ends have seen in peace, while something was wrong, and afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sights(Vec<Words>);

impl Sights {
    /// This was seen until something changed.
    pub(super) fn push(&mut self, seen: Words) {
        self.0.push(seen);
    }

    /// What is seen until something changes for the `nth` time, counted from 0.
    pub(super) fn until(&self, nth: usize) -> &Words {
        &self.0[nth]
    }

    /// All that this end has seen, without what is so in every peace.
    pub(super) fn of(&self, end: End) -> String {
        let all = self.0.iter().enumerate().map(|(nth, seen)| (nth, seen[end as usize].as_str()));
        let told = all.filter(|&told| told != (0, PEACE[end as usize])).map(|(_, words)| words);
        told.collect::<Vec<&str>>().join(THEN)
    }

    /// The same, but for this end, which has seen `all` in the end.
    pub(super) fn with(mut self, end: End, all: &str) -> Self {
        for (seen, words) in self.0.iter_mut().rev().zip(all.split(THEN).collect::<Vec<&str>>().iter().rev())
        {
            seen[end as usize] = (*words).to_owned();
        }
        self
    }
}

/// A log in words, of one peer or connection after the other: in which order two of them are served is nobody's word.
pub(super) fn words(log: &Log) -> Words {
    End::BOTH.map(|end| {
        let mut seen: Vec<&(End, usize, Saw)> = log.iter().filter(|(whose, ..)| *whose == end).collect();
        seen.sort_by_key(|(_, nth, _)| nth);
        in_words(seen.into_iter().map(|(.., saw)| saw))
    })
}

/// Bytes that follow each other are told together, with whether there were more reads than messages, or one for
/// several.
fn in_words<'a>(saws: impl Iterator<Item = &'a Saw>) -> String {
    let mut words: Vec<String> = Vec::new();
    let (mut bytes, mut reads) = (0, 0);
    for saw in saws.filter(|saw| **saw != Saw::Listening) {
        if let Saw::Read(count) = saw {
            (bytes, reads) = (bytes + count, reads + 1);
        } else {
            words.extend(bytes_in_words(bytes, reads));
            (bytes, reads) = (0, 0);
            words.push(saw.to_string());
        }
    }
    words.extend(bytes_in_words(bytes, reads));
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// How much of a message passes before a cut is drawn, so it is not told.
fn bytes_in_words(bytes: usize, reads: usize) -> Option<String> {
    let told = match (bytes / LINE * LINE, bytes % LINE) {
        (whole, 0) => Saw::Read(whole).to_string(),
        (0, _) => "read a part".to_owned(),
        (whole, _) => format!("{} and a part", Saw::Read(whole)),
    };
    let pieces = if reads > bytes.div_ceil(LINE) {
        " in pieces"
    } else if reads == 1 && bytes > LINE {
        " at once"
    } else {
        ""
    };
    (reads > 0).then(|| told + pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_together_until_something_else_happens() {
        let told = |saws: &[Saw]| in_words(saws.iter());
        assert_eq!(told(&[]), "nothing");
        assert_eq!(told(&[Saw::Read(64), Saw::Read(64), Saw::End]), "read 128, EOF");
        assert_eq!(told(&[Saw::Read(60), Saw::Read(4)]), "read 64 in pieces");
        assert_eq!(told(&[Saw::Read(128), Saw::Wrote(64)]), "read 128 at once, wrote 64");
        assert_eq!(told(&[Saw::Read(64), Saw::Connected, Saw::Read(32)]), "read 64, connected, read a part");
    }

    #[test]
    fn what_one_of_two_has_seen_is_told_after_what_the_other_has() {
        let server = |nth, saw| (End::Server, nth, saw);
        let log = [server(1, Saw::Read(64)), server(0, Saw::End), server(1, Saw::Wrote(64))];
        assert_eq!(words(&log.to_vec()), ["nothing", "EOF, read 64, wrote 64"]);
    }

    #[test]
    fn only_a_peace_in_which_something_is_wrong_is_told() {
        let mut sights = Sights::default();
        sights.push(PEACE.map(str::to_owned));
        sights.push(["EOF", "nothing"].map(str::to_owned));
        assert_eq!((sights.of(End::Peer), sights.of(End::Server)), ("EOF".to_owned(), "nothing".to_owned()));
        let other = sights.clone().with(End::Server, "EOF").with(End::Peer, "nothing; then EOF");
        assert_eq!(
            (other.of(End::Peer), other.of(End::Server)),
            ("nothing; then EOF".to_owned(), "EOF".to_owned())
        );
    }
}
