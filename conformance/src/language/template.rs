//! Strings with escapes and `${variables}`.

use std::fmt;

use super::diagnostic::Diagnostic;

/// A string as bytes, with holes that variables fill when the transcript is played.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes that stand for themselves.
    Bytes(Vec<u8>),
    /// The value of the variable of this name.
    Variable(String),
}

impl Template {
    /// A template without variables.
    #[must_use]
    pub fn literal(bytes: &[u8]) -> Self {
        Self { parts: vec![Part::Bytes(bytes.to_vec())] }
    }

    /// Reads what stands between the quotes; `start` is its byte offset in the transcript.
    ///
    /// # Errors
    ///
    /// An unknown escape, a `\x` without two hexadecimal digits, and a `${` that is not closed or holds no name.
    pub fn parse(inner: &str, start: usize) -> Result<Self, Diagnostic> {
        let mut template = Self::default();
        let mut at = 0;
        while let Some(first) = inner[at..].chars().next() {
            let rest = &inner[at..];
            let length = if first == '\\' {
                let (byte, length) = escape(rest, start + at)?;
                template.push(&[byte]);
                length
            } else if rest.starts_with("${") {
                let name = hole(rest, start + at)?;
                template.parts.push(Part::Variable(name.to_owned()));
                name.len() + "${}".len()
            } else {
                template.push(&rest.as_bytes()[..first.len_utf8()]);
                first.len_utf8()
            };
            at += length;
        }
        Ok(template)
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(Part::Bytes(last)) = self.parts.last_mut() {
            last.extend_from_slice(bytes);
        } else {
            self.parts.push(Part::Bytes(bytes.to_vec()));
        }
    }

    /// The pieces, in order; neighbouring bytes are one piece.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of the variables in it, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Bytes(_) => None,
        })
    }

    /// The bytes it stands for; the first variable that `value` does not know is the error.
    ///
    /// # Errors
    ///
    /// The name of the unknown variable.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v [u8]>) -> Result<Vec<u8>, String> {
        let mut filled = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => filled.extend_from_slice(bytes),
                Part::Variable(name) => filled.extend_from_slice(value(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(filled)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => f.write_str(&escaped(bytes))?,
                Part::Variable(name) => write!(f, "${{{name}}}")?,
            }
        }
        f.write_str("\"")
    }
}

/// Bytes as they are written between quotes: printable ASCII as it is, UTF-8 text as it is, the rest escaped.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| escape_character(&mut text, character));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    // A literal `${` would be read as a variable.
    text.replace("${", "\\x24{")
}

fn escape_character(text: &mut String, character: char) {
    match character {
        '\0' => text.push_str("\\0"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        ' '..='~' => text.push(character),
        _ if character.is_alphanumeric() => text.push(character),
        _ => {
            let mut buffer = [0; 4];
            let encoded = character.encode_utf8(&mut buffer);
            encoded.bytes().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        }
    }
}

/// The byte an escape stands for and the escape's length.
fn escape(text: &str, start: usize) -> Result<(u8, usize), Diagnostic> {
    let simple = match text.as_bytes().get(1) {
        Some(b'0') => b'\0',
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'"') => b'"',
        Some(b'\\') => b'\\',
        Some(b'x') => return hexadecimal(text, start),
        _ => {
            let length = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            let message = format!("unknown escape `{}`", &text[..length]);
            return Err(Diagnostic::error(message, start..start + length)
                .label("not an escape")
                .help("the escapes are \\0 \\n \\r \\t \\\" \\\\ and \\xNN"));
        }
    };
    Ok((simple, 2))
}

fn hexadecimal(text: &str, start: usize) -> Result<(u8, usize), Diagnostic> {
    text.get(2..4)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .map(|byte| (byte, 4))
        .ok_or_else(|| {
            Diagnostic::error("`\\x` needs two hexadecimal digits", start..start + 2)
                .label("no two digits follow")
                .help("write for example \\x00 or \\xff")
        })
}

/// The name inside the `${name}` that `text` begins with.
fn hole(text: &str, start: usize) -> Result<&str, Diagnostic> {
    let name = text[2..].split('}').next().unwrap_or_default();
    let closed = text.len() > name.len() + 2;
    if closed && is_name(name) {
        return Ok(name);
    }
    Err(Diagnostic::error("`${` does not hold a variable's name", start..start + 2)
        .label("a variable begins here")
        .help("write `${h}` for the variable h, or `\\x24{` for the two characters"))
}

/// Whether `text` can name a variable or a connection.
#[must_use]
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_and_variables_are_told_from_text() {
        let template = Template::parse(r#"a\0\x7f\"${ns}b$c"#, 0).unwrap();
        let parts =
            [Part::Bytes(b"a\0\x7f\"".to_vec()), Part::Variable("ns".into()), Part::Bytes(b"b$c".to_vec())];
        assert_eq!(template.parts(), parts);
        assert_eq!(template.fill(|name| (name == "ns").then_some(b"N")).unwrap(), b"a\0\x7f\"Nb$c");
        assert_eq!(template.fill(|_| None), Err("ns".to_owned()));
    }

    #[test]
    fn faults_are_marked_where_they_stand() {
        for (inner, span) in
            [(r"ab\q", 12..14), (r"\xg0", 10..12), (r"a\x1", 11..13), ("a${h", 11..13), ("${}", 10..12)]
        {
            assert_eq!(Template::parse(inner, 10).unwrap_err().span, span, "{inner}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_survive_being_written_and_read(bytes: Vec<u8>) {
            let written = escaped(&bytes);
            let template = Template::parse(&written, 0).unwrap();
            prop_assert_eq!(template.fill(|_| None).unwrap(), bytes);
        }
    }
}
