//! What the compiler says of changes that stand beside what they change.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;

use super::guards::Guarded;

/// The error that says that another type is expected of an expression.
const MISMATCH: &str = "E0308";

/// Errors that say that something inside an expression lacks a trait, a function or an operator.
const WRONG_TYPES: [&str; 5] = ["E0277", "E0368", "E0369", "E0599", "E0600"];

/// Files with changes in them, by what the compiler calls them.
pub(super) type Files = BTreeMap<String, Guarded>;

/// A program of tests that it has built.
pub(super) struct Program {
    pub(super) file: PathBuf,
    /// Where its package lies.
    pub(super) home: PathBuf,
}

/// A line that cargo says.
#[derive(Deserialize)]
pub(super) struct Message {
    message: Option<Diagnostic>,
    executable: Option<PathBuf>,
    profile: Option<Profile>,
    manifest_path: Option<PathBuf>,
}

/// How something was built.
#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// An error, or a note below it.
#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    children: Vec<Self>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
    expansion: Option<Expansion>,
}

/// Where a macro stands that has made the text.
#[derive(Deserialize)]
struct Expansion {
    span: Box<Span>,
}

/// What cargo says with `--message-format json`.
pub(super) fn read(said: &str) -> Vec<Message> {
    let lines = said.lines().filter(|line| line.starts_with('{'));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

pub(super) fn programs(messages: Vec<Message>) -> Vec<Program> {
    let program = |message: Message| {
        // Others are built for tests that run them.
        message.profile.filter(|profile| profile.test)?;
        let home = message.manifest_path?.parent()?.to_owned();
        Some(Program { file: message.executable?, home })
    };
    messages.into_iter().filter_map(program).collect()
}

/// The changes that do not compile: those in whose text an error is, as far as there are any; otherwise those in which
/// something is that has to do with an error; otherwise those that stand closest around it.
pub(super) fn guilty(messages: &[Message], files: &Files) -> BTreeSet<u32> {
    let main = errors(messages).flat_map(Diagnostic::places);
    let all = || errors(messages).flat_map(Diagnostic::all_places);
    let inside = |file: &Guarded, bytes| file.changed_at(&bytes).collect();
    let around = |file: &Guarded, bytes| file.around(&bytes).collect();
    let mut guilty = at(files, main, inside);
    if guilty.is_empty() {
        guilty = at(files, all(), inside);
    }
    if guilty.is_empty() {
        guilty = at(files, all(), around);
    }
    guilty
}

/// The changes that would not compile alone either: their own types do not fit, and what stands beside them has no part in
/// that. It has, where the change may decide which type is expected of both.
pub(super) fn hopeless(messages: &[Message], files: &Files, decides: impl Fn(u32) -> bool) -> BTreeSet<u32> {
    let with_code = |code: &'static str| {
        let is_of_code = |it: &Code| it.code == code;
        let errors = errors(messages).filter(move |error| error.code.as_ref().is_some_and(is_of_code));
        at(files, errors.flat_map(Diagnostic::places), |file, bytes| file.changed_at(&bytes).collect())
    };
    let others = with_code(MISMATCH).into_iter().filter(|&number| !decides(number));
    WRONG_TYPES.into_iter().flat_map(with_code).chain(others).collect()
}

fn errors(messages: &[Message]) -> impl Iterator<Item = &Diagnostic> {
    let said = messages.iter().filter_map(|message| message.message.as_ref());
    said.filter(|diagnostic| diagnostic.level == "error")
}

/// The changes that are found at places.
fn at<'a>(
    files: &Files,
    places: impl Iterator<Item = &'a Span>,
    find: impl Fn(&Guarded, Range<usize>) -> Vec<u32>,
) -> BTreeSet<u32> {
    let places = places.filter_map(|span| Some((files.get(&span.file_name)?, span)));
    places.flat_map(|(file, span)| find(file, span.byte_start..span.byte_end)).collect()
}

impl Diagnostic {
    /// Where it is.
    fn places(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.is_primary)
    }

    /// All that it and its notes name, and the macros there.
    fn all_places(&self) -> Vec<&Span> {
        let notes = self.children.iter().flat_map(Self::all_places);
        let outward =
            |span| std::iter::successors(Some(span), |span: &&Span| Some(&*span.expansion.as_ref()?.span));
        self.spans.iter().chain(notes).flat_map(outward).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::change::{Change, Genre};

    /// The text with a change of a function and one of an operator in it.
    fn files() -> Files {
        let body = Change::of_line(Genre::FnValue, "fn f() { ", "g(a == b)", "0");
        let operator = Change::of_line(Genre::BinaryOperator, "fn f() { g(a ", "==", "!=");
        let guarded = Guarded::of("fn f() { g(a == b) }", &[(1, &body), (2, &operator)]).unwrap();
        Files::from([("a.rs".to_owned(), guarded)])
    }

    /// What cargo says of an error with this code at a text, and a note at another.
    fn error(code: &str, place: &str, note: &str) -> Vec<Message> {
        let files = files();
        let span = |text: &str| {
            let start = files["a.rs"].text.find(text).unwrap();
            let end = start + text.len();
            format!(
                r#"{{"file_name":"a.rs","byte_start":{start},"byte_end":{end},"is_primary":true,"expansion":null}}"#
            )
        };
        let diagnostic = |level: &str, place: &str, children: &str| {
            let span = span(place);
            format!(
                r#"{{"level":"{level}","code":{{"code":"{code}"}},"spans":[{span}],"children":[{children}]}}"#
            )
        };
        let error = diagnostic("error", place, &diagnostic("note", note, ""));
        read(&format!("words\n{{\"reason\":\"compiler-message\",\"message\":{error}}}\n"))
    }

    #[test]
    fn a_change_is_guilty_of_the_error_that_is_in_it_or_else_is_named_with_it_or_around_it() {
        let guilty = |place, note| guilty(&error("E0000", place, note), &files());
        assert_eq!(guilty("a != b", "0"), BTreeSet::from([2]));
        assert_eq!(guilty("a == b", "0"), BTreeSet::from([1]));
        assert_eq!(guilty("a == b", "f()"), BTreeSet::from([2]));
        assert_eq!(guilty("f()", "f()"), BTreeSet::new());
    }

    #[test]
    fn programs_of_tests_are_told_from_what_they_run() {
        let line = |name: &str, test: bool| {
            format!(
                r#"{{"manifest_path":"/a/Cargo.toml","executable":"{name}","profile":{{"test":{test}}}}}"#
            )
        };
        let library = r#"{"manifest_path":"/a/Cargo.toml","executable":null,"profile":{"test":false}}"#;
        let said = [line("/t/program", false), line("/t/tests", true), library.to_owned()].join("\n");
        let programs: Vec<_> = programs(read(&said)).into_iter().map(|it| (it.file, it.home)).collect();
        assert_eq!(programs, [(PathBuf::from("/t/tests"), PathBuf::from("/a"))]);
    }

    #[test]
    fn types_that_do_not_fit_are_a_change_s_own_fault() {
        let wrong = |code, place, decides| hopeless(&error(code, place, "0"), &files(), |_| decides);
        assert_eq!(wrong("E0308", "a != b", false), BTreeSet::from([2]));
        assert_eq!(wrong("E0308", "a != b", true), BTreeSet::new());
        assert_eq!(wrong("E0277", "a != b", true), BTreeSet::from([2]));
        assert_eq!(wrong("E0716", "a != b", false), BTreeSet::new(), "alone it may live longer");
        assert_eq!(wrong("E0308", "a == b", false), BTreeSet::new());
    }
}
