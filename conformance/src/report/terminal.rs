//! Status lines, a progress bar on a terminal, and the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use anstream::stream::IsTerminal as _;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::describe;
use crate::language::{Transcript, Variant};
use crate::profile::{Profile, Tolerance};
use crate::run::CaseResult;
use crate::verdict::Verdict;

/// The column in which status words end.
const COLUMN: usize = 14;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Everything but the cases that were skipped.
    Usual,
    /// Those too, with outcomes and endings.
    More,
    /// And the timeline of every playing.
    Everything,
}

/// Tells a terminal, or a pipe, about a run as it goes.
#[derive(Debug)]
pub struct Terminal {
    bar: ProgressBar,
    verbosity: Verbosity,
}

impl Terminal {
    /// A bar over `count` results, if standard error is a terminal.
    #[must_use]
    pub fn new(count: usize, verbosity: Verbosity) -> Self {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(count), target);
        let style =
            ProgressStyle::with_template("{prefix:>14} [{elapsed_precise}] {bar:32} {pos}/{len} {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix("Playing");
        Self { bar, verbosity }
    }

    /// Prints a line that stays, above the bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| anstream::println!("{text}"));
    }

    /// Tells about one result.
    pub fn result(&self, case: &Transcript, result: &CaseResult, rerun: &str) {
        self.bar.inc(1);
        if !result.verdict.is_met() {
            self.bar.set_message("something is not met");
        }
        if matches!(result.verdict, Verdict::Skip(_)) && self.verbosity < Verbosity::More {
            return;
        }
        let mut text = status_line(case, result);
        if self.verbosity >= Verbosity::More {
            text.push_str(&details(result));
        }
        if self.verbosity >= Verbosity::Everything {
            text.push_str(&timeline(result));
        }
        if !result.verdict.is_met() {
            text.push('\n');
            text.push_str(&describe(case, result, rerun));
        }
        self.line(&text);
    }

    /// Ends the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `        PASS [   0.012s] echo/binary (bytes)`.
fn status_line(case: &Transcript, result: &CaseResult) -> String {
    let style = style_of(result.verdict);
    let as_written = result.variant == Variant::AsWritten;
    let variant = if as_written { String::new() } else { format!(" ({})", result.variant) };
    let outcome = outcome_names(result).map_or_else(String::new, |names| format!(": {names}"));
    let verdict = result.verdict;
    let seconds = result.took.as_secs_f64();
    format!("{style}{verdict:>COLUMN$}{style:#} [{seconds:>8.3}s] {}{variant}{outcome}", case.header.id)
}

/// The alternatives that were taken, unless all is plain.
fn outcome_names(result: &CaseResult) -> Option<String> {
    if result.verdict == Verdict::Pass {
        return None;
    }
    let played = result.telling_round()?.played.as_ref()?;
    let names: Vec<&str> = played.outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn details(result: &CaseResult) -> String {
    let mut text = String::new();
    let indent = " ".repeat(COLUMN + 1);
    if let Some(why) = result.why.as_ref().filter(|_| result.verdict.is_met()) {
        let _ = write!(text, "\n{indent}{why}");
    }
    let Some(played) = result.telling_round().and_then(|round| round.played.as_ref()) else { return text };
    let endings: Vec<String> =
        played.endings.iter().map(|(name, ending)| format!("{name} {}", ending.word())).collect();
    if !endings.is_empty() {
        let _ = write!(text, "\n{indent}connections: {}", endings.join(", "));
    }
    if played.leftovers > 0 {
        let _ = write!(text, "\n{indent}jobs drained: {}", played.leftovers);
    }
    text
}

fn timeline(result: &CaseResult) -> String {
    let played = result.telling_round().and_then(|round| round.played.as_ref());
    let moments = played.map(|played| played.moments.as_slice()).unwrap_or_default();
    moments.iter().fold(String::new(), |mut text, moment| {
        let _ = write!(text, "\n    {moment}");
        text
    })
}

fn style_of(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::NonStrict | Verdict::Info | Verdict::Skip(_) | Verdict::ExpectedFail => AnsiColor::Yellow,
        Verdict::Flaky { known: true, .. } => AnsiColor::Yellow,
        Verdict::Fail
        | Verdict::Crash
        | Verdict::Hang
        | Verdict::UnexpectedPass
        | Verdict::Unsound
        | Verdict::Flaky { known: false, .. } => AnsiColor::Red,
    };
    colour.on_default().bold()
}

