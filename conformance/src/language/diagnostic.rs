//! What is wrong with a transcript, and where.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One finding: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the transcript cannot be used, or only should not be written so.
    pub severity: Severity,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The bytes the caret points at.
    pub span: Range<usize>,
    /// What stands beside the caret.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The transcript can be played but breaks a rule of the suite.
    Warning,
    /// The transcript cannot be played.
    Error,
}

impl Diagnostic {
    /// A finding that keeps the transcript from being played.
    #[must_use]
    pub fn error(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span, label: String::new(), help: None }
    }

    /// A finding about the rules of the suite.
    #[must_use]
    pub fn warning(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, span) }
    }

    /// Sets what stands beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The finding as a compiler would print it, without colours.
    #[must_use]
    pub fn plain(&self, path: &str, text: &str) -> String {
        render(&Renderer::plain(), self, path, text)
    }

    /// The finding as a compiler would print it, with terminal colours.
    #[must_use]
    pub fn styled(&self, path: &str, text: &str) -> String {
        render(&Renderer::styled(), self, path, text)
    }
}

fn render(renderer: &Renderer, finding: &Diagnostic, path: &str, text: &str) -> String {
    let level = match finding.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    // A caret under "the last byte" may point into a character of several bytes.
    let end = text.ceil_char_boundary(finding.span.end.min(text.len()));
    let start = text.floor_char_boundary(finding.span.start.min(end));
    let mark = AnnotationKind::Primary.span(start..end).label(finding.label.as_str());
    let snippet = Snippet::source(text).path(path).annotation(mark);
    let mut group = Group::with_title(level.primary_title(finding.message.as_str())).element(snippet);
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.clone().decor_style(DecorStyle::Ascii).render(&[group])
}

/// Everything that is wrong with one transcript, with its text to show it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The file, as it is shown to people.
    pub path: String,
    /// The transcript's text.
    pub text: String,
    /// What was found, in the order of the text.
    pub list: Vec<Diagnostic>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> =
            self.list.iter().map(|finding| finding.plain(&self.path, &self.text)).collect();
        f.write_str(&shown.join("\n\n"))
    }
}

impl std::error::Error for Findings {}
