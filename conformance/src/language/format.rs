//! The one way to write a transcript.

use super::document::{Document, Line, Section};
use super::token::{Token, TokenKind};

/// Rewrites a transcript in the one way: two spaces of indent a block, one space between words, comments of
/// neighbouring lines in one column, one blank line at most.
///
/// Meaning and words stay as they are; formatting what is formatted changes nothing. In `hex` lines two spaces
/// may stand between groups of bytes.
#[must_use]
pub fn format(document: &Document) -> String {
    let mut rows: Vec<Row> = Vec::new();
    let mut depth = Depth::default();
    for line in &document.lines {
        let row = match line.section {
            Section::Version | Section::Rule => Row::new(String::new(), join(&line.tokens), line),
            Section::Header => header(line),
            Section::Body => {
                let indent = depth.of(line);
                Row::new("  ".repeat(indent), content(&line.tokens), line)
            }
        };
        let blank = row.is_blank() && rows.last().is_none_or(Row::is_blank);
        if !blank {
            rows.push(row);
        }
    }
    while rows.last().is_some_and(Row::is_blank) {
        rows.pop();
    }
    align(&mut rows);
    rows.iter().map(Row::text).collect()
}

/// One line of the result.
struct Row {
    content: String,
    comment: String,
    /// How far the comment stands from the left.
    column: usize,
}

impl Row {
    fn new(indent: String, content: String, line: &Line) -> Self {
        let comment = line.comment.as_ref().map(|comment| comment.text.clone()).unwrap_or_default();
        let is_blank = content.is_empty() && comment.is_empty();
        Self { content: if is_blank { content } else { indent + &content }, comment, column: 0 }
    }

    fn is_blank(&self) -> bool {
        self.content.is_empty() && self.comment.is_empty()
    }

    /// A comment that stands behind something, rather than on its own line.
    fn has_margin_note(&self) -> bool {
        !self.comment.is_empty() && !self.content.trim_end().is_empty()
    }

    fn text(&self) -> String {
        let gap = self.column.saturating_sub(self.content.chars().count());
        format!("{}{}{}\n", self.content, " ".repeat(gap), self.comment)
    }
}

/// Puts the comments of neighbouring lines into one column.
fn align(rows: &mut [Row]) {
    for run in rows.chunk_by_mut(|one, next| one.has_margin_note() && next.has_margin_note()) {
        if run[0].has_margin_note() {
            let widest = run.iter().map(|row| row.content.chars().count()).max().unwrap_or(0);
            run.iter_mut().for_each(|row| row.column = widest + 2);
        }
    }
}

fn header(line: &Line) -> Row {
    let Some(token) = line.tokens.first() else { return Row::new(String::new(), String::new(), line) };
    if !token.space.is_empty() {
        return Row::new("  ".to_owned(), token.text.clone(), line);
    }
    let content = match token.text.split_once(':') {
        Some((key, value)) => format!("{key}: {}", value.trim_start()).trim_end().to_owned(),
        None => token.text.clone(),
    };
    Row::new(String::new(), content, line)
}

fn content(tokens: &[Token]) -> String {
    let in_hex = tokens.iter().position(|token| token.text == "hex").filter(|&at| at == 2);
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let grouped = in_hex.is_some_and(|hex| at > hex + 1) && token.kind == TokenKind::Word;
        let space = match at {
            0 => "",
            _ if grouped && token.space.len() > 1 => "  ",
            _ => " ",
        };
        text.push_str(space);
        text.push_str(&token.text);
    }
    text
}

fn join(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// How deep the lines of a body stand.
#[derive(Default)]
struct Depth {
    /// For every open block, whether an `alt` has begun in it.
    open: Vec<bool>,
}

impl Depth {
    /// The depth of a line; opens and closes blocks on the way.
    fn of(&mut self, line: &Line) -> usize {
        let is_message = line.tokens.get(1).is_some_and(|token| token.text.starts_with(['<', '>']));
        let first = line.tokens.first().map_or("", |token| token.text.as_str());
        match first {
            _ if is_message => self.inside(),
            "end" => {
                self.open.pop();
                self.inside()
            }
            "else" => self.inside().saturating_sub(1),
            "alt" => {
                if let Some(last) = self.open.last_mut() {
                    *last = false;
                }
                let depth = self.inside();
                if let Some(last) = self.open.last_mut() {
                    *last = true;
                }
                depth
            }
            "batch" | "unordered" | "until" | "either" | "repeat" | "when" | "finally" => {
                let depth = self.inside();
                self.open.push(false);
                depth
            }
            _ => self.inside(),
        }
    }

    fn inside(&self) -> usize {
        self.open.len() + self.open.iter().filter(|&&alternative| alternative).count()
    }
}
