//! What a record says, as Markdown.

use crate::chart::CHARTS;
use crate::failure::{Failure, Result};
use crate::figure::{Figure, short};
use crate::launch::Make;
use crate::record::Record;
use crate::row::{Row, Tier};
use crate::verdict::Verdict;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What a record says, as Markdown.
pub(crate) struct Report<'a> {
    record: &'a Record,
    rows: &'a [&'static Row],
}

impl<'a> Report<'a> {
    pub(crate) const fn new(record: &'a Record, rows: &'a [&'static Row]) -> Self {
        Self { record, rows }
    }

    /// The verdicts, and then the figures of each server.
    pub(crate) fn markdown(&self) -> String {
        let Record { machine, seconds, .. } = self.record;
        let verdicts = self.verdicts();
        let (met, all) = (verdicts.iter().filter(|verdict| verdict.met).count(), verdicts.len());
        let mut text =
            format!("{machine}; closed loops counted for {seconds} s.\n{met} of {all} demands are met.\n\n");
        text += Verdict::HEAD;
        verdicts.iter().for_each(|verdict| text += &(verdict.line() + "\n"));
        text += "\n| work | server | found (medians) | n |\n|---|---|---|---|\n";
        for (row, make) in self.rows.iter().flat_map(|row| row.makes.iter().map(move |make| (row, *make))) {
            self.figures(row, make, &mut text);
        }
        text
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let demands = self.rows.iter().flat_map(|row| row.demands.iter().map(move |demand| (row, demand)));
        demands.map(|(row, demand)| Verdict::of(self.record, row, demand)).collect()
    }

    fn figures(&self, row: &Row, make: Make, text: &mut String) {
        let Some(found) = self.record.found(row.name, make.name()) else { return };
        // What is only for the charts is shown by them, unless there is nothing to show.
        if row.tier == Tier::Chart && found.failures.is_empty() {
            return;
        }
        let always = [Figure::ServerCpu, Figure::ServerWait, Figure::OwnCpu];
        let figures = row.shows.iter().chain(&always);
        let mut cells: Vec<_> = figures
            .filter_map(|&figure| Some(format!("{} {}", short(found.median(figure)?), figure.unit())))
            .collect();
        let failures = &found.failures;
        cells.extend(failures.first().map(|failure| format!("**FAILED** {}x: {failure}", failures.len())));
        let (cells, rounds) = (cells.join(" · "), found.rounds());
        writeln!(text, "| {} | {} | {cells} | {rounds} |", row.name, make.title()).expect("text has room");
    }

    /// Writes it into a page, between two comments, with the charts that lie beside it.
    ///
    /// # Errors
    /// If there is no such page, or it has not these comments.
    pub(crate) fn write_into(&self, page: &Path) -> Result<()> {
        let mut text = self.markdown() + "\n";
        let folder = page.parent().unwrap_or(page);
        for (name, title) in CHARTS.iter().filter(|(name, _)| folder.join(name).exists()) {
            writeln!(text, "![{title}]({name})").expect("text has room");
        }
        replace(page, "table", &text)
    }
}

/// Sees that a page has these comments, before long runs whose results shall stand between them.
///
/// # Errors
/// If there is no such page, or it has not these comments.
pub(crate) fn has_place(page: &Path, name: &str) -> Result<()> {
    filled(page, name, "").map(|_| ())
}

/// Puts text between the comments `<!-- NAME -->` and `<!-- end of NAME -->` of a page.
pub(crate) fn replace(page: &Path, name: &str, text: &str) -> Result<()> {
    fs::write(page, filled(page, name, text)?).map_err(Failure::at(page.display().to_string()))
}

/// The page with the text in its place.
fn filled(page: &Path, name: &str, text: &str) -> Result<String> {
    let shown = page.display();
    let before = fs::read_to_string(page).map_err(Failure::at(shown.to_string()))?;
    replaced(&before, name, text)
        .ok_or_else(|| Failure::says(format!("{shown}: no <!-- {name} --> before <!-- end of {name} -->")))
}

fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::row::ROWS;

    #[test]
    fn a_server_that_failed_is_told_with_the_reason() {
        let mut record = Record::new(Machine::default(), 1);
        record.add(ROWS[0].name, Make::Ours.name(), Err(Failure::says("no answer")));
        let text = Report::new(&record, &[&ROWS[0]]).markdown();
        assert!(text.contains("| foreground-8x8x64 | ours | **FAILED** 1x: no answer | 0 |"), "{text}");
        assert!(text.contains("0 of 3 demands are met."), "{text}");
    }

    #[test]
    fn a_page_without_a_place_is_refused_before_anything_is_measured() {
        let folder = std::env::temp_dir().join(format!("gearman-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let page = folder.join("page.md");
        assert!(has_place(&page, "table").unwrap_err().to_string().contains("page.md"));
        fs::write(&page, "<!-- table -->\nold\n").unwrap();
        assert!(has_place(&page, "table").unwrap_err().to_string().contains("no <!-- table --> before"));
        fs::write(&page, "<!-- table -->\nold\n<!-- end of table -->\n").unwrap();
        has_place(&page, "table").unwrap();
        assert!(fs::read_to_string(&page).unwrap().contains("old"), "it is only looked at");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_stands_between_the_comments_is_replaced_and_nothing_else() {
        let page = "a\n<!-- table -->\nold\n<!-- end of table -->\nb\n";
        let once = replaced(page, "table", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- table -->\n\nnew\n\n<!-- end of table -->\nb\n");
        assert_eq!(replaced(&once, "table", "new").unwrap(), once);
        assert_eq!(replaced("a\n<!-- table -->\n", "table", "new"), None);
    }
}
