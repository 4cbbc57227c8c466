//! What befell jobs, and where they were then: the coincidences that a campaign must have met.

use super::Summary;
use crate::census::Operation;
use crate::faults::FaultClass;
use crate::lives::Stretch;
use crate::trial::Stage;
use std::fmt;

/// Something that befalls jobs.
struct Goal {
    name: &'static str,
    /// The faults by which it does.
    faults: &'static [FaultClass],
    /// What peers do by which it does.
    operations: &'static [&'static str],
}

const GOALS: [Goal; 7] = [
    Goal { name: "worker died", faults: &[FaultClass::WorkerCrash], operations: &[] },
    Goal { name: "timeout", faults: &[FaultClass::JobTimeout], operations: &[] },
    Goal { name: "cancel", faults: &[], operations: &["cancel job"] },
    Goal {
        name: "duplicate",
        faults: &[],
        operations: &["a unique", "the longest unique", "workload as unique"],
    },
    Goal {
        name: "reconnect",
        faults: &[
            FaultClass::ReconnectStorm,
            FaultClass::ConnectRefused,
            FaultClass::ConnectHang,
            FaultClass::AcceptClose,
        ],
        operations: &[],
    },
    Goal {
        name: "server restart",
        faults: &[FaultClass::ServerCrash, FaultClass::ServerPowerLoss],
        operations: &[],
    },
    Goal { name: "server drain", faults: &[FaultClass::ServerDrain], operations: &[] },
];

/// Where a job is met: one whose submitter has not heard of it yet is not on the list.
const MET: &[Stretch] = Stretch::ALL.split_at(1).1;

/// What cannot be met, each with the reason; a campaign that meets one makes this list untrue, and fails.
const UNREACHABLE: [(&str, Stretch, &str); 3] = [
    ("worker died", Stretch::Waiting, "no worker has a job that waits"),
    ("timeout", Stretch::Waiting, "a limit runs from the moment at which a worker gets the job"),
    ("timeout", Stretch::Completing, "a worker that has sent its last word in time has kept its limit"),
];

/// How often what befell jobs where, in a campaign on some stage.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    summary: &'a Summary,
    stage: Stage,
}

impl<'a> Grid<'a> {
    /// What a campaign on this stage has met.
    #[must_use]
    pub const fn of(summary: &'a Summary, stage: Stage) -> Self {
        Self { summary, stage }
    }

    /// What can befall jobs on its stage.
    fn goals(self) -> impl Iterator<Item = &'static Goal> {
        let can_be = move |goal: &&Goal| {
            !goal.operations.is_empty() || goal.faults.iter().any(|&class| self.stage.has(class))
        };
        GOALS.iter().filter(can_be)
    }

    fn cell(self, goal: &Goal, at: Stretch) -> u64 {
        let faults = goal.faults.iter().map(|&class| self.summary.tally.of(class).jobs);
        let operations = goal.operations.iter().filter_map(|name| Operation::from_name(name));
        let operations = operations.map(|operation| self.summary.census.of(operation).by_stretch);
        faults.chain(operations).filter_map(|jobs| jobs.get(&at).copied()).sum()
    }

    /// What should have been met and was not, or the other way round, a line each.
    pub(super) fn amiss(self) -> Vec<String> {
        let cells = self.goals().flat_map(|goal| MET.iter().map(move |&at| (goal, at)));
        cells.filter_map(|(goal, at)| amiss(goal.name, at, self.cell(goal, at))).collect()
    }

    fn shown(self, goal: &Goal, at: Stretch) -> String {
        let is_unreachable = unreachable(goal.name, at).is_some();
        match self.cell(goal, at) {
            0 if is_unreachable => "-".to_owned(),
            count => count.to_string(),
        }
    }
}

fn unreachable(name: &str, at: Stretch) -> Option<&'static str> {
    let row = UNREACHABLE.iter().find(|(goal, place, _)| *goal == name && *place == at);
    row.map(|(.., reason)| *reason)
}

fn amiss(name: &str, at: Stretch, count: u64) -> Option<String> {
    match (unreachable(name, at), count) {
        (None, 0) => Some(format!("{name}: it befell no job that was {at}")),
        (Some(reason), 1..) => {
            Some(format!("{name}: it befell a job that was {at}, which cannot be: {reason}"))
        }
        (None, _) | (Some(_), 0) => None,
    }
}

impl fmt::Display for Grid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<18}", "what befell jobs")?;
        MET.iter().try_for_each(|at| write!(f, " {at:>10}"))?;
        for goal in self.goals() {
            write!(f, "\n{:<18}", goal.name)?;
            MET.iter().try_for_each(|&at| write!(f, " {:>10}", self.shown(goal, at)))?;
        }
        writeln!(f)?;
        let shown = |name: &str| self.goals().any(|goal| goal.name == name);
        let reasons = UNREACHABLE.iter().filter(|(name, ..)| shown(name));
        for (name, at, reason) in reasons {
            writeln!(f, "- {name}, {at}: cannot be, because {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_name_what_there_is() {
        let operations = GOALS.iter().flat_map(|goal| goal.operations);
        assert!(operations.into_iter().all(|name| Operation::from_name(name).is_some()));
        assert!(UNREACHABLE.iter().all(|(name, ..)| GOALS.iter().any(|goal| goal.name == *name)));
    }

    #[test]
    fn what_was_never_met_is_told_and_what_cannot_be_must_not_be() {
        assert!(amiss("cancel", Stretch::Waiting, 0).unwrap().contains("befell no job that was waiting"));
        assert_eq!(amiss("cancel", Stretch::Waiting, 1), None);
        assert_eq!(amiss("timeout", Stretch::Waiting, 0), None);
        assert!(amiss("timeout", Stretch::Waiting, 1).unwrap().contains("cannot be: a limit runs"));
    }

    #[test]
    fn a_stage_is_not_asked_for_what_it_has_not() {
        let summary = Summary::default();
        let names = |stage| Grid::of(&summary, stage).goals().map(|goal| goal.name).collect::<Vec<_>>();
        assert_eq!(names(Stage::Bare), ["timeout", "cancel", "duplicate", "server restart", "server drain"]);
        assert_eq!(names(Stage::Turmoil).len(), GOALS.len());
        assert_eq!(Grid::of(&summary, Stage::Bare).amiss().len(), 5 * MET.len() - 2);
    }
}
