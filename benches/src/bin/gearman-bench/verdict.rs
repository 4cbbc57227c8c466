//! Whether our server does what is demanded of it.

use crate::figure::{Figure, short};
use crate::launch::Make;
use crate::record::Record;
use crate::row::{Against, Demand, Row};

/// Whether a demand is met.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    row: &'static str,
    /// The demand in words.
    demand: String,
    /// What our server reached, and the bound, if both were measured.
    found: Option<(f64, f64)>,
    /// The least and the most that it reached in a round.
    range: Option<(f64, f64)>,
    /// What our figure is in multiples of gearmand-c at its best, at its defaults, and of the floor.
    ratios: [Option<f64>; 3],
    pub(crate) met: bool,
}

impl Verdict {
    /// The head of the table that [`Self::line`] has the lines of.
    pub(crate) const HEAD: &str = "| work | demanded | ours | rounds | bound | ours/best | ours/default | ours/floor | verdict |\n\
         |---|---|---|---|---|---|---|---|---|\n";

    pub(crate) fn of(record: &Record, row: &Row, demand: &Demand) -> Self {
        let ours = record.judged(row.name, Make::Ours, demand.figure);
        let found = ours.zip(bound(record, row, demand));
        let met = found.is_some_and(|(ours, bound)| !is_worse(demand.figure, ours, bound));
        let ratios = [Against::Best, Against::Default, Against::Floor]
            .map(|against| Some(ours? / measured(record, row, demand.figure, against)?));
        let range = record.range(row.name, Make::Ours, demand.figure);
        Self { row: row.name, demand: words(demand), found, range, ratios, met }
    }

    /// How it is told in the table.
    pub(crate) fn line(&self) -> String {
        let cell = |value: Option<f64>| value.map(short).unwrap_or_default();
        let [best, default, floor] = self.ratios.map(cell);
        let (ours, bound) = (cell(self.found.map(|found| found.0)), cell(self.found.map(|found| found.1)));
        let rounds = self.range.map(|(least, most)| format!("{} to {}", short(least), short(most)));
        let (rounds, shown) = (rounds.unwrap_or_default(), self.shown());
        let Self { row, demand, .. } = self;
        format!("| {row} | {demand} | {ours} | {rounds} | {bound} | {best} | {default} | {floor} | {shown} |")
    }

    fn shown(&self) -> String {
        match self.found {
            None => "not measured".to_owned(),
            Some(_) if self.met => "met".to_owned(),
            Some((ours, bound)) => match 100.0 * (ours / bound - 1.0).abs() {
                little if little < 1.0 => format!("**missed** by {little:.1} %"),
                percent => format!("**missed** by {percent:.0} %"),
            },
        }
    }
}

fn is_worse(figure: Figure, one: f64, other: f64) -> bool {
    if figure.more_is_better() { one < other } else { one > other }
}

/// The mildest of the bounds, and none beyond the floor.
fn bound(record: &Record, row: &Row, demand: &Demand) -> Option<f64> {
    let Demand { figure, bounds } = *demand;
    let known =
        bounds.iter().filter_map(|&(factor, against)| Some(factor * measured(record, row, figure, against)?));
    let floor = record.judged(row.name, Make::Floor, figure);
    let milder = |one: f64, other: f64| if is_worse(figure, one, other) { one } else { other };
    let mildest = known.reduce(milder)?;
    Some(floor.map_or(mildest, |floor| milder(mildest, floor)))
}

fn measured(record: &Record, row: &Row, figure: Figure, against: Against) -> Option<f64> {
    match against {
        Against::Best => {
            let known = [Make::CBest, Make::CDefault];
            let known = known.iter().filter_map(|&make| record.judged(row.name, make, figure));
            known.reduce(|one, other| if is_worse(figure, one, other) { other } else { one })
        }
        Against::Default => record.judged(row.name, Make::CDefault, figure),
        Against::Floor => record.judged(row.name, Make::Floor, figure),
        Against::Ours(other) => record.judged(other, Make::Ours, figure),
        Against::Fixed => Some(1.0),
    }
}

fn words(demand: &Demand) -> String {
    let side = if demand.figure.more_is_better() { ">=" } else { "<=" };
    let bounds: Vec<_> =
        demand.bounds.iter().map(|&(factor, against)| bound_words(factor, against)).collect();
    format!("{} {side} {}", demand.figure.unit(), bounds.join(" or "))
}

fn bound_words(factor: f64, against: Against) -> String {
    let short = short(factor);
    match against {
        Against::Best => format!("{short} x best"),
        Against::Default => format!("{short} x default"),
        Against::Floor => format!("{short} x floor"),
        Against::Ours(row) => format!("{short} x ours at {row}"),
        Against::Fixed => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::row::ROWS;

    /// Our verdict on a figure of the first row, whose demands are 1.2 x best, 0.9 x floor, and for the processor
    /// time 0.8 x best or 1.3 x floor.
    fn verdict(demand: usize, figures: &[(Make, f64)]) -> Verdict {
        let (row, demand) = (&ROWS[0], &ROWS[0].demands[demand]);
        let record = figures.iter().fold(Record::new(Machine::default(), 1), |record, &(make, value)| {
            record.with(row.name, make, demand.figure, value)
        });
        Verdict::of(&record, row, demand)
    }

    #[test]
    fn best_is_the_better_of_both() {
        let figures = [(Make::Ours, 119.0), (Make::CBest, 80.0), (Make::CDefault, 100.0)];
        let verdict = verdict(0, &figures);
        assert_eq!(verdict.found, Some((119.0, 120.0)));
        let line = "| foreground-8x8x64 | jobs/s >= 1.20 x best | 119 | 119 to 119 | 120 | 1.19 | 1.19 |  | **missed** by 0.8 % |";
        assert_eq!(verdict.line(), line);
    }

    #[test]
    fn nothing_is_demanded_beyond_the_floor() {
        let figures = [(Make::Ours, 111.0), (Make::CBest, 100.0), (Make::Floor, 110.0)];
        assert_eq!(verdict(0, &figures).found, Some((111.0, 110.0)));
        assert!(verdict(0, &figures).met);
    }

    #[test]
    fn of_two_bounds_the_mildest_holds() {
        let figures = [(Make::Ours, 11.0), (Make::CBest, 10.0), (Make::CDefault, 30.0), (Make::Floor, 9.0)];
        assert_eq!(verdict(2, &figures).found, Some((11.0, 1.3 * 9.0)));
        assert!(verdict(2, &figures).met);
    }

    #[test]
    fn what_must_never_be_longer_is_judged_by_the_longest_of_all_rounds() {
        let row = ROWS.iter().find(|row| row.name == "status-100k").unwrap();
        let rounds = [4_000.0, 6_000.0, 4_000.0].into_iter();
        let record = rounds.fold(Record::new(Machine::default(), 3), |record, value| {
            record.with(row.name, Make::Ours, Figure::Longest, value)
        });
        let verdict = Verdict::of(&record, row, &row.demands[0]);
        assert_eq!((verdict.found, verdict.met), (Some((6_000.0, 5_000.0)), false));
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(verdict(0, &[(Make::CBest, 1.0)]).line().ends_with("| not measured |"));
        assert!(!verdict(0, &[(Make::Ours, 1.0)]).met);
    }
}
