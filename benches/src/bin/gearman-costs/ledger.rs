//! The costs that are kept in the repository, and what has risen since.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the file: a reader refuses any other.
const SCHEMA: u32 = 1;
/// How much more instructions are still the same: 3 %.
const TOLERANCE: f64 = 1.03;
/// How many more allocations are still the same: a step of growth may fall on either side of the count.
const SLACK: f64 = 0.02;

/// What doing something once costs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

/// The costs of all cases.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Ledger {
    schema: u32,
    pub(crate) costs: BTreeMap<String, Cost>,
}

impl Ledger {
    pub(crate) fn new(costs: BTreeMap<String, Cost>) -> Self {
        Self { schema: SCHEMA, costs }
    }

    /// The one of the repository.
    pub(crate) fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("costs.json")
    }

    /// # Errors
    /// If it is not there, or is of another version.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        let ledger: Self = serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
        if ledger.schema == SCHEMA {
            Ok(ledger)
        } else {
            Err(format!("{shown}: schema {}, not {SCHEMA}", ledger.schema))
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).expect("numbers and names") + "\n";
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What has risen, each a line that names the case; a case that this ledger does not have has risen too.
    pub(crate) fn risen(&self, now: &BTreeMap<String, Cost>) -> Vec<String> {
        now.iter().filter_map(|(name, cost)| self.has_risen(name, *cost)).collect()
    }

    fn has_risen(&self, name: &str, now: Cost) -> Option<String> {
        let Some(before) = self.costs.get(name) else {
            return Some(format!("{name} is not in the file: record it"));
        };
        let share = 100.0 * (now.instructions / before.instructions - 1.0);
        if now.instructions > before.instructions * TOLERANCE {
            return Some(format!(
                "{name}: {} instructions, {share:+.1} % from {}",
                now.instructions, before.instructions
            ));
        }
        let (count, was) = (now.allocations, before.allocations);
        (count > was + SLACK).then(|| format!("{name}: {count} allocations, from {was}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(instructions: f64, allocations: f64) -> BTreeMap<String, Cost> {
        BTreeMap::from([("decode".to_owned(), Cost { instructions, allocations })])
    }

    #[test]
    fn three_percent_more_instructions_are_the_same_and_more_are_named() {
        let ledger = Ledger::new(costs(1000.0, 2.0));
        assert_eq!(ledger.risen(&costs(1030.0, 2.0)), [""; 0]);
        assert_eq!(ledger.risen(&costs(1031.0, 2.0)), ["decode: 1031 instructions, +3.1 % from 1000"]);
    }

    #[test]
    fn an_allocation_more_is_named() {
        let ledger = Ledger::new(costs(1000.0, 2.0));
        assert_eq!(ledger.risen(&costs(900.0, 3.0)), ["decode: 3 allocations, from 2"]);
    }

    #[test]
    fn a_case_without_a_record_is_named() {
        let ledger = Ledger::new(BTreeMap::new());
        assert_eq!(ledger.risen(&costs(1.0, 0.0)), ["decode is not in the file: record it"]);
    }
}
