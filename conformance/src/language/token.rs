//! The words of a statement line.

use std::ops::Range;

use super::diagnostic::Diagnostic;

/// A piece of a line together with the spaces before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Spaces and tabs before the piece.
    pub space: String,
    /// The piece as written.
    pub text: String,
    /// Byte offset of the piece in the text it was read from.
    pub start: usize,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is, told by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword, a name, a number, a packet name, `<`, `>`, `*`.
    Word,
    /// `"..."`.
    String,
    /// `/.../`.
    Regex,
    /// `$h`, `$h:/.../`, `!$h`.
    Variable,
    /// `@fill(3,"x")`.
    Function,
    /// `{within=3s}`.
    Attributes,
    /// A comment, a header line, or what could not be read.
    Verbatim,
}

impl Token {
    /// A token that is kept as it stands; `start` is where the spaces begin.
    #[must_use]
    pub fn verbatim(space: &str, text: &str, start: usize) -> Self {
        Self {
            space: space.to_owned(),
            text: text.to_owned(),
            start: start + space.len(),
            kind: TokenKind::Verbatim,
        }
    }

    /// Byte offset behind the piece.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The bytes the piece covers.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.start..self.end()
    }
}

/// Cuts the content of a statement line into tokens and the comment behind them.
pub(super) fn split(
    content: &str,
    line_start: usize,
    found: &mut Vec<Diagnostic>,
) -> (Vec<Token>, Option<Token>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let rest = &content[at..];
        let text = rest.trim_start_matches([' ', '\t']);
        let space = &rest[..rest.len() - text.len()];
        let start = line_start + at + space.len();
        if text.is_empty() || text.starts_with('#') {
            let comment = Token::verbatim(space, text, line_start + at);
            return (tokens, Some(comment));
        }
        let (kind, length) = measure(text).unwrap_or_else(|what| {
            found.push(
                Diagnostic::error(what.message(), start..start + text.len())
                    .label(what.label())
                    .help(what.help()),
            );
            (TokenKind::Verbatim, text.len())
        });
        tokens.push(Token { space: space.to_owned(), text: text[..length].to_owned(), start, kind });
        at += space.len() + length;
    }
    (tokens, None)
}

/// What was opened and never closed on its line.
enum Unclosed {
    String,
    Regex,
    Function,
    Attributes,
}

impl Unclosed {
    fn message(&self) -> &'static str {
        match self {
            Self::String => "this string is never closed",
            Self::Regex => "this regular expression is never closed",
            Self::Function => "this function's arguments are never closed",
            Self::Attributes => "these attributes are never closed",
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::String => "no `\"` follows on this line",
            Self::Regex => "no `/` follows on this line",
            Self::Function => "no `)` follows on this line",
            Self::Attributes => "no `}` follows on this line",
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::String => "write a quote inside a string as `\\\"` and a newline as `\\n`",
            Self::Regex => "write a slash inside a regular expression as `\\/`",
            Self::Function => "close it on the same line, as in `@fill(3,\"x\")`",
            Self::Attributes => "close them on the same line, as in `{within=3s}`",
        }
    }
}

/// The kind and length of the token that `text` begins with; `text` does not begin with a space.
fn measure(text: &str) -> Result<(TokenKind, usize), Unclosed> {
    let first = text.as_bytes()[0];
    match first {
        b'"' => Ok((TokenKind::String, quoted(text, 0, b'"').ok_or(Unclosed::String)?)),
        b'/' => Ok((TokenKind::Regex, quoted(text, 0, b'/').ok_or(Unclosed::Regex)?)),
        b'@' => Ok((TokenKind::Function, bracketed(text, b'(', b')').ok_or(Unclosed::Function)?)),
        b'{' => Ok((TokenKind::Attributes, bracketed(text, b'{', b'}').ok_or(Unclosed::Attributes)?)),
        b'$' | b'!' => Ok((TokenKind::Variable, variable(text)?)),
        _ => Ok((TokenKind::Word, word(text))),
    }
}

/// The length of a variable with the expression that may follow it.
fn variable(text: &str) -> Result<usize, Unclosed> {
    let name = word(text);
    match text[..name].find(":/") {
        Some(colon) => quoted(text, colon + 1, b'/').ok_or(Unclosed::Regex),
        None => Ok(name),
    }
}

/// The length up to the next space; a word may contain anything else.
fn word(text: &str) -> usize {
    text.find([' ', '\t']).unwrap_or(text.len())
}

/// Where the piece opened by the delimiter at `from` ends, the closing delimiter included.
fn quoted(text: &str, from: usize, delimiter: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(from + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == delimiter => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Where the bracket that closes the first `open` ends; brackets inside strings do not count.
/// A word without the bracket ends at its space.
fn bracketed(text: &str, open: u8, close: u8) -> Option<usize> {
    let opened = text.bytes().position(|byte| byte == open).filter(|&at| at < word(text));
    let Some(opened) = opened else { return Some(word(text)) };
    let mut at = opened + 1;
    while at < text.len() {
        match text.as_bytes()[at] {
            b'"' => at = quoted(text, at, b'"')?,
            byte if byte == close => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(content: &str) -> Vec<(TokenKind, String)> {
        let mut found = Vec::new();
        let (tokens, _) = split(content, 0, &mut found);
        assert!(found.is_empty(), "{found:?}");
        tokens.into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn spaces_inside_strings_expressions_and_brackets_do_not_cut() {
        use TokenKind::{Attributes, Function, Regex, String, Variable, Word};
        let cut =
            kinds(r#"c <~ X "a b\" c" /d \/ e/ $h:/[ ]+/ !$h @fill(3, "x )") {magic="} " gap=5ms} # end"#);
        let expected = [
            (Word, "c"),
            (Word, "<~"),
            (Word, "X"),
            (String, r#""a b\" c""#),
            (Regex, r"/d \/ e/"),
            (Variable, "$h:/[ ]+/"),
            (Variable, "!$h"),
            (Function, r#"@fill(3, "x )")"#),
            (Attributes, r#"{magic="} " gap=5ms}"#),
        ];
        assert_eq!(cut, expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn what_is_never_closed_is_reported_where_it_opens() {
        for (content, at) in
            [("c > X \"abc", 6), ("c < X /abc", 6), ("c > X @fill(3", 6), ("open c {within=3s", 7)]
        {
            let mut found = Vec::new();
            let (tokens, _) = split(content, 100, &mut found);
            assert_eq!(found.len(), 1, "{content}");
            assert_eq!(found[0].span, 100 + at..100 + content.len(), "{content}");
            assert_eq!(tokens.last().map(|token| token.kind), Some(TokenKind::Verbatim));
        }
    }
}
