//! `include`: the statements of another file, as if they stood where it is included.
//!
//! Such a file begins with `gtx 1` and `---` and has no header.
//! What it opens and captures is open and known behind the `include`.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Findings};
use super::document::Document;
use super::parser;
use super::transcript::Statement;

/// Gives the text of the file at a path, or says why there is none.
pub type Files<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// For texts that stand alone, as the cases of the suite do, so that each shows all that it does.
pub(super) const NO_FILES: Files<'static> = &|_| Err("no files belong to this text".to_owned());

/// How many files may include one another.
const DEEPEST: usize = 16;

/// A file that a transcript includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Where it is, as shown to people.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What happens in it.
    pub body: Vec<Statement>,
}

impl Included {
    /// A finding in it, told where it is included.
    pub(super) fn outside(&self, finding: &Diagnostic, place: Range<usize>) -> Diagnostic {
        let before = &self.text.as_bytes()[..finding.span.start.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let message = format!("{}:{line}: {}", self.path, finding.message);
        Diagnostic { message, span: place, ..finding.clone() }
    }
}

/// A text that is being read, and where the files are that it may include.
pub(super) struct Source<'s> {
    path: &'s str,
    files: Files<'s>,
    /// Who includes it, if that is read too.
    above: Option<&'s Self>,
    is_included: bool,
}

impl<'s> Source<'s> {
    pub(super) fn new(path: &'s str, files: Files<'s>) -> Self {
        Self { path, files, above: None, is_included: false }
    }

    /// A file that others include.
    pub(super) fn part(path: &'s str, files: Files<'s>) -> Self {
        Self { is_included: true, ..Self::new(path, files) }
    }

    pub(super) fn is_included(&self) -> bool {
        self.is_included
    }

    /// Reads a file that this one includes, as far as that goes, with what is wrong with it.
    pub(super) fn include(&self, path: &str) -> Result<(Included, Vec<Diagnostic>), String> {
        let path = beside(self.path, path);
        let open: Vec<&str> =
            std::iter::successors(Some(self), |source| source.above).map(|source| source.path).collect();
        if open.contains(&path.as_str()) {
            return Err("it would include itself".to_owned());
        }
        if open.len() > DEEPEST {
            return Err(format!("more than {DEEPEST} files include one another"));
        }
        let text = (self.files)(&path)?;
        let mut source = Source::part(&path, self.files);
        source.above = Some(self);
        let (body, found) = read(&text, &source);
        Ok((Included { path, text, body }, found))
    }
}

/// Reads a file that others include.
///
/// # Errors
///
/// Everything that keeps it from being included, in the order of the text.
pub fn included(path: &str, text: &str, files: Files<'_>) -> Result<(), Findings> {
    let (_, list) = read(text, &Source::part(path, files));
    if list.is_empty() {
        return Ok(());
    }
    Err(Findings { path: path.to_owned(), text: text.to_owned(), list })
}

/// Reads the text of a file that others include, as far as that goes, with what is wrong with it.
pub(super) fn read(text: &str, source: &Source<'_>) -> (Vec<Statement>, Vec<Diagnostic>) {
    let (document, found) = Document::read(text);
    parser::read_included(&document, source, found)
}

/// A path that is written relative to the folder of a file.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !["", "..", "."].contains(last)) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        for (file, path, whole) in [
            ("case.gtx", "part.gtxi", "part.gtxi"),
            ("a/b/case.gtx", "part.gtxi", "a/b/part.gtxi"),
            ("a/b/case.gtx", "../parts/one.gtxi", "a/parts/one.gtxi"),
            ("case.gtx", "../one.gtxi", "../one.gtxi"),
            ("../case.gtx", "../one.gtxi", "../../one.gtxi"),
            ("/case.gtx", "./one.gtxi", "/one.gtxi"),
        ] {
            assert_eq!(beside(file, path), whole);
        }
    }
}
