//! The tokens of one line, taken from the front.

use std::ops::Range;
use std::time::Duration;

use super::attributes::{Allowed, Attributes};
use super::diagnostic::Diagnostic;
use super::document::Line;
use super::number;
use super::template::is_name;
use super::token::{Token, TokenKind};

/// Takes the tokens of one line from the front.
#[derive(Debug, Clone)]
pub(super) struct Words<'l> {
    tokens: &'l [Token],
    /// Where the line's content ends, for what is missing.
    end: usize,
}

impl<'l> Words<'l> {
    pub(super) fn new(line: &'l Line) -> Self {
        Self { tokens: &line.tokens, end: line.content_end() }
    }

    /// A line of one token.
    pub(super) fn single(token: &'l Token) -> Self {
        Self { tokens: std::slice::from_ref(token), end: token.end() }
    }

    /// Where the line's content ends.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn peek(&self) -> Option<&'l Token> {
        self.tokens.first()
    }

    pub(super) fn next(&mut self) -> Option<&'l Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// The tokens that are left, without the attributes at the end.
    pub(super) fn left(&self) -> &'l [Token] {
        match self.tokens.split_last() {
            Some((last, before)) if last.kind == TokenKind::Attributes => before,
            _ => self.tokens,
        }
    }

    /// The next token, or what is missing.
    pub(super) fn expect(&mut self, what: &str) -> Result<&'l Token, Diagnostic> {
        let end = self.end;
        self.next().filter(|token| token.kind != TokenKind::Attributes).ok_or_else(|| missing(what, end))
    }

    /// The name of a connection, a variable or a feature.
    pub(super) fn name(&mut self, what: &str) -> Result<String, Diagnostic> {
        let token = self.expect(what)?;
        name(token, what)
    }

    /// One or more names, up to the attributes or the end of the line.
    pub(super) fn names(&mut self, what: &str) -> Result<Vec<String>, Diagnostic> {
        let list = self.left();
        self.tokens = &self.tokens[list.len()..];
        match list {
            [] => Err(missing(what, self.end)),
            _ => list.iter().map(|token| name(token, what)).collect(),
        }
    }

    pub(super) fn duration(&mut self) -> Result<Duration, Diagnostic> {
        let token = self.expect("a time")?;
        number::duration(&token.text).ok_or_else(|| {
            wrong(token, "a time").help("times are whole numbers with a unit: `400ms`, `3s` or `1m`")
        })
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u32, Diagnostic> {
        let token = self.expect(what)?;
        number::parse(&token.text).ok_or_else(|| wrong(token, what))
    }

    /// The attributes at the end, after which nothing may stand.
    pub(super) fn attributes(&mut self, allowed: Allowed) -> Result<Attributes, Diagnostic> {
        let attributes = match self.peek() {
            Some(token) if token.kind == TokenKind::Attributes => {
                self.next();
                Attributes::parse(&token.text, token.start, allowed)?
            }
            _ => Attributes::default(),
        };
        self.finish()?;
        Ok(attributes)
    }

    /// Nothing may be left.
    pub(super) fn finish(&mut self) -> Result<(), Diagnostic> {
        match self.next() {
            None => Ok(()),
            Some(token) if token.kind == TokenKind::Attributes => {
                Err(Diagnostic::error("this statement takes no attributes", token.span()).label("not taken"))
            }
            Some(token) => Err(Diagnostic::error(format!("`{}` is too much", token.text), token.span())
                .label("the statement is complete before it")),
        }
    }
}

fn name(token: &Token, what: &str) -> Result<String, Diagnostic> {
    if token.kind == TokenKind::Word && is_name(&token.text) {
        return Ok(token.text.clone());
    }
    Err(wrong(token, what).help("names begin with a letter and go on with letters, digits, `_` and `-`"))
}

pub(super) fn wrong(token: &Token, what: &str) -> Diagnostic {
    Diagnostic::error(format!("`{}` is not {what}", token.text), token.span())
        .label(format!("expected {what}"))
}

pub(super) fn missing(what: &str, at: usize) -> Diagnostic {
    // The caret stands on the last character of the line: that is where to go on writing.
    Diagnostic::error(format!("{what} is missing"), caret(at)).label(format!("expected {what} behind this"))
}

fn caret(end: usize) -> Range<usize> {
    end.saturating_sub(1)..end
}
