//! The cases that the binary carries, and how some of them are chosen.

use std::collections::{BTreeMap, BTreeSet};

use crate::language::{Findings, Level, Transcript};

/// Path and text of every transcript under `transcripts/`, sorted by path.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The same of every transcript under `clients/`, where the tool plays the server.
const CLIENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/clients.rs"));

/// The case that tells whether a server is sane.
pub const SANITY: &str = "sanity/roundtrip";

/// A set of cases, in the order of their ids.
#[derive(Debug, Clone)]
pub struct Suite {
    cases: BTreeMap<String, Transcript>,
}

impl Suite {
    /// The text of every embedded transcript with its path.
    #[must_use]
    pub fn embedded_texts() -> &'static [(&'static str, &'static str)] {
        EMBEDDED
    }

    /// The embedded cases.
    ///
    /// # Errors
    ///
    /// What is wrong with the first that cannot be read; the tests of this crate see to it that there is none.
    pub fn embedded() -> Result<Self, Findings> {
        let cases =
            EMBEDDED.iter().map(|(path, text)| Transcript::parse(path, text)).collect::<Result<_, _>>()?;
        Ok(Self::new(cases))
    }

    /// The text of every embedded transcript for clients and workers, with its path.
    #[must_use]
    pub fn client_texts() -> &'static [(&'static str, &'static str)] {
        CLIENTS
    }

    /// The embedded cases for clients and workers.
    ///
    /// # Errors
    ///
    /// As [`Suite::embedded`].
    pub fn clients() -> Result<Self, Findings> {
        let cases =
            CLIENTS.iter().map(|(path, text)| Transcript::parse(path, text)).collect::<Result<_, _>>()?;
        Ok(Self::new(cases))
    }

    /// A suite of these cases.
    #[must_use]
    pub fn new(cases: Vec<Transcript>) -> Self {
        Self { cases: cases.into_iter().map(|case| (case.header.id.clone(), case)).collect() }
    }

    /// Takes in a case that is not embedded; it stands in for one of the same id.
    pub fn insert(&mut self, case: Transcript) {
        self.cases.insert(case.header.id.clone(), case);
    }

    /// The case with this id.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&Transcript> {
        self.cases.get(id)
    }

    /// Every case, in the order of ids.
    pub fn cases(&self) -> impl Iterator<Item = &Transcript> {
        self.cases.values()
    }

    /// The chapters, in order.
    #[must_use]
    pub fn chapters(&self) -> BTreeSet<&str> {
        self.cases.values().map(|case| case.header.chapter()).collect()
    }

    /// The cases that a selection takes.
    ///
    /// # Errors
    ///
    /// A pattern that is not one, or that takes no case: a typing error must not pass as "nothing to do".
    pub fn select(&self, selection: &Selection) -> Result<Vec<&Transcript>, SelectionError> {
        for pattern in &selection.only {
            if !self.cases.keys().any(|id| pattern.takes(id)) {
                return Err(SelectionError::TakesNothing(pattern.text.clone()));
            }
        }
        let chosen: Vec<&Transcript> = self.cases.values().filter(|case| selection.takes(case)).collect();
        if chosen.is_empty() { Err(SelectionError::Nothing) } else { Ok(chosen) }
    }
}

/// Which cases to play.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; all if there are none.
    pub only: Vec<IdPattern>,
    /// Not these.
    pub skip: Vec<IdPattern>,
    /// Nothing less binding than this.
    pub level: Option<Level>,
}

impl Selection {
    fn takes(&self, case: &Transcript) -> bool {
        let id = &case.header.id;
        let wanted = self.only.is_empty() || self.only.iter().any(|pattern| pattern.takes(id));
        let skipped = self.skip.iter().any(|pattern| pattern.takes(id));
        wanted && !skipped && self.level.is_none_or(|level| case.header.level <= level)
    }
}

/// A glob over ids: `*` is any characters, `/` among them, and a chapter takes all of its cases.
#[derive(Debug, Clone)]
pub struct IdPattern {
    text: String,
    glob: glob::Pattern,
}

impl IdPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// It is not a glob.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        let glob = glob::Pattern::new(text).map_err(|cause| SelectionError::NotAGlob {
            pattern: text.to_owned(),
            cause: cause.to_string(),
        })?;
        Ok(Self { text: text.to_owned(), glob })
    }

    fn takes(&self, id: &str) -> bool {
        let inside =
            id.strip_prefix(self.text.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
        inside || self.glob.matches(id)
    }
}

/// Why no cases were chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionError {
    /// A pattern cannot be read.
    NotAGlob {
        /// The pattern.
        pattern: String,
        /// Why not.
        cause: String,
    },
    /// A pattern takes no case.
    TakesNothing(String),
    /// Together they take no case.
    Nothing,
}

impl std::fmt::Display for SelectionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAGlob { pattern, cause } => write!(f, "`{pattern}` is not a pattern: {cause}"),
            Self::TakesNothing(pattern) => {
                write!(f, "no case is called `{pattern}`; `gearman-conformance list` shows them all")
            }
            Self::Nothing => write!(f, "no case is left: the patterns, --skip and --level exclude them all"),
        }
    }
}

impl std::error::Error for SelectionError {}

impl Transcript {
    /// The alternatives of every `either` in it.
    pub fn outcomes(&self) -> impl Iterator<Item = &crate::language::Alternative> {
        let mut list = Vec::new();
        self.walk(|statement| {
            if let crate::language::Action::Either(alternatives) = &statement.action {
                list.extend(alternatives);
            }
        });
        list.into_iter()
    }
}
