//! One table of sabotages beside another: does each plan come to the same on another stage, and what is it worth that
//! each seed has a choice of what can go wrong?

use super::row::Row;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

/// What another run has found, as its `--json` says it.
#[derive(Debug, Deserialize)]
pub(super) struct Other {
    version: u32,
    stage: String,
    pub(super) uniform: bool,
    seeds: u64,
    median_needed: Option<u64>,
    sabotages: Vec<OtherRow>,
}

#[derive(Debug, Deserialize)]
struct OtherRow {
    name: String,
    first_tried: u64,
    tried_on: u64,
    caught_seeds: BTreeSet<u64>,
}

/// What this run will make, and reads.
#[derive(Clone, Copy)]
pub(super) struct Here {
    pub(super) version: u32,
    pub(super) stage: &'static str,
    pub(super) uniform: bool,
    /// How many sabotages it tries.
    pub(super) tried: usize,
    pub(super) seeds: u64,
}

impl Other {
    /// # Errors
    /// If the file cannot be read, or is no table that this run can be compared with: one line.
    pub(super) fn read(file: &Path, here: Here) -> Result<Self, String> {
        let about = |what: String| format!("--beside {}: {what}", file.display());
        let text = fs::read_to_string(file).map_err(|error| about(error.to_string()))?;
        let other: Self = serde_json::from_str(&text).map_err(|error| {
            about(format!("it is not what `sabotage --json` of this version writes: {error}"))
        })?;
        other.fits(here).map_err(about)?;
        Ok(other)
    }

    fn fits(&self, here: Here) -> Result<(), String> {
        if self.version != here.version {
            return Err(format!(
                "it has version {}, and this program compares {}",
                self.version, here.version
            ));
        }
        if self.uniform == here.uniform {
            return Ok(());
        }
        let (tried, seeds) = (self.sabotages.len(), self.seeds);
        if (&*self.stage, tried, seeds) != (here.stage, here.tried, here.seeds) {
            return Err(format!(
                "it is of {tried} sabotages on {seeds} seeds under {}, and what a choice is worth shows beside as many \
                 on as many there",
                self.stage
            ));
        }
        match self.median_needed {
            Some(_) => Ok(()),
            None => {
                Err("a sabotage was not caught in it, so that nobody knows how many seeds all need"
                    .to_owned())
            }
        }
    }
}

/// So many of the seeds that sabotages need where every seed has everything they may need with a choice.
const MOST: f64 = 0.7;

/// What it is worth that each seed has a choice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Worth {
    chosen: u64,
    uniform: u64,
}

impl Worth {
    /// Of what all sabotages need together here, after the median of their tries, and in another table, of which one is
    /// with a choice and the other is not.
    pub(super) fn of(here: u64, other: &Other) -> Option<Self> {
        let there = other.median_needed?;
        let (chosen, uniform) = if other.uniform { (here, there) } else { (there, here) };
        Some(Self { chosen, uniform })
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    fn share(&self) -> f64 {
        self.chosen as f64 / self.uniform.max(1) as f64
    }

    /// Whether the choice helps as much as it should.
    pub(super) fn is_enough(&self) -> bool {
        self.share() <= MOST
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { chosen, uniform }, share) = (self, self.share());
        write!(
            f,
            "with a choice of what can go wrong all need {chosen} seeds, and {uniform} where every seed has everything: \
             {share:.2} of them, where {MOST} may be needed at most"
        )
    }
}

/// How often two stages say the same of one plan.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Beside {
    there: String,
    /// Plans that were run on both.
    plans: u64,
    both: u64,
    only_here: u64,
    only_there: u64,
    /// How many both would catch if the seeds in which one does had nothing to do with those in which the other does.
    by_chance: f64,
}

