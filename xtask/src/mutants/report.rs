//! What came of the changes: the survivors, and a line for each package.

use std::fmt;

use super::judge::Package;
use super::listed::{Listed, TABLE};
use super::tried::Tried;

/// What came of all.
pub(super) struct Report {
    listed: Listed,
    /// Whether each change of each package was tried, so that what is still on the list should not be there.
    is_whole: bool,
    packages: Vec<Row>,
    /// A line for each thing that is wrong.
    wrong: Vec<String>,
}

struct Row {
    package: Package,
    tried: Tried,
    /// How many of the survivors are listed.
    nothing: usize,
}

impl Report {
    pub(super) const fn new(listed: Listed, is_whole: bool) -> Self {
        Self { listed, is_whole, packages: Vec::new(), wrong: Vec::new() }
    }

    pub(super) fn add(&mut self, package: Package, tried: Tried) {
        let mut nothing = 0;
        for survivor in &tried.survivors {
            if self.listed.take(survivor) {
                nothing += 1;
            } else {
                self.wrong.push(format!("nobody saw {survivor}"));
            }
        }
        if self.is_whole {
            let stale = self.listed.left(package.directory());
            self.wrong.extend(stale.map(|name| format!("{TABLE}: not unseen, or not there: {name}")));
        }
        self.packages.push(Row { package, tried, nothing });
    }

    pub(super) fn markdown(&self) -> String {
        let head = "| package | viable | seen | of these by not ending | unseen | of these change nothing | score |\n|---|---|---|---|---|---|---|\n";
        let rows: String = self.packages.iter().map(Row::markdown).collect();
        format!("{head}{rows}")
    }

    pub(super) fn wrong(&self) -> usize {
        self.wrong.len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hung = self.packages.iter().flat_map(|row| &row.tried.hung);
        hung.try_for_each(|name| writeln!(f, "tests did not end with {name}"))?;
        self.wrong.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(
            f,
            "\npackage            viable    seen  (by not ending)  unseen  (change nothing)   score"
        )?;
        self.packages.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl Row {
    /// The share of those that compile which somebody saw, in tenths of a per cent; all of none.
    fn per_mille(&self) -> usize {
        (self.tried.seen() * 1000).checked_div(self.tried.viable()).unwrap_or(1000)
    }

    fn markdown(&self) -> String {
        let Self { package, tried, nothing } = self;
        let (viable, seen, score) = (tried.viable(), tried.seen(), self.per_mille());
        let (hung, unseen) = (tried.hung.len(), tried.survivors.len());
        let score = format!("{}.{} %", score / 10, score % 10);
        format!("| `{}` | {viable} | {seen} | {hung} | {unseen} | {nothing} | {score} |\n", package.name())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, tried, nothing } = self;
        let (name, score) = (package.name(), self.per_mille());
        write!(f, "{name:<17} {:>7} {:>7}  {:>15}", tried.viable(), tried.seen(), tried.hung.len())?;
        write!(f, "  {:>6}  {nothing:>16}", tried.survivors.len())?;
        write!(f, "  {:>3}.{} %", score / 10, score % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(is_whole: bool, listed: &str) -> Report {
        Report::new(Listed::parse(listed).unwrap(), is_whole)
    }

    const LISTED: &str = r#"
        [[nothing]]
        mutant = "engine/src/a.rs: replace + with - in f"
        because = "what is added is 0"
    "#;

    fn tried(survivors: &[&str]) -> Tried {
        let survivors = survivors.iter().map(|&name| name.to_owned()).collect();
        Tried { caught: vec!["seen".to_owned(); 17], survivors, ..Tried::default() }
    }

    #[test]
    fn a_survivor_that_is_not_listed_is_wrong() {
        let mut report = report(true, LISTED);
        let survivors =
            ["engine/src/a.rs:1:2: replace + with - in f", "engine/src/a.rs:9:2: replace g with ()"];
        report.add(Package::Engine, tried(&survivors));
        assert_eq!(report.wrong, ["nobody saw engine/src/a.rs:9:2: replace g with ()"]);
        let last =
            report.to_string().lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(last, "gearman-engine 19 17 0 2 1 89.4 %");
    }

    #[test]
    fn what_is_listed_and_seen_is_wrong_if_all_were_tried() {
        let mut whole = report(true, LISTED);
        whole.add(Package::Engine, tried(&[]));
        assert_eq!(whole.wrong(), 1);
        let mut other = report(true, LISTED);
        other.add(Package::Client, tried(&[]));
        assert_eq!(other.wrong(), 0, "it is another package's");
        let mut some = report(false, LISTED);
        some.add(Package::Engine, tried(&[]));
        assert_eq!(some.wrong(), 0);
    }
}
