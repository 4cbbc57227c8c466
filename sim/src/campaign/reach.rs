//! What peers must have done in a campaign, and where the jobs must have been then.

use super::{Grid, Summary};
use crate::census::{Count, Operation};
use crate::lives::Stretch;
use crate::trial::Stage;

/// Where jobs were meets what was done too seldom to be asked of fewer seeds.
const LEAST_SEEDS_FOR_STRETCHES: u64 = 1000;

/// Where the jobs must have been, in some seed, when peers did this: what happens at least ten times in a thousand
/// seeds, under turmoil and on bare doors.
const MET: [(&[&str], &[Stretch]); 8] = [
    (&["a unique", "closes", "half-closes"], &Stretch::ALL),
    (&["GET_STATUS", "WORK_COMPLETE", "WORK_FAIL"], Stretch::ALL.split_at(1).1),
    (&["GRAB_JOB", "GRAB_JOB_UNIQ", "GRAB_JOB_ALL", "PRE_SLEEP", "CANT_DO"], Stretch::ALL.split_at(2).1),
    (
        &["WORK_STATUS", "WORK_DATA", "WORK_EXCEPTION"],
        &[Stretch::Waiting, Stretch::Assigned, Stretch::Running, Stretch::DataSent],
    ),
    (&["WORK_WARNING", "RESET_ABILITIES"], &[Stretch::Assigned, Stretch::Running, Stretch::DataSent]),
    (&["cancel job"], &[Stretch::Waiting, Stretch::Assigned, Stretch::DataSent, Stretch::Completing]),
    (&["GET_STATUS_UNIQUE"], &[Stretch::Submitted, Stretch::Waiting, Stretch::Assigned, Stretch::Completing]),
    (&["bytes that are no request", "ECHO_REQ", "OPTION_REQ"], &[Stretch::Submitted, Stretch::Waiting]),
];

/// What should have been done and was not, a line each.
pub(super) fn unasked(summary: &Summary, stage: Stage) -> Vec<String> {
    let count = |operation: Operation| summary.census().of(operation);
    let never = Operation::all().filter(|&operation| count(operation).times == 0);
    let mut lines: Vec<String> =
        never.map(|operation| format!("{operation}: no peer did it in any seed")).collect();
    if summary.seeds >= LEAST_SEEDS_FOR_STRETCHES {
        lines.extend(Operation::all().flat_map(|operation| unmet(operation, &count(operation))));
        lines.extend(Grid::of(summary, stage).amiss());
    }
    lines
}

fn unmet(operation: Operation, count: &Count) -> Vec<String> {
    let rows = MET.iter().filter(|(names, _)| names.contains(&operation.name()));
    let missed = rows.flat_map(|(_, met)| met.iter()).filter(|at| !count.by_stretch.contains_key(at));
    missed.map(|at| format!("{operation}: no peer did it in any seed while a job was {at}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> Operation {
        Operation::from_name(name).unwrap()
    }

    #[test]
    fn the_list_names_what_there_is() {
        for name in MET.iter().flat_map(|(names, _)| *names) {
            assert!(Operation::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_nobody_did_is_told_whatever_it_is() {
        let unasked_but = |missing: Option<Operation>| {
            let done = Operation::all().filter(|&operation| Some(operation) != missing);
            let mut summary = Summary::default();
            summary.seeds += 100;
            summary.census += &done.collect();
            unasked(&summary, Stage::Turmoil)
        };
        assert_eq!(unasked_but(None), [""; 0]);
        for missing in Operation::all() {
            assert_eq!(unasked_but(Some(missing)), [format!("{missing}: no peer did it in any seed")]);
        }
    }

    #[test]
    fn where_no_job_was_is_told() {
        let met = [Stretch::Waiting, Stretch::Assigned, Stretch::Completing];
        let count = Count { by_stretch: met.map(|at| (at, 1)).into(), ..Count::default() };
        let wanted = ["cancel job: no peer did it in any seed while a job was data sent"];
        assert_eq!(unmet(operation("cancel job"), &count), wanted);
    }
}
