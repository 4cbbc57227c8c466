//! Whether a message is the expected one, and if not, where they differ.

use std::collections::BTreeSet;

use bytes::Bytes;
use gearman_protocol::{Magic, PacketType};
use sha2::{Digest as _, Sha256};

use super::difference::{Mismatch, Row};
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
        Mismatch { summary, rows: vec![Row::differs(what, expected, message.to_string())] }
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
        let mut rows = vec![Row::new("packet", kind.to_string(), packet.name(), true)];
        for (at, (pattern, argument)) in patterns.iter().zip(&arguments).enumerate() {
            let mut result = self.argument(pattern, argument, &matched);
            if let Some((tolerance, other)) = self.tolerated(packet.packet_type(), at, argument)
                && result.is_err()
            {
                result = self.argument(pattern, &other, &matched);
                matched.deviations.extend(result.is_ok().then_some(tolerance));
            }
            rows.push(self.row(&argument_name(kind, at), pattern, argument, result.is_ok()));
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
        let mut rows = vec![self.row("line", pattern, text, result.is_ok())];
        matched.captured.extend(result.ok().flatten());
        if let Some(wanted) = wanted_end {
            rows.push(Row::new("line end", shown(wanted.bytes()), shown(end.bytes()), wanted == end));
        }
        finish(matched, rows)
    }

    /// A line of words from a program, word by word.
    fn words(&self, expected: &[Word<Pattern>], line: &Bytes) -> Result<Matched, Mismatch> {
        let said: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let mut matched = Matched::default();
        let pairs = expected.iter().zip(&said);
        let same: Vec<bool> = pairs.map(|(word, said)| self.word(word, said, &mut matched)).collect();
        if said.len() == expected.len() && same.iter().all(|same| *same) {
            return Ok(matched);
        }
        let row = Row::of_words("words", &self.word_list(expected), &words::shown_words(line), &same);
        Err(Mismatch { summary: "the program says something else".to_owned(), rows: vec![row] })
    }

    /// Whether a word is the expected one.
    fn word(&self, expected: &Word<Pattern>, said: &[u8], matched: &mut Matched) -> bool {
        let pattern = match expected {
            Word::Plain(plain) => return plain.as_bytes() == said,
            Word::Bytes(pattern) => pattern,
        };
        let result = match words::unpacked(said) {
            Some(bytes) => self.argument(pattern, &bytes, matched),
            None if words::must_be_packed(pattern) => Err(()),
            None => self.argument(pattern, said, matched),
        };
        let is_expected = result.is_ok();
        matched.captured.extend(result.ok().flatten());
        is_expected
    }

    /// A line of words with the variables' values beside them.
    pub(crate) fn shown_words(&self, words: &[Word<Pattern>]) -> String {
        format!("words {}", self.word_list(words).join(" "))
    }

    fn word_list(&self, words: &[Word<Pattern>]) -> Vec<String> {
        let shown = words.iter().map(|word| match word {
            Word::Plain(plain) => plain.clone(),
            Word::Bytes(pattern) => self.shown(pattern),
        });
        shown.collect()
    }

    /// Compares a value with its pattern for people, where `same` says how that ended.
    pub(crate) fn row(&self, what: &str, pattern: &Pattern, got: &[u8], same: bool) -> Row {
        match self.only_match(pattern).filter(|_| !same) {
            Some((name, expected)) => Row::of_bytes(what, &name, &expected, got),
            None => Row::new(what, self.shown(pattern), shown(got), same),
        }
    }

    /// The only bytes that a pattern takes, if there are such, and what stands before them when they are shown.
    fn only_match(&self, pattern: &Pattern) -> Option<(String, Vec<u8>)> {
        let value = |name: &str| self.variables.get(name);
        match pattern {
            Pattern::Text(text) => Some((String::new(), text.fill(value).ok()?)),
            Pattern::Made(made) => Some((format!("{pattern} = "), made.bytes(value).ok()?)),
            Pattern::Capture { name, .. } => Some((format!("{pattern} = "), value(name)?.to_vec())),
            Pattern::Differs(_)
            | Pattern::Matches(_)
            | Pattern::Anything
            | Pattern::Length(_)
            | Pattern::Digest(_)
            | Pattern::Range(_) => None,
        }
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
