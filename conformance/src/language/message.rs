//! What stands behind `>` and `<`: packets, text, bytes, endings.

use std::fmt;

use gearman_protocol::PacketType;

use super::attributes::Allowed;
use super::diagnostic::Diagnostic;
use super::number;
use super::template::{Template, is_name};
use super::token::{Token, TokenKind};
use super::transcript::{End, Input, Kind, Output, Word};
use super::value::{Expression, ExpressionError, Made, Pattern, Value};
use super::words::{Words, missing, wrong};

impl Kind {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Named(packet_type) => packet_type.number(),
            Self::Request(number) | Self::Response(number) => number,
            // What every worker could ask with, until a profile says what this one asks with.
            Self::Grab => PacketType::GrabJob.number(),
            Self::Assign => PacketType::JobAssign.number(),
        }
    }

    /// The type that it is for a worker which grabs so.
    #[must_use]
    pub fn for_worker(self, grab: PacketType) -> Self {
        match self {
            Self::Grab => Self::Named(grab),
            Self::Assign if grab == PacketType::GrabJob => Self::Named(PacketType::JobAssign),
            Self::Assign => Self::Named(PacketType::JobAssignUniq),
            Self::Named(_) | Self::Request(_) | Self::Response(_) => self,
        }
    }

    fn parse(token: &Token) -> Result<Self, Diagnostic> {
        if let Some(packet_type) = PacketType::from_name(&token.text) {
            return Ok(Self::Named(packet_type));
        }
        match token.text.as_str() {
            "GRAB" => return Ok(Self::Grab),
            "ASSIGN" => return Ok(Self::Assign),
            _ => {}
        }
        let numbered = token.text.strip_suffix(')').and_then(|text| text.split_once('('));
        match numbered.and_then(|(magic, digits)| Some((magic, number::parse(digits)?))) {
            Some(("REQ", number)) => Ok(Self::Request(number)),
            Some(("RES", number)) => Ok(Self::Response(number)),
            _ => Err(unknown_packet(token)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(packet_type) => f.write_str(packet_type.name()),
            Self::Request(number) => write!(f, "REQ({number})"),
            Self::Response(number) => write!(f, "RES({number})"),
            Self::Grab => f.write_str("GRAB"),
            Self::Assign => f.write_str("ASSIGN"),
        }
    }
}

fn unknown_packet(token: &Token) -> Diagnostic {
    let finding = Diagnostic::error(format!("`{}` is not a packet type", token.text), token.span())
        .label("no such packet in the protocol");
    let names = PacketType::ALL.iter().map(|packet_type| packet_type.name());
    match nearest(&token.text.to_uppercase(), names) {
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding.help("an unknown type is written with its number: `REQ(99)` or `RES(99)`"),
    }
}

/// The word that was probably meant: at most two changes away, or three in a long one.
pub(super) fn nearest<'w>(typed: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let (distance, word) = words.into_iter().map(|word| (distance(word, typed), word)).min()?;
    (distance <= 2 || distance == 3 && word.len() > 8).then_some(word)
}

/// How many characters must be added, removed or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// Reads what is sent, and says which attributes it takes.
pub(super) fn output(words: &mut Words<'_>) -> Result<(Output, Allowed), Diagnostic> {
    let first = words.expect("what is sent")?;
    match first.text.as_str() {
        "text" => Ok((Output::Text(value(words.expect("a string")?)?), Allowed::TEXT_OUT)),
        "raw" => Ok((Output::Raw(values(words)?), Allowed::BYTES)),
        "hex" => Ok((Output::Hex(hexadecimal(words)?), Allowed::BYTES)),
        "words" => Ok((Output::Words(spoken(words, value)?), Allowed::NONE)),
        _ => {
            let kind = Kind::parse(first)?;
            let arguments = values(words)?;
            check_count(kind, first, arguments.len())?;
            Ok((Output::Packet { kind, arguments }, Allowed::PACKET))
        }
    }
}

/// Reads what is expected, and says which attributes it takes.
pub(super) fn input(words: &mut Words<'_>) -> Result<(Input, Allowed), Diagnostic> {
    let first = words.expect("what is expected")?;
    if let Some(end) = End::from_word(&first.text) {
        return Ok((Input::End(end), Allowed::WAIT));
    }
    if first.text == "text" {
        return Ok((Input::Text(pattern(words.expect("a pattern")?)?), Allowed::TEXT_IN));
    }
    if first.text == "words" {
        return Ok((Input::Words(spoken(words, pattern)?), Allowed::WAIT));
    }
    let kind = Kind::parse(first)?;
    let patterns = patterns(words)?;
    check_count(kind, first, patterns.len())?;
    Ok((Input::Packet { kind, patterns }, Allowed::WAIT))
}