/// The last lines of a run: the totals, what was tolerated, and what was not met.
#[must_use]
pub fn summary(cases: &[Transcript], results: &[CaseResult], profile: &Profile, took: Duration) -> String {
    let met = results.iter().filter(|result| result.verdict.is_met()).count();
    let style = if met == results.len() { AnsiColor::Green } else { AnsiColor::Red }.on_default().bold();
    let mut text = format!(
        "{}\n{style}{:>COLUMN$}{style:#} [{:>8.3}s] {} of {} met by {}: {}",
        "-".repeat(COLUMN),
        "Summary",
        took.as_secs_f64(),
        met,
        results.len(),
        profile.name,
        totals(results),
    );
    for (tolerance, count) in tolerated(results) {
        let reason = profile.tolerances.get(&tolerance).map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "\n{:>COLUMN$} {} in {count} of them: {reason}", "Tolerated", tolerance.name());
    }
    for (chapter, count, why) in unplayed(cases, results) {
        let _ =
            write!(text, "\n{:>COLUMN$} chapter {chapter}, none of its {count} cases: {why}", "NOT PLAYED");
    }
    let slow = slow(cases, results);
    if !slow.is_empty() {
        let _ = write!(
            text,
            "\n{:>COLUMN$} took over 2 s though time is not their subject: {}",
            "Slow",
            slow.join(", ")
        );
    }
    for result in results.iter().filter(|result| !result.verdict.is_met()) {
        let _ = write!(text, "\n{}", status_line(&cases[result.case], result));
    }
    text
}

/// Chapters of which nothing was played, with the reason of their first case: a whole subject that nobody looked at
/// must not hide in a total.
fn unplayed<'r>(cases: &'r [Transcript], results: &'r [CaseResult]) -> Vec<(&'r str, usize, &'r str)> {
    let mut chapters: BTreeMap<&str, (usize, bool, &str)> = BTreeMap::new();
    for result in results {
        let why = result.why.as_deref().unwrap_or_default();
        let (count, played, _) =
            chapters.entry(cases[result.case].header.chapter()).or_insert((0, false, why));
        *count += 1;
        *played |= !matches!(result.verdict, Verdict::Skip(_));
    }
    let unplayed = chapters.into_iter().filter(|(_, (_, played, _))| !played);
    unplayed.map(|(chapter, (count, _, why))| (chapter, count, why)).collect()
}

/// How long a case may take whose subject is not time.
const LONG: Duration = Duration::from_secs(2);

/// The cases that came out well and took longer a round than that, slowest first.
fn slow(cases: &[Transcript], results: &[CaseResult]) -> Vec<String> {
    let timed = |result: &CaseResult| cases[result.case].header.tags.iter().any(|tag| tag == "time");
    let round =
        |result: &CaseResult| result.took / u32::try_from(result.rounds.len().max(1)).unwrap_or(u32::MAX);
    let mut slow: Vec<&CaseResult> = results
        .iter()
        .filter(|result| result.verdict == Verdict::Pass && !timed(result) && round(result) > LONG)
        .collect();
    slow.sort_by_key(|result| std::cmp::Reverse(round(result)));
    let told = slow
        .iter()
        .take(5)
        .map(|result| format!("{} ({:.1} s)", cases[result.case].header.id, round(result).as_secs_f64()));
    told.collect()
}

/// `58 PASS, 2 NON-STRICT, 3 SKIP`.
fn totals(results: &[CaseResult]) -> String {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    results.iter().for_each(|result| *counts.entry(total_of(result.verdict)).or_default() += 1);
    let named: Vec<String> = counts.iter().map(|((_, name), count)| format!("{count} {name}")).collect();
    named.join(", ")
}

/// What a verdict is counted as, with its place in the line.
fn total_of(verdict: Verdict) -> (usize, &'static str) {
    match verdict {
        Verdict::Pass => (0, "passed"),
        Verdict::NonStrict => (1, "non-strict"),
        Verdict::Info => (2, "info"),
        Verdict::ExpectedFail => (3, "failed as expected"),
        Verdict::Flaky { .. } => (4, "flaky"),
        Verdict::Fail => (5, "failed"),
        Verdict::UnexpectedPass => (6, "passed unexpectedly"),
        Verdict::Crash => (7, "crashed"),
        Verdict::Hang => (8, "hung"),
        Verdict::Unsound => (9, "unsound"),
        Verdict::Skip(_) => (10, "skipped"),
    }
}

/// Each tolerated deviation once, with the number of results that met it.
fn tolerated(results: &[CaseResult]) -> BTreeMap<Tolerance, usize> {
    let mut counts = BTreeMap::new();
    for result in results {
        let met: BTreeSet<Tolerance> = result
            .rounds
            .iter()
            .filter_map(|round| round.played.as_ref())
            .flat_map(|played| played.deviations.clone())
            .collect();
        met.into_iter().for_each(|tolerance| *counts.entry(tolerance).or_default() += 1);
    }
    counts
}
