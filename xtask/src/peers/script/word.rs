//! The words of a step: what is said to a driver, and what is expected from it.

use std::collections::BTreeMap;

/// One word of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Word {
    /// A word of the language; where it is expected, `a|b` means either.
    Bare(String),
    /// The name of a function, which is given a prefix of its own in each run; `:SECONDS` may follow it.
    Function(String),
    /// Bytes, written in quotes.
    Data(Vec<u8>),
    /// `?name`: any word, which is then known by that name.
    Capture(String),
    /// `$name`: the word that was captured.
    Recall(String),
}

/// What has been captured in a run.
pub(in super::super) type Captured = BTreeMap<String, String>;

impl Word {
    /// This word as it travels to a driver, or why it cannot.
    pub(in super::super) fn spoken(&self, prefix: &str, captured: &Captured) -> Result<String, String> {
        match self {
            Self::Bare(word) => Ok(word.clone()),
            Self::Function(name) => Ok(format!("{prefix}{name}")),
            Self::Data(bytes) => Ok(hexadecimal(bytes)),
            Self::Recall(name) => {
                captured.get(name).cloned().ok_or_else(|| format!("nothing is known as ${name}"))
            }
            Self::Capture(name) => Err(format!("?{name} can be heard, not said")),
        }
    }

    /// Whether `heard` is what this word expects; what it captures goes into `captured`.
    pub(in super::super) fn matches(&self, heard: &str, prefix: &str, captured: &mut Captured) -> bool {
        match self {
            Self::Bare(words) => words.split('|').any(|word| word == heard),
            Self::Capture(name) => {
                captured.insert(name.clone(), heard.to_owned());
                true
            }
            Self::Function(_) | Self::Data(_) | Self::Recall(_) => {
                self.spoken(prefix, captured).is_ok_and(|expected| expected == heard)
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut word = String::from("=");
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            word.push(char::from_digit(digit.into(), 16).expect("a nibble is a digit"));
        }
    }
    word
}

/// Cuts a line into words; what is quoted is one word, whatever it holds, and `* N` behind it repeats it.
pub(super) fn words(line: &str, functions: &[String]) -> Result<Vec<Word>, String> {
    let mut rest = line.trim_start();
    let mut words = Vec::new();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (bytes, after) = data(quoted)?;
            words.push(Word::Data(bytes));
            rest = after.trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(bare(&rest[..end], functions));
            rest = rest[end..].trim_start();
        }
    }
    repeat(words)
}

fn bare(word: &str, functions: &[String]) -> Word {
    let name = word.split_once(':').map_or(word, |(name, _)| name);
    if functions.iter().any(|function| function == name) {
        return Word::Function(word.to_owned());
    }
    match word.split_at_checked(1) {
        Some(("?", name)) if !name.is_empty() => Word::Capture(name.to_owned()),
        Some(("$", name)) if !name.is_empty() => Word::Recall(name.to_owned()),
        _ => Word::Bare(word.to_owned()),
    }
}

/// The bytes up to the closing quote, and what follows it.
fn data(quoted: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = quoted.chars();
    while let Some(character) = rest.next() {
        match character {
            '"' => return Ok((bytes, rest.as_str())),
            '\\' => bytes.push(escaped(&mut rest)?),
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err("a quote is not closed".to_owned())
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<u8, String> {
    match rest.next() {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).map_err(|_| format!("\\x{digits} is no byte"))
        }
        Some(other @ ('"' | '\\')) => Ok(if other == '"' { b'"' } else { b'\\' }),
        other => Err(format!("no such escape: {other:?}")),
    }
}

/// Puts `"data" * N` into one word.
fn repeat(words: Vec<Word>) -> Result<Vec<Word>, String> {
    let mut done: Vec<Word> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match (word, done.last_mut()) {
            (Word::Bare(star), Some(Word::Data(bytes))) if star == "*" => {
                let Some(Word::Bare(times)) = words.next() else {
                    return Err("`*` wants a number".to_owned());
                };
                let times = times.parse().map_err(|_| format!("`{times}` is no number"))?;
                *bytes = bytes.repeat(times);
            }
            (word, _) => done.push(word),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_bytes() {
        let read = words(r#"a "b \x00\n\"\\" ?c $d f"#, &["f".to_owned()]).expect("the line is right");
        let expected = [
            Word::Bare("a".to_owned()),
            Word::Data(b"b \x00\n\"\\".to_vec()),
            Word::Capture("c".to_owned()),
            Word::Recall("d".to_owned()),
            Word::Function("f".to_owned()),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn data_is_repeated() {
        assert_eq!(words(r#""ab" * 2 c"#, &[]).expect("right")[0], Word::Data(b"abab".to_vec()));
        words(r#""ab" * x"#, &[]).expect_err("x is no number");
    }

    #[test]
    fn data_travels_in_hexadecimal() {
        let word = Word::Data(b"\x00a".to_vec());
        assert_eq!(word.spoken("", &Captured::new()), Ok("=0061".to_owned()));
        assert!(word.matches("=0061", "", &mut Captured::new()));
        assert!(!word.matches("=0062", "", &mut Captured::new()));
    }

    #[test]
    fn a_captured_word_is_recalled() {
        let mut captured = Captured::new();
        assert!(Word::Capture("h".to_owned()).matches("H:lap:1", "", &mut captured));
        assert_eq!(Word::Recall("h".to_owned()).spoken("", &captured), Ok("H:lap:1".to_owned()));
        assert!(!Word::Recall("h".to_owned()).matches("H:lap:2", "", &mut captured));
    }
}