/// The words of a line to or from a program; `bytes` reads those that are not plain.
fn spoken<T>(
    words: &mut Words<'_>,
    bytes: impl Fn(&Token) -> Result<T, Diagnostic>,
) -> Result<Vec<Word<T>>, Diagnostic> {
    let list: Result<Vec<_>, _> = words
        .left()
        .iter()
        .map(|_| {
            let token = words.expect("a word")?;
            if token.kind == TokenKind::Word && token.text != "*" {
                Ok(Word::Plain(token.text.clone()))
            } else {
                bytes(token).map(Word::Bytes)
            }
        })
        .collect();
    match list {
        Ok(list) if list.is_empty() => Err(missing("a word", words.end())),
        list => list,
    }
}

fn check_count(kind: Kind, token: &Token, count: usize) -> Result<(), Diagnostic> {
    let names: &[&str] = match kind {
        Kind::Named(packet_type) => packet_type.arguments(),
        Kind::Grab => &[],
        Kind::Assign => PacketType::JobAssignUniq.arguments(),
        Kind::Request(_) | Kind::Response(_) => return Ok(()),
    };
    if names.len() == count {
        return Ok(());
    }
    let plural = if names.len() == 1 { "" } else { "s" };
    let message = format!("{} has {} argument{plural}, not {count}", token.text, names.len());
    let help = match names {
        [] => format!("write `{}` alone; a body that should not be there is `REQ(n) \"...\"`", token.text),
        _ => format!("its arguments are {}; other counts are written `REQ(n) ...`", names.join(", ")),
    };
    Err(Diagnostic::error(message, token.span()).label("wrong number of arguments").help(help))
}

fn values(words: &mut Words<'_>) -> Result<Vec<Value>, Diagnostic> {
    words.left().iter().map(|_| value(words.expect("a value")?)).collect()
}

pub(super) fn patterns(words: &mut Words<'_>) -> Result<Vec<Pattern>, Diagnostic> {
    words.left().iter().map(|_| pattern(words.expect("a pattern")?)).collect()
}

fn hexadecimal(words: &mut Words<'_>) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    for _ in words.left() {
        let token = words.expect("bytes")?;
        let digits = token.text.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        });
        let read: Option<Vec<u8>> = pairs.collect();
        bytes.extend(read.ok_or_else(|| wrong(token, "pairs of hexadecimal digits"))?);
    }
    Ok(bytes)
}

fn value(token: &Token) -> Result<Value, Diagnostic> {
    match token.kind {
        TokenKind::String => Ok(Value::Text(string(token)?)),
        TokenKind::Variable => variable(token).map(Value::Variable),
        TokenKind::Function => match made(token)? {
            Some(made) => Ok(Value::Made(made)),
            None => unix(token).map(Value::Unix).ok_or_else(|| {
                wrong(token, "a value")
                    .help("what can be sent is made by @fill(n,\"x\"), @rand(n,seed=s), @seq(n) or @unix(+n)")
            }),
        },
        TokenKind::Word | TokenKind::Regex | TokenKind::Attributes | TokenKind::Verbatim => {
            Err(wrong(token, "a value")
                .help("a value is \"text\", $variable, @fill(n,\"x\"), @rand(n,seed=s) or @seq(n)"))
        }
    }
}

/// Reads one pattern.
pub(super) fn pattern(token: &Token) -> Result<Pattern, Diagnostic> {
    match token.kind {
        TokenKind::String => Ok(Pattern::Text(string(token)?)),
        TokenKind::Regex => expression(&token.text, token.start).map(Pattern::Matches),
        TokenKind::Variable => capture(token),
        TokenKind::Function => match made(token)? {
            Some(made) => Ok(Pattern::Made(made)),
            None => measured(token),
        },
        TokenKind::Word if token.text == "*" => Ok(Pattern::Anything),
        TokenKind::Word => range(token),
        TokenKind::Attributes | TokenKind::Verbatim => Err(wrong(token, "a pattern")),
    }
}

fn string(token: &Token) -> Result<Template, Diagnostic> {
    Template::parse(&token.text[1..token.text.len() - 1], token.start + 1)
}

fn variable(token: &Token) -> Result<String, Diagnostic> {
    token
        .text
        .strip_prefix('$')
        .filter(|name| is_name(name))
        .map(str::to_owned)
        .ok_or_else(|| wrong(token, "a variable").help("what is sent can use `$h`, once it is captured"))
}

