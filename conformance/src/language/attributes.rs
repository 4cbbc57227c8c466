//! `{kind=value ...}` at the end of a line.

use std::ops::Range;
use std::time::Duration;

use super::diagnostic::Diagnostic;
use super::number;
use super::template::Template;

/// What a line says beside its statement; what it does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `magic="\0XXX"`: these four bytes open the packet.
    pub magic: Option<[u8; 4]>,
    /// `type=99`: the number in the header.
    pub number: Option<u32>,
    /// `len=0xffffffff`: the length in the header.
    pub length: Option<u32>,
    /// `split=3,12`: write boundaries, as byte offsets.
    pub split: Option<Vec<usize>>,
    /// `gap=5ms`: the pause between two writes of the line.
    pub gap: Option<Duration>,
    /// `eol=crlf`: the line end of text.
    pub line_end: Option<LineEnd>,
    /// `within=3s`: how long to wait.
    pub within: Option<Duration>,
    /// `harmless=none`: here no packet is harmless.
    pub nothing_harmless: bool,
    /// `order=any`: the lines of the table come in any order.
    pub any_order: bool,
}

/// The end of a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// `\r\n`.
    CrLf,
    /// `\n` alone.
    Lf,
    /// None at all.
    None,
}

impl LineEnd {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::None => b"",
        }
    }
}

/// The attributes that each kind of statement takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed(pub(super) &'static [&'static str]);

impl Allowed {
    pub(super) const NONE: Self = Self(&[]);
    pub(super) const PACKET: Self = Self(&["magic", "type", "len", "split", "gap"]);
    pub(super) const BYTES: Self = Self(&["split", "gap"]);
    pub(super) const TEXT_OUT: Self = Self(&["split", "gap", "eol"]);
    pub(super) const TEXT_IN: Self = Self(&["within", "eol"]);
    pub(super) const WAIT: Self = Self(&["within"]);
    pub(super) const TABLE: Self = Self(&["within", "order"]);
    pub(super) const FENCE: Self = Self(&["within", "harmless"]);
}

impl Attributes {
    /// Reads a token `{...}` that stands at `start`.
    pub(super) fn parse(text: &str, start: usize, allowed: Allowed) -> Result<Self, Diagnostic> {
        let inner = &text[1..text.len() - 1];
        let mut attributes = Self::default();
        for (at, item) in items(inner) {
            let start = start + 1 + at;
            let span = start..start + item.len();
            let Some((name, value)) = item.split_once('=') else {
                return Err(Diagnostic::error(format!("`{item}` is not an attribute"), span)
                    .label("no `=` in it")
                    .help("attributes are `name=value`, separated by spaces"));
            };
            if !allowed.0.contains(&name) {
                return Err(misplaced(name, span, allowed));
            }
            attributes.set(name, value, &span)?;
        }
        Ok(attributes)
    }

    fn set(&mut self, name: &str, value: &str, span: &Range<usize>) -> Result<(), Diagnostic> {
        let value_start = span.start + name.len() + 1;
        let known = match name {
            "magic" => self.set_magic(value, value_start)?,
            "type" => number::parse(value).map(|number| self.number = Some(number)),
            "len" => number::parse(value).map(|length| self.length = Some(length)),
            "split" => value
                .split(',')
                .map(|at| at.parse().ok())
                .collect::<Option<_>>()
                .map(|list| self.split = Some(list)),
            "gap" => number::duration(value).map(|gap| self.gap = Some(gap)),
            "within" => number::duration(value).map(|within| self.within = Some(within)),
            "eol" => line_end(value).map(|end| self.line_end = Some(end)),
            "harmless" => (value == "none").then(|| self.nothing_harmless = true),
            _ => (value == "any").then(|| self.any_order = true),
        };
        known.ok_or_else(|| {
            Diagnostic::error(format!("`{value}` is not a value for `{name}`"), value_start..span.end)
                .label(shape(name))
        })
    }

    fn set_magic(&mut self, value: &str, start: usize) -> Result<Option<()>, Diagnostic> {
        let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Ok(None);
        };
        let bytes = Template::parse(inner, start + 1)?.fill(|_| None);
        self.magic = bytes.ok().and_then(|bytes| bytes.try_into().ok());
        Ok(self.magic.is_some().then_some(()))
    }
}

fn misplaced(name: &str, span: Range<usize>, allowed: Allowed) -> Diagnostic {
    let help = match allowed.0 {
        [] => "it takes none".to_owned(),
        names => format!("it takes {}", names.join(", ")),
    };
    Diagnostic::error(format!("`{name}` means nothing on this statement"), span)
        .label("not an attribute of it")
        .help(help)
}

/// What a value must look like.
fn shape(name: &str) -> &'static str {
    match name {
        "magic" => "must be a string of four bytes",
        "type" | "len" => "must be a number from 0 to 4294967295, decimal or 0x...",
        "split" => "must be byte offsets, as in `3,12`",
        "gap" | "within" => "must be a time, as in `5ms` or `3s`",
        "eol" => "must be crlf, lf or none",
        "harmless" => "must be `none`",
        _ => "must be `any`",
    }
}

fn line_end(value: &str) -> Option<LineEnd> {
    match value {
        "crlf" => Some(LineEnd::CrLf),
        "lf" => Some(LineEnd::Lf),
        "none" => Some(LineEnd::None),
        _ => None,
    }
}

/// The items of a list separated by spaces, with their offsets; spaces inside strings do not separate.
fn items(text: &str) -> Vec<(usize, &str)> {
    let mut list = Vec::new();
    let mut start = None;
    let mut in_string = false;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        let separates = character == ' ' && !in_string;
        match start {
            None if !separates => start = Some(at),
            Some(begin) if separates => {
                list.push((begin, &text[begin..at]));
                start = None;
            }
            _ => {}
        }
        in_string ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    list.extend(start.map(|begin| (begin, &text[begin..])));
    list
}
