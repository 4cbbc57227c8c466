//! How recorded bytes are written: names that every playing has anew, and workloads made by rule.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::language::escaped;

/// The longest argument that is written out, in bytes.
const WRITTEN_OUT: usize = 256;

/// The longest piece whose repetition is looked for, in bytes.
const LONGEST_PIECE: usize = 64;

/// What has been named so far.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    /// The variable of each handle.
    handles: BTreeMap<Vec<u8>, String>,
    functions: BTreeSet<Vec<u8>>,
    /// The seed that stands for each long workload, by its digest.
    seeds: BTreeMap<Vec<u8>, usize>,
}

impl Spelling {
    /// An argument that is sent.
    pub(super) fn value(&mut self, argument: &str, bytes: &[u8]) -> String {
        match argument {
            "function" => self.function(bytes),
            "handle" => self.handle(bytes).unwrap_or_else(|| text(bytes)),
            _ => self.blob(bytes),
        }
    }

    /// An argument that is expected; a handle that is new is captured.
    pub(super) fn pattern(&mut self, argument: &str, bytes: &[u8], is_new: bool) -> String {
        if argument == "handle" && is_new && !self.handles.contains_key(bytes) {
            let variable = format!("h{}", self.handles.len() + 1);
            self.handles.insert(bytes.to_vec(), variable);
        }
        self.value(argument, bytes)
    }

    fn function(&mut self, bytes: &[u8]) -> String {
        self.functions.insert(bytes.to_vec());
        format!("\"${{ns}}{}\"", escaped(bytes))
    }

    /// The variable of a handle, also where a server has put a NUL behind it.
    fn handle(&self, bytes: &[u8]) -> Option<String> {
        if let Some(variable) = self.handles.get(bytes) {
            return Some(format!("${variable}"));
        }
        let variable = self.handles.get(bytes.strip_suffix(b"\0")?)?;
        Some(format!("\"${{{variable}}}\\0\""))
    }

    /// Bytes that mean nothing to the protocol. Those too long to be read are made by rule: the same ones where a
    /// piece is repeated, and otherwise others of the same length, which stand for them wherever they come again.
    pub(super) fn blob(&mut self, bytes: &[u8]) -> String {
        if bytes.len() <= WRITTEN_OUT {
            return text(bytes);
        }
        if let Some(piece) = piece(bytes) {
            return format!("@fill({},{})", bytes.len(), text(piece));
        }
        let next = self.seeds.len() + 1;
        let digest = Sha256::digest(bytes).as_slice().to_vec();
        let seed = self.seeds.entry(digest).or_insert(next);
        format!("@rand({},seed={seed})", bytes.len())
    }

    /// A command of the text protocol.
    pub(super) fn command(&mut self, line: &[u8]) -> String {
        let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let first = words[0].to_ascii_lowercase();
        let function_at = match &first[..] {
            b"create" | b"drop" => 2,
            b"maxqueue" => 1,
            _ => usize::MAX,
        };
        let spelled: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(at, word)| match self.handles.get(*word) {
                Some(variable) => format!("${{{variable}}}"),
                None if at == function_at && !word.is_empty() => {
                    self.functions.insert(word.to_vec());
                    format!("${{ns}}{}", escaped(word))
                }
                None => escaped(word),
            })
            .collect();
        format!("\"{}\"", spelled.join(" "))
    }

    /// A line that answers a command; what differs from server to server is left open.
    pub(super) fn answer(&self, line: &[u8]) -> String {
        if line.starts_with(b"OK ") { "/OK .*/".to_owned() } else { text(line) }
    }

    /// A line of a table, if it is about what was recorded.
    pub(super) fn row(&self, line: &[u8]) -> Option<String> {
        let mut columns = line.splitn(2, |&byte| byte == b'\t');
        let (first, rest) = (columns.next()?, columns.next());
        if let (true, Some(rest)) = (self.functions.contains(first), rest) {
            return Some(format!("\"${{ns}}{}\\t{}\"", escaped(first), escaped(rest)));
        }
        let mut words = line.split(|byte| b"\t ".contains(byte));
        words
            .any(|word| self.functions.contains(word) || self.handles.contains_key(word))
            .then(|| "*".to_owned())
    }
}

/// The feature that a server needs for a command of the text protocol.
pub(super) fn text_feature(line: &[u8]) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    let commands: [(&[u8], &str); 6] = [
        (b"cancel job", "cancel"),
        (b"create function", "create-function"),
        (b"drop function", "drop-function"),
        (b"maxqueue", "maxqueue"),
        (b"prioritystatus", "priority-status"),
        (b"show", "show"),
    ];
    commands.iter().find(|(command, _)| line.starts_with(command)).map(|(_, feature)| *feature)
}

/// Bytes between quotes.
pub(super) fn text(bytes: &[u8]) -> String {
    format!("\"{}\"", escaped(bytes))
}

/// The shortest piece whose repetition the bytes are.
fn piece(bytes: &[u8]) -> Option<&[u8]> {
    let repeats =
        |length: &usize| bytes[*length..].iter().zip(bytes).all(|(later, earlier)| later == earlier);
    (1..=LONGEST_PIECE).find(repeats).map(|length| &bytes[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_workloads_are_made_by_rule() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.blob(b"short"), "\"short\"");
        assert_eq!(spelling.blob(&b"abc".repeat(200)), "@fill(600,\"abc\")");
        let odd: Vec<u8> = (0..1000_u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(spelling.blob(&odd), "@rand(4000,seed=1)");
        assert_eq!(spelling.blob(&odd[1..]), "@rand(3999,seed=2)");
        assert_eq!(spelling.blob(&odd), "@rand(4000,seed=1)");
    }

    #[test]
    fn handles_are_captured_once_and_recalled() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.value("handle", b"H:x:1"), "\"H:x:1\"");
        assert_eq!(spelling.pattern("handle", b"H:x:1", true), "$h1");
        assert_eq!(spelling.pattern("handle", b"H:x:2", true), "$h2");
        assert_eq!(spelling.value("handle", b"H:x:1"), "$h1");
        assert_eq!(spelling.value("handle", b"H:x:1\0"), "\"${h1}\\0\"");
        assert_eq!(spelling.command(b"cancel job H:x:2"), "\"cancel job ${h2}\"");
    }

    #[test]
    fn tables_tell_of_recorded_functions_only() {
        let mut spelling = Spelling::default();
        assert_eq!(spelling.value("function", b"f"), "\"${ns}f\"");
        assert_eq!(spelling.row(b"f\t1\t0\t1"), Some("\"${ns}f\\t1\\t0\\t1\"".to_owned()));
        assert_eq!(spelling.row(b"other\t1\t0\t1"), None);
        assert_eq!(spelling.row(b"33 127.0.0.1 - : f"), Some("*".to_owned()));
    }
}
