//! The transcript language, `.gtx` version 1.
//!
//! A transcript is text that people read first and the runner second.
//! [`Document`] is that text cut into pieces that print back exactly what was read; [`Transcript`] is what it means.
//! `docs/transcripts.md` is the guide to the language.
//!
//! ```
//! use gearman_conformance::language::Transcript;
//!
//! let text = "gtx 1\nid: echo/short\ntitle: an echo\nlevel: must\n---\nopen c\nc > ECHO_REQ 1\n";
//! let findings = Transcript::parse("short.gtx", text).unwrap_err();
//! assert!(findings.to_string().contains("short.gtx:7:14"));
//!
//! let transcript = Transcript::parse("short.gtx", &text.replace("1\n", "\"1\"\n").replace("gtx \"1\"", "gtx 1")).unwrap();
//! assert_eq!(transcript.header.id, "echo/short");
//! assert_eq!(transcript.body[1].text, "c > ECHO_REQ \"1\"");
//! ```

mod attributes;
mod diagnostic;
mod document;
mod format;
mod header;
mod include;
mod lint;
mod message;
mod names;
mod number;
mod parser;
mod step;
mod template;
mod token;
mod transcript;
mod value;
mod walk;
mod words;

pub use attributes::{Attributes, LineEnd};
pub use diagnostic::{Diagnostic, Findings, Severity};
pub use document::{Document, Line, Section};
pub use format::format;
pub use include::{Files, Included, included};
use include::{NO_FILES, Source};
pub(crate) use lint::feature_of;
pub use lint::{lint, lint_included, lint_with};
pub use template::{Part, Template, escaped};
pub use token::{Token, TokenKind};
pub use transcript::{
    Action, Alternative, End, Grade, Header, Input, Kind, Level, Output, Receive, Send, ServerVerb,
    Statement, Transcript, Variant, Word,
};
pub use value::{Expression, ExpressionError, Made, Pattern, Value};

impl Transcript {
    /// Reads a transcript that includes no file.
    ///
    /// # Errors
    ///
    /// Everything that keeps it from being played, in the order of the text.
    pub fn parse(path: &str, text: &str) -> Result<Self, Findings> {
        Self::parse_with(path, text, NO_FILES)
    }

    /// Reads a transcript and the files that it includes, whose paths are relative to its own.
    ///
    /// # Errors
    ///
    /// As [`Transcript::parse`]; what is wrong in an included file is told where it is included.
    pub fn parse_with(path: &str, text: &str, files: Files<'_>) -> Result<Self, Findings> {
        let (transcript, list) = read(path, text, files);
        if list.is_empty() {
            Ok(transcript)
        } else {
            Err(Findings { path: path.to_owned(), text: text.to_owned(), list })
        }
    }
}

/// Reads a transcript as far as that goes, with what is wrong with it.
fn read(path: &str, text: &str, files: Files<'_>) -> (Transcript, Vec<Diagnostic>) {
    let (document, found) = Document::read(text);
    let read = parser::read(&document, &Source::new(path, files), found);
    let mut found = read.found;
    if found.is_empty() {
        names::check(&read.body, &mut found);
    }
    found.sort_by_key(|finding| finding.span.start);
    let transcript =
        Transcript { path: path.to_owned(), text: text.to_owned(), header: read.header, body: read.body };
    (transcript, found)
}
