//! What a playing means, with what the profile knows.

use std::fmt;

use crate::language::Grade;
use crate::play::Played;
use crate::profile::{Expectation, Expected, Profile};

/// How a case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Pass,
    /// Against the letter, harmless in practice.
    NonStrict,
    /// Recorded for its own sake.
    Info,
    /// Not as it should, and nobody knew.
    Fail,
    /// The server ended.
    Crash,
    /// The server lives but answers nobody.
    Hang,
    /// Not played.
    Skip(Skip),
    /// Not as it should, as the profile says.
    ExpectedFail,
    /// As it should, though the profile says otherwise: the profile is out of date.
    UnexpectedPass,
    /// Not the same in every round.
    Flaky {
        /// In how many rounds it was met.
        met: u32,
        /// How many rounds there were.
        rounds: u32,
        /// Whether the profile knows it as flaky.
        known: bool,
    },
    /// It failed, and the sanity case failed after it, so the failure says nothing.
    Unsound,
}

/// Why a case was not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The profile does not list a feature that it needs.
    Feature,
    /// The tool did not launch the server and so cannot control it.
    Control,
    /// The profile or the command line excludes it.
    Excluded,
}

impl Verdict {
    /// Whether the run may end well with it.
    #[must_use]
    pub fn is_met(self) -> bool {
        match self {
            Self::Pass | Self::NonStrict | Self::Info | Self::Skip(_) | Self::ExpectedFail => true,
            Self::Flaky { known, .. } => known,
            Self::Fail | Self::Crash | Self::Hang | Self::UnexpectedPass | Self::Unsound => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.pad("PASS"),
            Self::NonStrict => f.pad("NON-STRICT"),
            Self::Info => f.pad("INFO"),
            Self::Fail => f.pad("FAIL"),
            Self::Crash => f.pad("CRASH"),
            Self::Hang => f.pad("HANG"),
            Self::Skip(Skip::Feature) => f.pad("SKIP(feature)"),
            Self::Skip(Skip::Control) => f.pad("SKIP(control)"),
            Self::Skip(Skip::Excluded) => f.pad("SKIP(excluded)"),
            Self::ExpectedFail => f.pad("XFAIL"),
            Self::UnexpectedPass => f.pad("XPASS"),
            Self::Flaky { met, rounds, .. } => f.pad(&format!("FLAKY({met}/{rounds})")),
            Self::Unsound => f.pad("UNSOUND"),
        }
    }
}

/// The verdict on one playing by a server that is sane afterwards, and why where that is not plain.
#[must_use]
pub fn judge(played: &Played, id: &str, profile: &Profile) -> (Verdict, Option<String>) {
    match profile.expected.get(id) {
        None => (unexpected(played), None),
        Some(entry) => match &entry.how {
            Expected::FailsAt(text) => fails_at(played, text, entry),
            Expected::Outcomes(names) => outcomes(played, names, entry),
        },
    }
}

/// The verdict on a case without an entry in the profile.
fn unexpected(played: &Played) -> Verdict {
    if played.failure.is_some() {
        return Verdict::Fail;
    }
    match worst(played) {
        Grade::Ok => Verdict::Pass,
        Grade::Info => Verdict::Info,
        Grade::NonStrict => Verdict::NonStrict,
        Grade::Wrong => Verdict::Fail,
    }
}

fn worst(played: &Played) -> Grade {
    played.outcomes.iter().map(|outcome| outcome.grade).max().unwrap_or(Grade::Ok)
}

fn fails_at(played: &Played, text: &str, entry: &Expectation) -> (Verdict, Option<String>) {
    match &played.failure {
        Some(failure) if failure.statement.starts_with(text) => {
            (Verdict::ExpectedFail, Some(entry.reason.to_string()))
        }
        Some(failure) => {
            let why = format!("the profile expects it to fail at `{text}`, not at `{}`", failure.statement);
            (Verdict::Fail, Some(why))
        }
        None => passed_anyway(played, &format!("the profile expects it to fail at `{text}`")),
    }
}

fn outcomes(played: &Played, names: &[String], entry: &Expectation) -> (Verdict, Option<String>) {
    let mut seen: Vec<&str> = played
        .outcomes
        .iter()
        .filter(|outcome| outcome.grade != Grade::Ok)
        .map(|outcome| outcome.name.as_str())
        .collect();
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    seen.sort_unstable();
    seen.dedup();
    wanted.sort_unstable();
    let expected = format!("the profile expects the outcome {}", wanted.join(", "));
    if played.failure.is_some() {
        return (Verdict::Fail, Some(expected));
    }
    if seen == wanted {
        let verdict = match worst(played) {
            Grade::Wrong => Verdict::ExpectedFail,
            Grade::Ok | Grade::Info | Grade::NonStrict => unexpected(played),
        };
        return (verdict, Some(entry.reason.to_string()));
    }
    passed_anyway(
        played,
        &format!("{expected}, not {}", if seen.is_empty() { "ok".to_owned() } else { seen.join(", ") }),
    )
}

/// The profile knows a deviation that is not there, or another one.
fn passed_anyway(played: &Played, why: &str) -> (Verdict, Option<String>) {
    let verdict = match worst(played) {
        Grade::Ok => Verdict::UnexpectedPass,
        Grade::Info | Grade::NonStrict | Grade::Wrong => Verdict::Fail,
    };
    (verdict, Some(why.to_owned()))
}

/// One verdict for several rounds: what cannot be explained by chance wins, then disagreement.
#[must_use]
pub fn together(rounds: &[Verdict], known_flaky: bool) -> Verdict {
    let fatal =
        rounds.iter().find(|verdict| matches!(verdict, Verdict::Crash | Verdict::Hang | Verdict::Unsound));
    let count = |list: usize| u32::try_from(list).unwrap_or(u32::MAX);
    match rounds {
        _ if fatal.is_some() => *fatal.unwrap_or(&Verdict::Unsound),
        [] => Verdict::Skip(Skip::Excluded),
        [first, rest @ ..] if rest.iter().all(|other| other == first) && (first.is_met() || !known_flaky) => {
            *first
        }
        _ => Verdict::Flaky {
            met: count(rounds.iter().filter(|verdict| verdict.is_met()).count()),
            rounds: count(rounds.len()),
            known: known_flaky,
        },
    }
}
