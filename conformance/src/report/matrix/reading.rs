//! Results that an earlier run has written.

use std::fmt;

use serde::Deserialize;

use super::super::json::VERSION;

/// The results of one run, as far as the page shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Results {
    version: u32,
    /// The profile's name.
    pub(super) profile: String,
    /// The implementation and its version.
    pub(super) server: String,
    pub(super) results: Vec<Case>,
}

/// One case in one variant.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) variant: String,
    pub(super) verdict: String,
    pub(super) why: Option<String>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) grade: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Failure {
    pub(super) line: usize,
    pub(super) statement: String,
    pub(super) summary: String,
}

/// Why results cannot be shown.
#[derive(Debug)]
pub enum Unreadable {
    /// They are not what `--json` writes.
    NotResults(serde_json::Error),
    /// They are of another version of the schema.
    Version(u32),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotResults(error) => write!(f, "not results of `run --json`: {error}"),
            Self::Version(version) => {
                write!(
                    f,
                    "version {version} of the results is not known, only {VERSION}; play the cases again"
                )
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Results {
    /// Reads what `run --json` has written.
    ///
    /// # Errors
    ///
    /// It is something else, or of another version.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let results: Self = serde_json::from_str(text).map_err(Unreadable::NotResults)?;
        if results.version == VERSION { Ok(results) } else { Err(Unreadable::Version(results.version)) }
    }

    /// The result of a case as it is written, which the page shows.
    pub(super) fn of(&self, id: &str) -> Option<&Case> {
        self.results.iter().find(|case| case.id == id && case.variant == "as-written")
    }
}

impl Case {
    /// What a cell says: the outcome's name where there is one.
    pub(super) fn word(&self) -> String {
        let told = self.outcomes.iter().rev().find(|outcome| outcome.grade != "ok");
        match (self.verdict.as_str(), &self.failure, told) {
            ("PASS", ..) => "ok".to_owned(),
            (verdict, ..) if verdict.starts_with("SKIP") => "–".to_owned(),
            (_, None, Some(outcome)) => outcome.name.clone(),
            (_, Some(_), _) => "fails".to_owned(),
            (verdict, ..) => verdict.to_lowercase(),
        }
    }
}