fn capture(token: &Token) -> Result<Pattern, Diagnostic> {
    if let Some(name) = token.text.strip_prefix("!$").filter(|name| is_name(name)) {
        return Ok(Pattern::Differs(name.to_owned()));
    }
    let text = token.text.strip_prefix('$').unwrap_or_default();
    // The lexer takes `$h:/.../` as one token only when the expression is closed.
    let (name, shape) = match text.split_once(':').filter(|(_, shape)| shape.starts_with('/')) {
        Some((name, shape)) => (name, Some(expression(shape, token.start + 1 + name.len() + 1)?)),
        None => (text, None),
    };
    if is_name(name) {
        return Ok(Pattern::Capture { name: name.to_owned(), shape });
    }
    Err(wrong(token, "a variable").help("a variable is `$h`, `$h:/regex/` or `!$h`"))
}

/// Reads `/.../` and makes sure that it compiles.
fn expression(text: &str, start: usize) -> Result<Expression, Diagnostic> {
    let expression = Expression { source: text[1..text.len() - 1].to_owned() };
    match expression.compile(|_| Some(b"x")) {
        Ok(_) => Ok(expression),
        Err(ExpressionError::Wrong(error) | ExpressionError::Unknown(error)) => {
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Diagnostic::error("this regular expression cannot be read", start..start + text.len())
                .label(last))
        }
    }
}

fn range(token: &Token) -> Result<Pattern, Diagnostic> {
    let ends =
        token.text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    match ends {
        Some((low, high)) if low <= high => Ok(Pattern::Range(low..=high)),
        Some(_) => Err(wrong(token, "a range").label("its low end is above its high end")),
        None => Err(wrong(token, "a pattern").help(
            "a pattern is \"text\", $h, $h:/regex/, !$h, /regex/, *, @len(n), @sha256(\"...\") or lo..hi",
        )),
    }
}

/// The name and the arguments of `@name(a,b)`.
fn call(token: &Token) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = token.text[1..].split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    // Only the first comma separates: what stands behind it may be a string with commas.
    Some((name, inner.splitn(2, ',').map(str::trim).collect()))
}

/// Reads `@fill`, `@rand` and `@seq`; `None` for other functions.
fn made(token: &Token) -> Result<Option<Made>, Diagnostic> {
    let made = match call(token) {
        Some(("fill", arguments)) => match arguments[..] {
            [length, text] => fill(token, length, text)?,
            _ => None,
        },
        Some(("rand", arguments)) => match arguments[..] {
            [length, seed] => random(length, seed),
            _ => None,
        },
        Some(("seq", arguments)) => match arguments[..] {
            [length] => length.parse().ok().map(|length| Made::Sequence { length }),
            _ => None,
        },
        _ => return Ok(None),
    };
    made.map(Some).ok_or_else(|| {
        wrong(token, "a call that can be read").help("they are @fill(n,\"x\"), @rand(n,seed=s) and @seq(n)")
    })
}

fn fill(token: &Token, length: &str, text: &str) -> Result<Option<Made>, Diagnostic> {
    let inner =
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|inner| !inner.is_empty());
    let Some((length, inner)) = length.parse().ok().zip(inner) else { return Ok(None) };
    let start = token.start + token.text.find('"').unwrap_or(0) + 1;
    Ok(Some(Made::Fill { length, text: Template::parse(inner, start)? }))
}

fn random(length: &str, seed: &str) -> Option<Made> {
    Some(Made::Random { length: length.parse().ok()?, seed: seed.strip_prefix("seed=")?.parse().ok()? })
}

/// Reads `@unix(+n)`.
fn unix(token: &Token) -> Option<u32> {
    match call(token) {
        Some(("unix", arguments)) => arguments[0].strip_prefix('+')?.parse().ok(),
        _ => None,
    }
}

/// Reads `@len` and `@sha256`.
fn measured(token: &Token) -> Result<Pattern, Diagnostic> {
    let pattern = match call(token) {
        Some(("len", arguments)) => arguments[0].parse().ok().map(Pattern::Length),
        Some(("sha256", arguments)) => digest(arguments[0]).map(Pattern::Digest),
        _ => {
            return Err(wrong(token, "a pattern")
                .help("the functions are @fill, @rand, @seq, @len(n) and @sha256(\"...\")"));
        }
    };
    pattern.ok_or_else(|| {
        wrong(token, "a call that can be read").help("they are @len(n) and @sha256(\"64 digits\")")
    })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    let bytes: Option<Vec<u8>> = (0..digits.len())
        .step_by(2)
        .map(|at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    bytes?.try_into().ok()
}
