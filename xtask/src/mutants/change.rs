//! What cargo-mutants would change, and where.

use std::ops::Range;

use serde::Deserialize;

/// One change: some text of a file, and what stands there instead.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) genre: Genre,
    pub(super) replacement: String,
    /// The function around it.
    pub(super) function: Option<Function>,
    span: Span,
}

/// A function.
#[derive(Debug, Deserialize)]
pub(super) struct Function {
    /// As it stands there, with its arrow; empty if nothing is returned.
    return_type: String,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Genre {
    /// A function returns something else at once.
    FnValue,
    BinaryOperator,
    /// It is taken away.
    UnaryOperator,
    /// It is taken away, and `_` stands for what it stood for.
    MatchArm,
    MatchArmGuard,
    /// It is taken away, and comes from `..` instead.
    StructField,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

/// Both from 1 on; columns count letters.
#[derive(Debug, Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

impl Change {
    /// Whether it is a value that may have a type of its own when it is all that a function returns.
    pub(super) fn decides_the_type(&self) -> bool {
        let returns = self.function.as_ref().map_or("", |function| &function.return_type);
        self.genre == Genre::FnValue && returns.contains("impl ")
    }

    /// The bytes of the file's text that it takes away.
    pub(super) fn range(&self, text: &str) -> Range<usize> {
        self.span.start.byte(text)..self.span.end.byte(text)
    }
}

impl Place {
    fn byte(&self, text: &str) -> usize {
        let line: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let letters = text[line..].chars().take(self.column - 1);
        line + letters.map(char::len_utf8).sum::<usize>()
    }
}

#[cfg(test)]
impl Change {
    /// A change in a text of one line, which has this before it.
    pub(super) fn of_line(genre: Genre, before: &str, old: &str, replacement: &str) -> Self {
        let place = |column| Place { line: 1, column };
        let start = before.chars().count() + 1;
        let span = Span { start: place(start), end: place(start + old.chars().count()) };
        let (name, file) = (format!("replace {old} with {replacement}"), "a.rs".to_owned());
        Self { name, file, genre, replacement: replacement.to_owned(), function: None, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_letters() {
        let place = |line, column| Place { line, column };
        let text = "one\nä = b\n";
        assert_eq!(&text[place(2, 3).byte(text)..place(2, 4).byte(text)], "=");
        assert_eq!(&text[place(1, 1).byte(text)..place(1, 4).byte(text)], "one");
    }
}
