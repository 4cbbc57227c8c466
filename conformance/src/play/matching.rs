//! Whether a message is the expected one, and if not, where they differ.

use std::collections::BTreeSet;

use bytes::Bytes;
use gearman_protocol::{Magic, PacketType};
use sha2::{Digest as _, Sha256};

use super::incoming::{Ended, Message, RawPacket, shown};
use super::variables::Variables;
use super::words;
use crate::language::{Attributes, End, ExpressionError, Input, Kind, LineEnd, Pattern, Word};
use crate::profile::{Profile, Tolerance};

/// What a match brought.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Variables that were captured.
    pub(crate) captured: Vec<(String, Vec<u8>)>,
    /// Deviations that the profile tolerates.
    pub(crate) deviations: BTreeSet<Tolerance>,
}

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
}

/// Compares messages with what the transcript expects.
pub(crate) struct Matcher<'p> {
    pub(crate) variables: &'p Variables,
    pub(crate) profile: &'p Profile,
}

impl Matcher<'_> {
    pub(crate) fn input(
        &self,
        input: &Input,
        attributes: &Attributes,
        message: &Message,
    ) -> Result<Matched, Mismatch> {
        match (input, message) {
            (Input::Packet { kind, patterns }, Message::Packet(packet)) => {
                self.packet(*kind, patterns, packet)
            }
            (Input::Text(pattern), Message::Line { text, end }) => {
                self.line(pattern, attributes.line_end, text, *end)
            }
            (Input::Words(words), Message::Line { text, .. }) => self.words(words, text),
            (Input::End(expected), Message::End(got)) if ends_so(*expected, *got) => Ok(Matched::default()),
            _ => Err(self.other_kind(input, message)),
        }
    }

    /// The message is not even of the kind that was expected.
    fn other_kind(&self, input: &Input, message: &Message) -> Mismatch {
        let (what, expected) = match input {
            Input::Packet { kind, patterns } => {
                let patterns: Vec<String> =
                    patterns.iter().map(|pattern| format!(" {}", self.shown(pattern))).collect();
                ("packet", format!("{kind}{}", patterns.concat()))
            }
            Input::Text(pattern) => ("line", format!("text {}", self.shown(pattern))),
            Input::Words(words) => ("line", self.shown_words(words)),
            Input::End(end) => ("end", end.to_string()),
        };
        let summary = match (message, input) {
            (Message::End(_), Input::Words(_)) => "the program ended".to_owned(),
            (Message::End(Ended::Fin), _) => "the other side closed the connection".to_owned(),
            (Message::End(Ended::Reset), _) => "the other side reset the connection".to_owned(),
            (Message::Partial(_), _) => "the other side closed the connection within a message".to_owned(),
            (Message::Packet(_) | Message::Line { .. }, _) => "something else came".to_owned(),
        };
        let row = Row { what: what.to_owned(), expected, got: message.to_string(), same: false };
        Mismatch { summary, rows: vec![row] }
    }

    fn packet(&self, kind: Kind, patterns: &[Pattern], packet: &RawPacket) -> Result<Matched, Mismatch> {
        let mut matched = Matched::default();
        let kind = kind.for_worker(self.profile.grab);
        let usual = match kind {
            Kind::Named(_) | Kind::Grab | Kind::Assign => packet.usual,
            Kind::Request(_) => Magic::Request,
            Kind::Response(_) => Magic::Response,
        };
        let right_magic = packet.magic == usual.bytes();
        if !right_magic && self.tolerates(Tolerance::ResMagic) {
            matched.deviations.insert(Tolerance::ResMagic);
        }
        let magic_passes = right_magic || self.tolerates(Tolerance::ResMagic);
        let arguments = packet.arguments(patterns.len());
        let (true, true, Some(arguments)) = (magic_passes, packet.number == kind.number(), arguments) else {
            let input = Input::Packet { kind, patterns: patterns.to_vec() };
            return Err(self.other_kind(&input, &Message::Packet(packet.clone())));
        };
        let mut rows = vec![Row {
            what: "packet".to_owned(),
            expected: kind.to_string(),
            got: packet.name(),
            same: true,
        }];
        for (at, (pattern, argument)) in patterns.iter().zip(&arguments).enumerate() {
            let mut result = self.argument(pattern, argument, &matched);
            if let Some((tolerance, other)) = self.tolerated(packet.packet_type(), at, argument)
                && result.is_err()
            {
                result = self.argument(pattern, &other, &matched);
                matched.deviations.extend(result.is_ok().then_some(tolerance));
            }
            rows.push(Row {
                what: argument_name(kind, at),
                expected: self.shown(pattern),
                got: shown(argument),
                same: result.is_ok(),
            });
            matched.captured.extend(result.ok().flatten());
        }
        finish(matched, rows)
    }

    fn line(
        &self,
        pattern: &Pattern,
        wanted_end: Option<LineEnd>,
        text: &Bytes,
        end: LineEnd,
    ) -> Result<Matched, Mismatch> {
        let mut matched = Matched::default();
        let result = self.argument(pattern, text, &matched);
        let mut rows = vec![Row {
            what: "line".to_owned(),
            expected: self.shown(pattern),
            got: shown(text),
            same: result.is_ok(),
        }];
        matched.captured.extend(result.ok().flatten());
        if let Some(wanted) = wanted_end {
            rows.push(Row {
                what: "line end".to_owned(),
                expected: shown(wanted.bytes()),
                got: shown(end.bytes()),
                same: wanted == end,
            });
        }
        finish(matched, rows)
    }

    /// A line of words from a program, word by word.
    fn words(&self, expected: &[Word<Pattern>], line: &Bytes) -> Result<Matched, Mismatch> {
        let said: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let mut matched = Matched::default();
        let same = said.len() == expected.len()
            && expected.iter().zip(&said).all(|(word, said)| match word {
                Word::Plain(plain) => plain.as_bytes() == *said,
                Word::Bytes(pattern) => {
                    let result = match words::unpacked(said) {
                        Some(bytes) => self.argument(pattern, &bytes, &matched),
                        None if words::must_be_packed(pattern) => Err(()),
                        None => self.argument(pattern, said, &matched),
                    };
                    matched.captured.extend(result.clone().ok().flatten());
                    result.is_ok()
                }
            });
        if same {
            return Ok(matched);
        }
        let row = Row {
            what: "line".to_owned(),
            expected: self.shown_words(expected),
            got: words::shown_line(line),
            same: false,
        };
        Err(Mismatch { summary: "the program says something else".to_owned(), rows: vec![row] })
    }

    /// The words of a line with the variables' values beside them.
    pub(crate) fn shown_words(&self, words: &[Word<Pattern>]) -> String {
        let shown = words.iter().map(|word| match word {
            Word::Plain(plain) => format!(" {plain}"),
            Word::Bytes(pattern) => format!(" {}", self.shown(pattern)),
        });
        format!("words{}", shown.collect::<String>())
    }

    /// Whether a pattern takes these bytes, and what it captures from them.
    pub(crate) fn argument(
        &self,
        pattern: &Pattern,
        bytes: &[u8],
        so_far: &Matched,
    ) -> Result<Option<(String, Vec<u8>)>, ()> {
        let value = |name: &str| {
            let here = so_far.captured.iter().rev().find(|(captured, _)| captured == name);
            here.map(|(_, value)| value.as_slice()).or_else(|| self.variables.get(name))
        };
        let takes = match pattern {
            Pattern::Text(text) => text.fill(value).is_ok_and(|wanted| wanted == bytes),
            Pattern::Made(made) => made.bytes(value).is_ok_and(|wanted| wanted == bytes),
            Pattern::Differs(name) => value(name).is_some_and(|other| other != bytes),
            Pattern::Matches(shape) => is_match(shape.compile(value), bytes),
            Pattern::Anything => true,
            Pattern::Length(length) => bytes.len() == *length,
            Pattern::Digest(digest) => Sha256::digest(bytes).as_slice() == digest,
            Pattern::Range(range) => number(bytes).is_some_and(|number| range.contains(&number)),
            Pattern::Capture { name, shape } => match value(name) {
                Some(known) => known == bytes,
                None => {
                    let fits = shape.as_ref().is_none_or(|shape| is_match(shape.compile(value), bytes));
                    return if fits { Ok(Some((name.clone(), bytes.to_vec()))) } else { Err(()) };
                }
            },
        };
        if takes { Ok(None) } else { Err(()) }
    }

    fn tolerates(&self, tolerance: Tolerance) -> bool {
        self.profile.tolerances.contains_key(&tolerance)
    }

    /// What an argument would be without a deviation that the profile tolerates.
    fn tolerated(
        &self,
        packet_type: Option<PacketType>,
        at: usize,
        argument: &Bytes,
    ) -> Option<(Tolerance, Bytes)> {
        let name = *packet_type?.arguments().get(at)?;
        let is_status = matches!(packet_type?, PacketType::StatusRes | PacketType::StatusResUnique);
        let found = match name {
            "handle" if packet_type? == PacketType::WorkFail && argument.last() == Some(&0) => {
                (Tolerance::HandleNul, argument.slice(..argument.len() - 1))
            }
            "numerator" | "denominator" if is_status && argument.is_empty() => {
                (Tolerance::StatusEmpty, Bytes::from_static(b"0"))
            }
            _ => return None,
        };
        self.tolerates(found.0).then_some(found)
    }

    /// A pattern with the variables' values beside it.
    pub(crate) fn shown(&self, pattern: &Pattern) -> String {
        let value = |name: &str| self.variables.get(name);
        match pattern {
            Pattern::Text(text) => text.fill(value).map_or_else(|_| text.to_string(), |bytes| shown(&bytes)),
            Pattern::Capture { name, .. } | Pattern::Differs(name) => match value(name) {
                Some(known) => format!("{pattern} = {}", shown(known)),
                None => pattern.to_string(),
            },
            Pattern::Made(_)
            | Pattern::Matches(_)
            | Pattern::Anything
            | Pattern::Length(_)
            | Pattern::Digest(_)
            | Pattern::Range(_) => pattern.to_string(),
        }
    }
}

/// A match if every row agrees; otherwise a mismatch that names those that do not.
fn finish(matched: Matched, rows: Vec<Row>) -> Result<Matched, Mismatch> {
    let wrong: Vec<&str> = rows.iter().filter(|row| !row.same).map(|row| row.what.as_str()).collect();
    match wrong[..] {
        [] => Ok(matched),
        [one] => Err(Mismatch { summary: format!("the {one} differs"), rows }),
        _ => Err(Mismatch { summary: format!("{} differ", wrong.join(", ")), rows }),
    }
}

fn argument_name(kind: Kind, at: usize) -> String {
    let named =
        PacketType::from_number(kind.number()).and_then(|packet_type| packet_type.arguments().get(at));
    named.map_or_else(|| format!("argument {}", at + 1), |name| (*name).to_owned())
}

fn ends_so(expected: End, got: Ended) -> bool {
    match expected {
        End::Closed => true,
        End::Fin => got == Ended::Fin,
        End::Reset => got == Ended::Reset,
    }
}

fn is_match(shape: Result<regex::bytes::Regex, ExpressionError>, bytes: &[u8]) -> bool {
    shape.is_ok_and(|shape| shape.is_match(bytes))
}

fn number(bytes: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(bytes).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
