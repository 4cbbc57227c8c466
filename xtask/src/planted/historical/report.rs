//! What became of the bugs: a line for each, and a table for a page.

use std::collections::BTreeMap;
use std::fmt;

use super::hunt::Sight;
use super::table::Bug;

/// What became of one bug, or why nothing did.
pub(super) struct Row {
    pub(super) bug: Bug,
    pub(super) sight: Result<Sight, String>,
}

impl Row {
    /// What stands above the lines.
    pub(super) const HEAD: &str =
        "bug                                caught in  first  seconds  seen by, in how many seeds";

    /// Whether it was seen, and first by what it says.
    fn is_good(&self) -> bool {
        let first = self.sight.as_ref().ok().and_then(|sight| sight.first(&self.bug));
        first.is_some_and(|first| self.bug.seen_by.iter().any(|named| named == first))
    }

    /// In how many seeds of how many, which was the first, and the seconds that these took.
    fn shown(sight: &Sight) -> [String; 3] {
        let first = sight.caught.first().map_or_else(|| "-".to_owned(), |(seed, _)| seed.to_string());
        let caught = format!("{}/{}", sight.caught.len(), sight.seeds);
        [caught, first, format!("{}.{}", sight.took_ms / 1000, sight.took_ms % 1000 / 100)]
    }

    /// What saw it, the one that saw it in most seeds first, with the number of seeds.
    fn seers(sight: &Sight, quote: &str) -> String {
        let mut seers = BTreeMap::<&str, usize>::new();
        sight.caught.iter().for_each(|(_, seer)| *seers.entry(seer).or_default() += 1);
        let mut seers: Vec<_> = seers.into_iter().collect();
        seers.sort_by_key(|&(_, seeds)| std::cmp::Reverse(seeds));
        let seers = seers.into_iter().map(|(seer, seeds)| format!("{quote}{seer}{quote} {seeds}"));
        seers.collect::<Vec<_>>().join(", ")
    }

    fn markdown(&self) -> String {
        let Bug { id, sentence, history, needle, .. } = &self.bug;
        let (needle, history) = (if *needle { " (needle)" } else { "" }, history.join(", "));
        let cells = match &self.sight {
            Ok(sight) => [Self::seers(sight, "`")].into_iter().chain(Self::shown(sight)).collect(),
            Err(_) => vec!["-".to_owned(); 4],
        };
        format!("| `{id}`{needle} | {sentence} | {history} | {} |\n", cells.join(" | "))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.bug.id;
        match &self.sight {
            Err(error) => return write!(f, "{id:<34} WRONG: {error}"),
            Ok(sight) => {
                let [caught, first, seconds] = Self::shown(sight);
                let seers = Self::seers(sight, "");
                write!(f, "{id:<34} {caught:>9} {first:>6} {seconds:>8}  {seers}")?;
            }
        }
        if self.is_good() {
            return Ok(());
        }
        write!(f, "  WRONG: it should first be seen by {}", self.bug.seen_by.join(" or "))
    }
}

/// What became of all.
pub(super) struct Report {
    pub(super) rows: Vec<Row>,
    /// How many seeds each may have needed.
    pub(super) seeds: u64,
}

impl Report {
    pub(super) fn wrong(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_good()).count()
    }

    pub(super) fn sum(&self) -> String {
        let needles = self.rows.iter().filter(|row| row.bug.needle).count();
        let (all, seen) = (self.rows.len(), self.rows.len() - self.wrong());
        format!(
            "{seen} of {all} bugs of the past were seen within {} seeds; {needles} are needles",
            self.seeds
        )
    }

    pub(super) fn markdown(&self) -> String {
        let head = "| bug | what it does | history | seen by, in how many seeds | caught in | first seed | seconds |\n|---|---|---|---|---|---|---|\n";
        let rows: String = self.rows.iter().map(Row::markdown).collect();
        format!("{}.\n\n{head}{rows}", self.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planted::historical::table::Stage;

    fn row(caught: &[(u64, &str)]) -> Row {
        let bug = Bug {
            id: "tail".to_owned(),
            sentence: "It loses its tail.".to_owned(),
            history: vec!["H-075".to_owned()],
            seen_by: vec!["fifo".to_owned()],
            stage: Stage::Bare,
            needle: true,
            edits: Vec::new(),
        };
        let caught = caught.iter().map(|&(seed, seer)| (seed, seer.to_owned())).collect();
        Row { bug, sight: Ok(Sight { seeds: 100, caught, took_ms: 1250 }) }
    }

    #[test]
    fn a_bug_is_seen_if_what_it_names_sees_it_first() {
        assert!(row(&[(3, "fifo"), (4, "panic")]).is_good());
        assert!(!row(&[(3, "panic"), (4, "fifo")]).is_good());
        // What waits for ever is what follows, unless it is named.
        assert!(row(&[(3, "stuck"), (4, "fifo")]).is_good() && !row(&[(3, "stuck")]).is_good());
        let mut hangs = row(&[(3, "stuck"), (4, "fifo")]);
        hangs.bug.seen_by = vec!["stuck".to_owned()];
        assert!(hangs.is_good());
        assert!(!row(&[]).is_good());
        let unbuilt = Row { sight: Err("it does not build".to_owned()), ..row(&[]) };
        assert_eq!(Report { rows: vec![unbuilt, row(&[(3, "fifo")])], seeds: 100 }.wrong(), 1);
    }

    #[test]
    fn a_row_tells_who_saw_it_in_how_many_seeds() {
        let row = row(&[(3, "fifo"), (4, "priority"), (9, "priority")]);
        assert_eq!(
            row.markdown(),
            "| `tail` (needle) | It loses its tail. | H-075 | `priority` 2, `fifo` 1 | 3/100 | 3 | 1.2 |\n"
        );
        assert!(row.to_string().ends_with("3/100      3      1.2  priority 2, fifo 1"), "{row}");
    }
}
