//! Results that an earlier run has written.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::super::json::VERSION;
use super::Tone;

/// The results of one run, as far as the page shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Results {
    version: u32,
    /// The profile's name.
    pub profile: String,
    /// The implementation and its version.
    pub server: String,
    pub(super) results: Vec<Case>,
}

/// One case in one variant.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) variant: String,
    pub(super) verdict: String,
    pub(super) why: Option<String>,
    /// The command that plays it again; the first results of version 1 have none.
    #[serde(default)]
    again: Option<String>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) failure: Option<Failure>,
    #[serde(default)]
    pub(super) timeline: Vec<Moment>,
    #[serde(default)]
    pub(super) log: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) grade: String,
    pub(super) line: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Failure {
    pub(super) line: usize,
    pub(super) statement: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) compared: Vec<Compared>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Compared {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) got: String,
    pub(super) same: bool,
    #[serde(default)]
    pub(super) marks: Marks,
}

/// The characters that differ, as pairs of where they begin and where they end.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Marks {
    pub(super) expected: Vec<(usize, usize)>,
    pub(super) got: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Moment {
    pub(super) micros: u64,
    pub(super) connection: String,
    pub(super) way: String,
    pub(super) what: String,
    #[serde(default)]
    pub(super) hex: Option<String>,
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
            Self::NotResults(error) => {
                write!(f, "not results of `run --json` or `matrix --json`: {error}")
            }
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

/// What `matrix --json` writes: the runs of several servers.
#[derive(Deserialize)]
struct Together {
    version: u32,
    servers: Vec<Results>,
}

/// Reads what `run --json` or `matrix --json` has written; the first has one server.
///
/// # Errors
///
/// It is something else, or of another version.
pub fn parse(text: &str) -> Result<Vec<Results>, Unreadable> {
    let value: Value = serde_json::from_str(text).map_err(Unreadable::NotResults)?;
    if value.get("servers").is_none() {
        let results: Results = serde_json::from_value(value).map_err(Unreadable::NotResults)?;
        return if results.version == VERSION {
            Ok(vec![results])
        } else {
            Err(Unreadable::Version(results.version))
        };
    }
    let together: Together = serde_json::from_value(value).map_err(Unreadable::NotResults)?;
    let other = together.servers.iter().map(|run| run.version).chain([together.version]);
    match other.into_iter().find(|version| *version != VERSION) {
        Some(version) => Err(Unreadable::Version(version)),
        None => Ok(together.servers),
    }
}

/// One file of the results of several runs, each as `run --json` has written it.
///
/// # Errors
///
/// One of them is no JSON.
pub fn together(runs: &[String]) -> Result<String, Unreadable> {
    let mut servers: Vec<Value> = Vec::new();
    for run in runs {
        let value: Value = serde_json::from_str(run).map_err(Unreadable::NotResults)?;
        match value.get("servers").and_then(Value::as_array) {
            Some(list) => servers.extend(list.iter().cloned()),
            None => servers.push(value),
        }
    }
    let all = serde_json::json!({ "version": VERSION, "servers": servers });
    serde_json::to_string(&all).map(|text| text + "\n").map_err(Unreadable::NotResults)
}

impl Results {
    /// The result of a case as it is written, which the page shows.
    pub(super) fn of(&self, id: &str) -> Option<&Case> {
        self.results.iter().find(|case| case.id == id && case.variant == "as-written")
    }

    /// What the command would be that plays a case again.
    pub(super) fn again(&self, case: &Case) -> String {
        let usual = || format!("gearman-conformance run {} --peer {} -vv", case.id, self.profile);
        case.again.clone().unwrap_or_else(usual)
    }
}

impl Case {
    pub(super) fn tone(&self) -> Tone {
        Tone::of(&self.verdict)
    }

    /// What a cell says: the outcome's name where there is one.
    pub(super) fn word(&self) -> String {
        let told = self.outcomes.iter().rev().find(|outcome| outcome.grade != "ok");
        match (self.verdict.as_str(), &self.failure, told) {
            ("PASS", ..) => "ok".to_owned(),
            (verdict, ..) if verdict.starts_with("SKIP") => "–".to_owned(),
            ("FAIL" | "XFAIL", None, Some(outcome)) | (_, None, Some(outcome)) => outcome.name.clone(),
            ("FAIL" | "XFAIL", Some(failure), _) => failed(&failure.summary),
            (verdict, ..) => verdict.to_lowercase(),
        }
    }
}

/// A failure in a few words: what came wrong, without the figures that change from run to run.
fn failed(summary: &str) -> String {
    let short = match summary {
        nothing if nothing.starts_with("nothing came") => "no answer",
        none if none.starts_with("none of the") => "something else",
        table if table.starts_with("the table") => "no table",
        differs if differs.ends_with("differ") || differs.ends_with("differs") => "another answer",
        _ => "fails",
    };
    short.to_owned()
}
