//! Results for machines, version 1 of the schema.
//!
//! Fields are only ever added within a version; what is renamed or removed makes a new one.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::language::Transcript;
use crate::play::{Failure, Marks, Moment};
use crate::profile::Profile;
use crate::run::CaseResult;
use crate::verdict::Verdict;

/// The version of the schema.
pub const VERSION: u32 = 1;

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Run<'r> {
    /// The version of the schema.
    pub version: u32,
    /// This tool and its version.
    pub tool: &'static str,
    /// The profile's name.
    pub profile: &'r str,
    /// The implementation and its version.
    pub server: &'r str,
    /// The exit code of the run.
    pub exit: u8,
    /// How long the run took, in milliseconds.
    pub took_ms: u128,
    /// Every case in every variant, in the order of ids.
    pub results: Vec<Case<'r>>,
}

/// One case in one variant.
#[derive(Debug, Serialize)]
pub struct Case<'r> {
    /// The stable name.
    pub id: &'r str,
    /// One line for people.
    pub title: &'r str,
    /// How binding its statements are.
    pub level: &'static str,
    /// The statements it exercises.
    pub spec: &'r [String],
    /// How messages were cut into writes.
    pub variant: &'static str,
    /// How it came out, as on the terminal.
    pub verdict: String,
    /// Whether the run may end well with it.
    pub met: bool,
    /// Why, where that is not plain.
    pub why: Option<&'r str>,
    /// How often it was played.
    pub rounds: usize,
    /// How long all rounds took, in milliseconds.
    pub took_ms: u128,
    /// The alternatives that were taken in the round that tells most.
    pub outcomes: Vec<OutcomeTaken<'r>>,
    /// Deviations that the profile tolerates.
    pub tolerated: Vec<&'static str>,
    /// How each connection ended.
    pub endings: BTreeMap<&'r str, &'static str>,
    /// How many jobs were left in the queues.
    pub leftovers: usize,
    /// The statement that did not hold.
    pub failure: Option<FailureSeen<'r>>,
    /// The command that plays it again.
    pub again: String,
    /// What happened on all connections, unless it simply passed.
    pub timeline: &'r [Moment],
    /// The last lines of the server's log, if it ended or answered no more.
    pub log: &'r [String],
}

/// An alternative that was taken.
#[derive(Debug, Serialize)]
pub struct OutcomeTaken<'r> {
    /// Its name.
    pub name: &'r str,
    /// What it says about the server.
    pub grade: &'static str,
    /// The line of its `alt`.
    pub line: usize,
}

/// A statement that did not hold.
#[derive(Debug, Serialize)]
pub struct FailureSeen<'r> {
    /// The line, from 1.
    pub line: usize,
    /// Where the statement stands, if the line includes a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included: Option<IncludedLine<'r>>,
    /// The statement with single spaces.
    pub statement: &'r str,
    /// One sentence.
    pub summary: &'r str,
    /// Expected and got, side by side.
    pub compared: Vec<Compared<'r>>,
    /// What waited on every open connection.
    pub heads: BTreeMap<&'r str, &'r str>,
}

/// One thing that was compared.
#[derive(Debug, Serialize)]
pub struct Compared<'r> {
    /// What it is called.
    pub what: &'r str,
    /// What was expected.
    pub expected: &'r str,
    /// What came.
    pub got: &'r str,
    /// Whether they agree.
    pub same: bool,
    /// The characters that differ, if it is a matter of single bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marked>,
}

/// The characters that differ, as pairs of where they begin and where they end.
#[derive(Debug, Serialize)]
pub struct Marked {
    /// In what was expected.
    pub expected: Vec<(usize, usize)>,
    /// In what came.
    pub got: Vec<(usize, usize)>,
}

/// A line of a file that the transcript includes.
#[derive(Debug, Serialize)]
pub struct IncludedLine<'r> {
    /// The file.
    pub path: &'r str,
    /// The line, from 1.
    pub line: usize,
}

/// The results of a run as JSON.
///
/// # Errors
///
/// None that this crate knows of; serde_json's signature has one.
pub fn render(
    cases: &[Transcript],
    results: &[CaseResult],
    profile: &Profile,
    exit: u8,
    took_ms: u128,
    rerun: impl Fn(&CaseResult) -> String,
) -> serde_json::Result<String> {
    let run = Run {
        version: VERSION,
        tool: concat!("gearman-conformance ", env!("CARGO_PKG_VERSION")),
        profile: &profile.name,
        server: &profile.server,
        exit,
        took_ms,
        results: results.iter().map(|result| case(&cases[result.case], result, rerun(result))).collect(),
    };
    serde_json::to_string_pretty(&run).map(|text| text + "\n")
}

fn case<'r>(case: &'r Transcript, result: &'r CaseResult, again: String) -> Case<'r> {
    let round = result.telling_round();
    let played = round.and_then(|round| round.played.as_ref());
    let met = result.verdict.is_met();
    let is_plain = result.verdict == Verdict::Pass;
    Case {
        id: &case.header.id,
        title: &case.header.title,
        level: case.header.level.word(),
        spec: &case.header.spec,
        variant: result.variant.word(),
        verdict: result.verdict.to_string(),
        met,
        why: result.why.as_deref(),
        rounds: result.rounds.len(),
        took_ms: result.took.as_millis(),
        outcomes: played.map(|played| played.outcomes.iter().map(taken).collect()).unwrap_or_default(),
        tolerated: played
            .map(|played| played.deviations.iter().map(|tolerance| tolerance.name()).collect())
            .unwrap_or_default(),
        endings: played
            .map(|played| {
                played.endings.iter().map(|(name, ending)| (name.as_str(), ending.word())).collect()
            })
            .unwrap_or_default(),
        leftovers: played.map_or(0, |played| played.leftovers),
        failure: played.and_then(|played| played.failure.as_ref()).map(failure),
        again,
        timeline: played.filter(|_| !is_plain).map(|played| played.moments.as_slice()).unwrap_or_default(),
        log: round.map(|round| round.log.as_slice()).unwrap_or_default(),
    }
}

fn taken(outcome: &crate::play::Outcome) -> OutcomeTaken<'_> {
    OutcomeTaken { name: &outcome.name, grade: outcome.grade.word(), line: outcome.line }
}

fn failure(failure: &Failure) -> FailureSeen<'_> {
    let compared = failure.rows.iter().map(|row| Compared {
        what: &row.what,
        expected: &row.expected,
        got: &row.got,
        same: row.same,
        marks: (row.marks != Marks::default()).then(|| Marked {
            expected: row.marks.expected.iter().map(|mark| (mark.start, mark.end)).collect(),
            got: row.marks.got.iter().map(|mark| (mark.start, mark.end)).collect(),
        }),
    });
    FailureSeen {
        line: failure.line,
        included: failure.included.as_ref().map(|place| IncludedLine { path: &place.path, line: place.line }),
        statement: &failure.statement,
        summary: &failure.summary,
        compared: compared.collect(),
        heads: failure.heads.iter().map(|(name, head)| (name.as_str(), head.as_str())).collect(),
    }
}
