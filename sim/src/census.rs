//! What peers did to their servers, and where the jobs were meanwhile: whether a campaign has asked what it could.

mod operation;

pub use operation::Operation;

use crate::history::{Connection, Entry, What};
use crate::lives::{Lives, Stretch};
use gearman_protocol::{AdminRequest, Request};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;

/// How often a peer did something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// In all.
    pub times: u64,
    /// When no live job was concerned.
    pub without_job: u64,
    /// When jobs were concerned, by where these were; one that concerns several counts for each place once.
    pub by_stretch: BTreeMap<Stretch, u64>,
}

/// How often peers did what.
///
/// A report, a status question and a cancel concern the job that they name; a submit and a question about a unique
/// concern the job that has it; all else concerns the jobs that its connection submits, watches or holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census(BTreeMap<Operation, Count>);

impl Census {
    /// Takes in what is seen, before it changes where the jobs are.
    pub(crate) fn see(&mut self, lives: &Lives, entry: &Entry) {
        let Some((connection, mut operations)) = Operation::of(&entry.what) else { return };
        operations.extend(Operation::as_things_stand(lives, entry));
        let concerned = concerned(lives, connection, &entry.what);
        operations.into_iter().for_each(|operation| self.count(operation, &concerned));
    }

    /// A peer closes and has begun a message that it will not finish.
    pub(crate) fn cut_off(&mut self, lives: &Lives, connection: Connection) {
        let concerned = lives.concerning(connection).into_iter().collect();
        self.count(Operation::cut_off(), &concerned);
    }

    fn count(&mut self, operation: Operation, concerned: &BTreeSet<Stretch>) {
        let count = self.0.entry(operation).or_default();
        count.times += 1;
        count.without_job += u64::from(concerned.is_empty());
        for &stretch in concerned {
            *count.by_stretch.entry(stretch).or_default() += 1;
        }
    }

    /// How often it was done.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Count {
        self.0.get(&operation).cloned().unwrap_or_default()
    }
}

fn concerned(lives: &Lives, connection: Connection, what: &What) -> BTreeSet<Stretch> {
    let all_of_its_own = || lives.concerning(connection).into_iter().collect();
    let What::Wrote { request, .. } = what else { return all_of_its_own() };
    let named = match request {
        Request::Work { handle, .. }
        | Request::GetStatus { handle }
        | Request::Admin(AdminRequest::CancelJob(handle)) => lives.of_handle(handle.as_bytes()),
        Request::Submit(submit) => lives.shared_by(connection, submit),
        Request::GetStatusUnique { unique } => lives.of_unique(connection, unique),
        Request::CanDo { .. }
        | Request::CantDo { .. }
        | Request::ResetAbilities
        | Request::PreSleep
        | Request::AllYours
        | Request::Grab(_)
        | Request::Echo { .. }
        | Request::Option { .. }
        | Request::SetClientId { .. }
        | Request::Admin(_) => return all_of_its_own(),
    };
    named.into_iter().collect()
}

impl AddAssign<&Self> for Census {
    fn add_assign(&mut self, other: &Self) {
        for (&operation, count) in &other.0 {
            let sum = self.0.entry(operation).or_default();
            sum.times += count.times;
            sum.without_job += count.without_job;
            for (&stretch, times) in &count.by_stretch {
                *sum.by_stretch.entry(stretch).or_default() += times;
            }
        }
    }
}

#[cfg(test)]
impl FromIterator<Operation> for Census {
    /// Each once, when there was no job.
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        let once = Count { times: 1, without_job: 1, ..Count::default() };
        Self(operations.into_iter().map(|operation| (operation, once.clone())).collect())
    }
}

/// A row for each operation, done or not.
impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<30} {:>9} {:>9}", "operation", "done", "no job")?;
        for stretch in Stretch::ALL {
            write!(f, " {stretch:>10}")?;
        }
        for operation in Operation::all() {
            let Count { times, without_job, by_stretch } = self.of(operation);
            write!(f, "\n{operation:<30} {times:>9} {without_job:>9}")?;
            for stretch in Stretch::ALL {
                write!(f, " {:>10}", by_stretch.get(&stretch).copied().unwrap_or(0))?;
            }
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests;