impl Beside {
    pub(super) fn of(rows: &[Row], other: &Other) -> Self {
        let mut beside = Self { there: other.stage.clone(), ..Self::default() };
        for row in rows {
            let Some(there) = other.sabotages.iter().find(|there| there.name == row.sabotage.name) else {
                continue;
            };
            beside.add((row.first, row.tried, &row.caught), there);
        }
        beside
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown in whole plans")]
    fn add(&mut self, (first, tried, caught): (u64, u64, &BTreeSet<u64>), there: &OtherRow) {
        let (from, to) =
            (first.max(there.first_tried), (first + tried).min(there.first_tried + there.tried_on));
        let within = |seeds: &BTreeSet<u64>| -> BTreeSet<u64> {
            seeds.iter().copied().filter(|seed| (from..to).contains(seed)).collect()
        };
        let (here, elsewhere, plans) = (within(caught), within(&there.caught_seeds), to.saturating_sub(from));
        let count = |seeds: usize| seeds as u64;
        self.plans += plans;
        self.both += count(here.intersection(&elsewhere).count());
        self.only_here += count(here.difference(&elsewhere).count());
        self.only_there += count(elsewhere.difference(&here).count());
        self.by_chance += here.len() as f64 * elsewhere.len() as f64 / plans.max(1) as f64;
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { there, plans, both, only_here, only_there, by_chance } = self;
        let same = plans - only_here - only_there;
        write!(
            f,
            "beside {there}: of {plans} plans of wrong servers {same} come to the same; both stages catch {both}, \
             where {by_chance:.0} would be chance, {only_here} are caught here alone and {only_there} there"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HERE: Here = Here { version: 6, stage: "turmoil", uniform: false, tried: 1, seeds: 1 };

    fn other(sabotages: &serde_json::Value) -> serde_json::Value {
        json!({ "version": 6, "stage": "bare", "uniform": false, "seeds": 1, "sabotages": sabotages })
    }

    #[test]
    fn only_plans_that_both_have_run_are_compared() {
        let there = OtherRow {
            name: String::new(),
            first_tried: 10,
            tried_on: 100,
            caught_seeds: BTreeSet::from([10, 20, 30, 105]),
        };
        let mut beside = Beside::default();
        beside.add((0, 60, &BTreeSet::from([5, 20, 40])), &there);
        let expected =
            Beside { plans: 50, both: 1, only_here: 1, only_there: 2, by_chance: 0.12, ..Beside::default() };
        assert_eq!(beside, expected);
        beside.add((200, 10, &BTreeSet::from([201])), &there);
        assert_eq!(beside, expected, "they have none in common");
        assert!(
            beside
                .to_string()
                .contains("of 50 plans of wrong servers 47 come to the same; both stages catch 1,")
        );
    }

    #[test]
    fn a_choice_must_save_three_tenths_of_the_seeds() {
        let json = json!({ "version": 6, "stage": "bare", "uniform": true, "seeds": 100, "median_needed": 1000,
            "sabotages": [{ "name": "x", "first_tried": 0, "tried_on": 1, "caught_seeds": [] }] });
        let uniform: Other = serde_json::from_value(json).unwrap();
        let worth = |needed| Worth::of(needed, &uniform).unwrap();
        assert!(worth(700).is_enough() && !worth(701).is_enough());
        assert!(
            worth(700)
                .to_string()
                .contains("all need 700 seeds, and 1000 where every seed has everything: 0.70")
        );
        let chosen = Other { uniform: false, ..uniform };
        assert_eq!(Worth::of(2000, &chosen), Some(Worth { chosen: 1000, uniform: 2000 }));
        let here = Here { stage: "bare", uniform: true, seeds: 100, ..HERE };
        assert_eq!(chosen.fits(here), Ok(()));
        for other in
            [Here { stage: "turmoil", ..here }, Here { tried: 2, ..here }, Here { seeds: 99, ..here }]
        {
            assert!(
                chosen.fits(other).unwrap_err().starts_with("it is of 1 sabotages on 100 seeds under bare")
            );
        }
        let uncaught = Other { median_needed: None, ..chosen };
        assert!(uncaught.fits(here).unwrap_err().starts_with("a sabotage was not caught in it"));
    }

    #[test]
    fn what_cannot_be_compared_is_refused_in_one_line() {
        let file = std::env::temp_dir().join(format!("gearman-sim-beside-{}.json", std::process::id()));
        let read = |json: &serde_json::Value, uniform| {
            fs::write(&file, json.to_string()).unwrap();
            Other::read(&file, Here { uniform, ..HERE })
        };
        let good = other(&json!([{ "name": "x", "first_tried": 0, "tried_on": 1, "caught_seeds": [] }]));
        assert_eq!(read(&good, false).unwrap().sabotages.len(), 1);
        assert!(read(&good, true).unwrap_err().ends_with("on as many there"));
        let mut old = good;
        old["version"] = json!(5);
        assert!(read(&old, false).unwrap_err().ends_with("it has version 5, and this program compares 6"));
        assert!(read(&json!([]), false).unwrap_err().contains("of this version writes"));
        fs::remove_file(&file).unwrap();
        assert!(Other::read(&file, HERE).unwrap_err().contains("No such file"));
    }
}
