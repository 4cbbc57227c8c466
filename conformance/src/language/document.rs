//! The text of a transcript, cut into pieces that tile it.
//!
//! Nothing is thrown away here: spaces, comments and line ends stay with the line they stand on, so that
//! printing a document gives back the bytes it was read from, and tools can change one token and leave
//! the rest as its author wrote it.

use std::fmt;

use super::diagnostic::Diagnostic;
use super::token::{self, Token};

/// A transcript as text: its lines, each cut into tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Every line, in order.
    pub lines: Vec<Line>,
}

/// One line with everything that stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Byte offset of the line in the text it was read from.
    pub start: usize,
    /// Which part of the transcript it belongs to.
    pub section: Section,
    /// What the line says; empty on blank lines and on lines with only a comment.
    pub tokens: Vec<Token>,
    /// From `#` to the end of the line, with the spaces before it.
    pub comment: Option<Token>,
    /// Spaces before the line end.
    pub trail: String,
    /// `\n`, `\r\n`, or nothing on a last line without one.
    pub ending: String,
}

/// The parts of a transcript, which are read by different rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `gtx 1`.
    Version,
    /// `key: value` lines and the explanation: each is one verbatim token.
    Header,
    /// `---`.
    Rule,
    /// Statements.
    Body,
}

impl Document {
    /// Cuts `text` into lines and tokens.
    ///
    /// Never fails: what cannot be a token (an unclosed string, say) is kept verbatim as one and reported,
    /// so the document still prints as it was read.
    #[must_use]
    pub fn read(text: &str) -> (Self, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let mut section = Section::Version;
        let mut lines = Vec::new();
        let mut start = 0;
        for raw in text.split_inclusive('\n') {
            let line = Line::read(raw, start, section, &mut found);
            start += raw.len();
            section = line.section_after();
            lines.push(line);
        }
        (Self { lines }, found)
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl Line {
    fn read(raw: &str, start: usize, before: Section, found: &mut Vec<Diagnostic>) -> Self {
        let text = raw.trim_end_matches(['\n', '\r']);
        // Only one line end belongs to the line; stray carriage returns before it are the text's own.
        let ending =
            if raw.ends_with("\r\n") { "\r\n" } else { &raw[raw.len() - usize::from(raw.ends_with('\n'))..] };
        let text =
            if text.len() + ending.len() == raw.len() { text } else { &raw[..raw.len() - ending.len()] };
        let content = text.trim_end_matches([' ', '\t']);
        let section = if before == Section::Header && content == "---" { Section::Rule } else { before };
        let (tokens, comment) = match section {
            Section::Body => token::split(content, start, found),
            Section::Version | Section::Header | Section::Rule => verbatim(content, start),
        };
        Self {
            start,
            section,
            tokens,
            comment,
            trail: text[content.len()..].to_owned(),
            ending: ending.to_owned(),
        }
    }

    fn section_after(&self) -> Section {
        match self.section {
            // Blank lines and comments may stand above `gtx 1`.
            Section::Version if self.tokens.is_empty() => Section::Version,
            Section::Version | Section::Header => Section::Header,
            Section::Rule | Section::Body => Section::Body,
        }
    }

    /// The spaces before the first token.
    #[must_use]
    pub fn indent(&self) -> &str {
        self.tokens.first().map_or("", |first| &first.space)
    }

    /// Where the first token begins, or the line when it has none.
    #[must_use]
    pub fn content_start(&self) -> usize {
        self.tokens.first().map_or(self.start, |first| first.start)
    }

    /// Where the last token ends, or the line begins when it has none.
    #[must_use]
    pub fn content_end(&self) -> usize {
        self.tokens.last().map_or(self.start, Token::end)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in self.tokens.iter().chain(&self.comment) {
            write!(f, "{}{}", token.space, token.text)?;
        }
        write!(f, "{}{}", self.trail, self.ending)
    }
}

/// A header line is one token; one that begins with `#` is a comment.
fn verbatim(content: &str, start: usize) -> (Vec<Token>, Option<Token>) {
    let text = content.trim_start_matches([' ', '\t']);
    let token = Token::verbatim(&content[..content.len() - text.len()], text, start);
    match text {
        "" => (Vec::new(), (!token.space.is_empty()).then_some(token)),
        _ if text.starts_with('#') => (Vec::new(), Some(token)),
        _ => (vec![token], None),
    }
}
