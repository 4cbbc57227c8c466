//! What can be sent, and what may be expected.

use std::fmt;
use std::ops::RangeInclusive;

use super::template::Template;

/// An argument of something that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `"text"`.
    Text(Template),
    /// `$h`.
    Variable(String),
    /// `@fill(n,"x")`, `@rand(n,seed=s)`, `@seq(n)`.
    Made(Made),
    /// `@unix(+n)`: the wall clock in so many seconds, as seconds since 1970.
    Unix(u32),
}

/// Bytes made by rule instead of being written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// `@fill(n,"x")`: the text again and again, cut at `length` bytes.
    Fill {
        /// Length in bytes.
        length: usize,
        /// What is repeated; never empty.
        text: Template,
    },
    /// `@rand(n,seed=s)`: bytes that look random and are the same for the same seed.
    Random {
        /// Length in bytes.
        length: usize,
        /// Which bytes.
        seed: u64,
    },
    /// `@seq(n)`: 0, 1, 2 and so on, from 255 back to 0.
    Sequence {
        /// Length in bytes.
        length: usize,
    },
}

/// What an argument of something received must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `"text"`: exactly these bytes.
    Text(Template),
    /// Exactly the bytes that `@fill`, `@rand` or `@seq` makes.
    Made(Made),
    /// `$h` or `$h:/regex/`: the first use captures, later uses must be equal.
    Capture {
        /// The variable.
        name: String,
        /// What the captured bytes must look like.
        shape: Option<Expression>,
    },
    /// `!$h`: anything but the variable's value.
    Differs(String),
    /// `/regex/`: the whole argument matches.
    Matches(Expression),
    /// `*`.
    Anything,
    /// `@len(n)`: any bytes, so many of them.
    Length(usize),
    /// `@sha256("...")`: any bytes with this digest.
    Digest([u8; 32]),
    /// `lo..hi`: a decimal number between the two, both included.
    Range(RangeInclusive<u64>),
}

/// A regular expression over bytes, which must match from end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As written between the slashes; `${h}` stands for the variable's value, taken literally.
    pub source: String,
}

impl Expression {
    /// Compiles the expression with the variables filled in.
    ///
    /// # Errors
    ///
    /// The name of a variable that `value` does not know, or why the expression cannot be compiled.
    pub fn compile<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v [u8]>,
    ) -> Result<regex::bytes::Regex, ExpressionError> {
        let mut filled = String::new();
        let mut rest = self.source.as_str();
        while let Some((before, name, after)) = next_hole(rest) {
            let bytes = value(name).ok_or_else(|| ExpressionError::Unknown(name.to_owned()))?;
            filled.push_str(before);
            bytes.iter().for_each(|byte| filled.push_str(&format!("\\x{byte:02x}")));
            rest = after;
        }
        filled.push_str(rest);
        regex::bytes::RegexBuilder::new(&format!("\\A(?:{filled})\\z"))
            .unicode(false)
            .dot_matches_new_line(true)
            .build()
            .map_err(|error| ExpressionError::Wrong(error.to_string()))
    }

    /// The names of the variables in it, in order.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut rest = self.source.as_str();
        while let Some((_, name, after)) = next_hole(rest) {
            names.push(name);
            rest = after;
        }
        names
    }
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionError {
    /// It names a variable without a value.
    Unknown(String),
    /// It is not a regular expression; the library's own words.
    Wrong(String),
}

/// The text before the next `${name}`, the name, and the text behind it.
fn next_hole(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find("${")?;
    let close = open + text[open..].find('}')?;
    Some((&text[..open], &text[open + 2..close], &text[close + 1..]))
}

impl Value {
    /// The names of the variables in it.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.variables().collect(),
            Self::Variable(name) => vec![name],
            Self::Made(made) => made.variables(),
            Self::Unix(_) => Vec::new(),
        }
    }
}

impl Made {
    /// The names of the variables in it.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Fill { text, .. } => text.variables().collect(),
            Self::Random { .. } | Self::Sequence { .. } => Vec::new(),
        }
    }

    /// The bytes, with the variables filled in.
    ///
    /// # Errors
    ///
    /// The name of a variable that `value` does not know.
    pub fn bytes<'v>(&self, value: impl Fn(&str) -> Option<&'v [u8]>) -> Result<Vec<u8>, String> {
        match self {
            Self::Fill { length, text } => Ok(text.fill(value)?.into_iter().cycle().take(*length).collect()),
            Self::Random { length, seed } => Ok(random(*length, *seed)),
            Self::Sequence { length } => Ok((0..=u8::MAX).cycle().take(*length).collect()),
        }
    }
}

/// SplitMix64, written out so that a seed names the same bytes in every version of this tool.
fn random(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

impl Pattern {
    /// The names of the variables it needs; a capture needs none.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.variables().collect(),
            Self::Made(made) => made.variables(),
            Self::Differs(name) => vec![name],
            Self::Matches(shape) | Self::Capture { shape: Some(shape), .. } => shape.variables(),
            Self::Capture { shape: None, .. }
            | Self::Anything
            | Self::Length(_)
            | Self::Digest(_)
            | Self::Range(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Made(made) => made.fmt(f),
            Self::Unix(seconds) => write!(f, "@unix(+{seconds})"),
        }
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fill { length, text } => write!(f, "@fill({length},{text})"),
            Self::Random { length, seed } => write!(f, "@rand({length},seed={seed})"),
            Self::Sequence { length } => write!(f, "@seq({length})"),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Made(made) => made.fmt(f),
            Self::Capture { name, shape: None } => write!(f, "${name}"),
            Self::Capture { name, shape: Some(shape) } => write!(f, "${name}:/{}/", shape.source),
            Self::Differs(name) => write!(f, "!${name}"),
            Self::Matches(shape) => write!(f, "/{}/", shape.source),
            Self::Anything => f.write_str("*"),
            Self::Length(length) => write!(f, "@len({length})"),
            Self::Digest(digest) => {
                let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                write!(f, "@sha256(\"{text}\")")
            }
            Self::Range(range) => write!(f, "{}..{}", range.start(), range.end()),
        }
    }
}
