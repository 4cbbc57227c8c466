//! The functions as they are shown: some by name, the rest together.

use super::label::label;
use crate::Control;
use gearman_engine::{Counts, FunctionFigures};
use std::time::Duration;

/// What functions are called together that have no label of their own.
const OTHER: &str = "other";

/// How many functions are read in one go, while everybody else waits.
const PAGE: usize = 512;

/// One function, or all that have no label of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) waiting: [u64; 3],
    pub(super) scheduled: u64,
    pub(super) running: u64,
    pub(super) workers: u64,
    pub(super) oldest: Duration,
    pub(super) counts: Counts,
}

/// Reads all functions, page by page; between two pages others have their turn.
pub(super) async fn rows(control: &Control, most: usize) -> Vec<Row> {
    let mut table = Table::new(most);
    let mut next = Some(0);
    while let Some(page) = next {
        let page = control.functions(page, PAGE);
        page.rows.iter().for_each(|figures| table.add(figures));
        next = page.next;
        tokio::task::yield_now().await;
    }
    table.rows()
}

/// Rows in the making.
struct Table {
    most: usize,
    rows: Vec<Row>,
    other: Option<Row>,
}

impl Table {
    fn new(most: usize) -> Self {
        Self { most, rows: Vec::new(), other: None }
    }

    fn add(&mut self, figures: &FunctionFigures) {
        if self.rows.len() < self.most && figures.function.as_bytes() != OTHER.as_bytes() {
            let mut row = Row { label: label(&figures.function), ..Row::default() };
            row.add(figures);
            self.rows.push(row);
        } else {
            let other = || Row { label: OTHER.to_owned(), ..Row::default() };
            self.other.get_or_insert_with(other).add(figures);
        }
    }

    fn rows(mut self) -> Vec<Row> {
        self.rows.extend(self.other);
        self.rows
    }
}

impl Row {
    fn add(&mut self, figures: &FunctionFigures) {
        for (sum, count) in self.waiting.iter_mut().zip(figures.waiting) {
            *sum += u64::from(count);
        }
        self.scheduled += u64::from(figures.scheduled);
        self.running += u64::from(figures.running);
        self.workers += u64::from(figures.workers);
        self.oldest = self.oldest.max(figures.oldest.unwrap_or_default());
        self.counts.add(&figures.counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_protocol::FunctionName;

    fn figures(name: &'static str, waiting: u32) -> FunctionFigures {
        FunctionFigures {
            function: FunctionName::new(name).unwrap(),
            waiting: [waiting, 0, 1],
            scheduled: 2,
            running: 3,
            workers: 4,
            oldest: Some(Duration::from_secs(u64::from(waiting))),
            counts: Counts { submitted: 5, timed_out: 6, ..Counts::default() },
        }
    }

    #[test]
    fn functions_above_the_cap_and_one_called_other_are_summed_up() {
        let mut table = Table::new(1);
        for (name, waiting) in [("other", 7), ("a", 1), ("b", 20), ("c", 3)] {
            table.add(&figures(name, waiting));
        }
        let rows = table.rows();
        let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(labels, ["a", "other"]);
        let sum = Row {
            label: "other".into(),
            waiting: [30, 0, 3],
            scheduled: 6,
            running: 9,
            workers: 12,
            oldest: Duration::from_secs(20),
            counts: Counts { submitted: 15, timed_out: 18, ..Counts::default() },
        };
        assert_eq!(rows[1], sum);
    }
}
