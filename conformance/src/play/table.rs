//! Text tables and everything up to the end.

use tokio::time::Instant;

use super::difference::{Mismatch, Row};
use super::incoming::{Message, shown};
use super::matching::Matched;
use super::player::{Player, Step};
use super::{Failure, FailureKind};
use crate::language::{Attributes, Pattern, Statement};

impl Player<'_> {
    /// Compares the lines of a table that are about this playing with the patterns.
    pub(super) async fn lines(
        &mut self,
        from: &str,
        patterns: &[Pattern],
        attributes: &Attributes,
        statement: &Statement,
    ) -> Step {
        let lines = self.table(from, attributes, statement).await?;
        match self.compare_table(lines, patterns, attributes) {
            Ok(matched) => {
                self.keep(matched);
                Ok(())
            }
            Err(mismatch) => Err(self.mismatch(statement, mismatch)),
        }
    }

    /// Compares the lines of a whole table that are about this playing with the patterns.
    pub(super) fn compare_table(
        &self,
        lines: Vec<Vec<u8>>,
        patterns: &[Pattern],
        attributes: &Attributes,
    ) -> Result<Matched, Mismatch> {
        let ours: Vec<Vec<u8>> = lines.into_iter().filter(|line| self.variables.concern(line)).collect();
        let ordered = if attributes.any_order { self.in_pattern_order(ours, patterns) } else { ours };
        let mut matched = Matched::default();
        let mut rows = Vec::new();
        for at in 0..ordered.len().max(patterns.len()) {
            let (line, pattern) = (ordered.get(at), patterns.get(at));
            let taken =
                pattern.zip(line).map(|(pattern, line)| self.matcher().argument(pattern, line, &matched));
            let what = format!("line {}", at + 1);
            rows.push(match (pattern, line) {
                (Some(pattern), Some(line)) => {
                    self.matcher().row(&what, pattern, line, matches!(taken, Some(Ok(_))))
                }
                (Some(pattern), None) => Row::differs(&what, self.matcher().shown(pattern), "no line"),
                (None, line) => {
                    Row::differs(&what, "no line", line.map_or_else(String::new, |line| shown(line)))
                }
            });
            matched.captured.extend(taken.and_then(Result::ok).flatten());
        }
        if rows.iter().all(|row| row.same) {
            return Ok(matched);
        }
        Err(Mismatch { summary: "the table differs".to_owned(), rows })
    }

    /// The lines of a table up to its `.`.
    pub(super) async fn table(
        &mut self,
        from: &str,
        attributes: &Attributes,
        statement: &Statement,
    ) -> Result<Vec<Vec<u8>>, Box<Failure>> {
        let wait = self.wait(attributes);
        let deadline = Instant::now() + wait;
        let mut lines = Vec::new();
        loop {
            let Some(message) = self.connection(from, statement)?.head(deadline).await else {
                let summary = format!("the table did not end within {wait:?}");
                return Err(self.failure(statement, FailureKind::Silence, summary, Vec::new()));
            };
            let Message::Line { text, .. } = &message else {
                let got = message.to_string();
                let row = Row::differs("table", "a line or `.`", got);
                let mismatch = Mismatch { summary: "the table was cut short".to_owned(), rows: vec![row] };
                return Err(self.mismatch(statement, mismatch));
            };
            let text = text.to_vec();
            self.connection(from, statement)?.incoming.take();
            if text == b"." {
                return Ok(lines);
            }
            lines.push(text);
        }
    }

    /// The lines in the order of the patterns that take them; what no pattern takes comes last.
    fn in_pattern_order(&self, mut lines: Vec<Vec<u8>>, patterns: &[Pattern]) -> Vec<Vec<u8>> {
        let mut ordered = Vec::new();
        for pattern in patterns {
            let fits = |line: &Vec<u8>| self.matcher().argument(pattern, line, &Matched::default()).is_ok();
            if let Some(at) = lines.iter().position(fits) {
                ordered.push(lines.remove(at));
            }
        }
        ordered.extend(lines);
        ordered
    }

    /// Compares everything up to the end of the connection with one pattern.
    pub(super) async fn rest(
        &mut self,
        from: &str,
        pattern: &Pattern,
        attributes: &Attributes,
        statement: &Statement,
    ) -> Step {
        let wait = self.wait(attributes);
        let deadline = Instant::now() + wait;
        let mut bytes = Vec::new();
        loop {
            let Some(message) = self.connection(from, statement)?.head(deadline).await else {
                let summary = format!("the connection did not end within {wait:?}");
                return Err(self.failure(statement, FailureKind::Silence, summary, Vec::new()));
            };
            if matches!(message, Message::End(_)) {
                break;
            }
            bytes.extend(message.wire());
            self.connection(from, statement)?.incoming.take();
        }
        self.ends.expect(from);
        match self.matcher().argument(pattern, &bytes, &Matched::default()) {
            Ok(captured) => {
                self.keep(Matched { captured: captured.into_iter().collect(), ..Matched::default() });
                Ok(())
            }
            Err(()) => {
                let row = self.matcher().row("rest", pattern, &bytes, false);
                Err(self.mismatch(
                    statement,
                    Mismatch { summary: "the rest differs".to_owned(), rows: vec![row] },
                ))
            }
        }
    }
}
