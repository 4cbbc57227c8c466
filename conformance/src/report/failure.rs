//! One failure on one screen: the line, expected and got side by side, and what waits on every connection.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::{AnsiColor, Style};

use crate::language::{Diagnostic, Transcript};
use crate::play::{Failure, Marks, Row};
use crate::run::{CaseResult, Round};

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

/// How wide the middle column may grow.
const WIDEST: usize = 56;

/// Describes a result that is not met, with terminal colours.
///
/// `rerun` is the command that plays the case again.
#[must_use]
pub fn describe(case: &Transcript, result: &CaseResult, rerun: &str) -> String {
    let mut text = String::new();
    let round = result.telling_round();
    if let Some(round) = round {
        describe_round(&mut text, case, round);
    }
    if let Some(why) = &result.why {
        let _ = writeln!(text, "  {why}");
    }
    for line in round.map(|round| round.log.as_slice()).unwrap_or_default().iter().rev().take(5).rev() {
        let _ = writeln!(text, "  {DIM}server log:{DIM:#} {line}");
    }
    let _ = writeln!(text, "  {DIM}again:{DIM:#} {rerun}");
    text
}

fn describe_round(text: &mut String, case: &Transcript, round: &Round) {
    let Some(played) = &round.played else { return };
    match &played.failure {
        Some(failure) => {
            text.push_str(&marked_line(case, failure));
            text.push('\n');
            text.push_str(&side_by_side(&failure.rows));
            text.push_str(&heads(failure));
        }
        None => {
            for outcome in &played.outcomes {
                let _ = writeln!(
                    text,
                    "  outcome {} ({}), {}:{}",
                    outcome.name, outcome.grade, case.path, outcome.line
                );
            }
        }
    }
}

/// The line of the transcript with a caret.
fn marked_line(case: &Transcript, failure: &Failure) -> String {
    match &failure.included {
        None => Diagnostic::error(failure.summary.as_str(), failure.span.clone())
            .label("not met")
            .styled(&case.path, &case.text),
        Some(place) => Diagnostic::error(failure.summary.as_str(), place.span.clone())
            .label("not met")
            .help(format!("{}:{} includes it", case.path, failure.line))
            .styled(&place.path, &place.text),
    }
}

/// Expected and got in two columns; a `!` marks what differs.
fn side_by_side(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let width = |pick: fn(&Row) -> &str| rows.iter().map(|row| pick(row).chars().count()).max().unwrap_or(0);
    let what = width(|row| &row.what).max(4);
    let expected = width(|row| &row.expected).clamp(8, WIDEST);
    let mut text = format!("    {DIM}{:what$}  {:expected$}  got{DIM:#}\n", "", "expected");
    for row in rows {
        let (mark, style) = if row.same { (' ', Style::new()) } else { ('!', RED) };
        let good = if row.same { Style::new() } else { GREEN };
        let _ = writeln!(
            text,
            "  {style}{mark}{style:#} {:what$}  {good}{:expected$}{good:#}  {style}{}{style:#}",
            row.what, row.expected, row.got
        );
        if row.marks != Marks::default() {
            let carets = (carets(&row.marks.expected), carets(&row.marks.got));
            // Where the middle column is too narrow, what was expected has pushed the rest to the right.
            let column = expected.max(row.expected.chars().count());
            let _ = writeln!(
                text,
                "    {:what$}  {GREEN}{:column$}{GREEN:#}  {RED}{}{RED:#}",
                "", carets.0, carets.1
            );
        }
    }
    text
}

/// A caret below each character that differs.
fn carets(marks: &[Range<usize>]) -> String {
    let mut line = String::new();
    for mark in marks {
        line.push_str(&" ".repeat(mark.start - line.len()));
        line.push_str(&"^".repeat(mark.len()));
    }
    line
}

fn heads(failure: &Failure) -> String {
    if failure.heads.is_empty() {
        return String::new();
    }
    let width = failure.heads.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("  {DIM}waiting on the open connections:{DIM:#}\n");
    for (name, head) in &failure.heads {
        let _ = writeln!(text, "    {name:width$}  {head}");
    }
    text
}
