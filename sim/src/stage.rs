//! Where plans are run.

pub mod bare;
#[cfg(test)]
mod deaf;
#[cfg(test)]
mod hoarder;
mod house;
pub(crate) mod loopback;
mod storm;
pub mod turmoil;

use crate::census::Census;
use crate::faults::FaultClass;
use crate::faults::tally::Tally;
use crate::history::{Entry, History, ServerId};
use crate::lives::End;
pub use crate::store::Cheat;
use gearman_engine::{Doors, Vitals};
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::time::Duration;
pub(crate) use storm::toward;

/// What a run needs besides its plan.
pub struct Options<'a> {
    /// Where it is written down.
    pub history: History,
    /// Who follows it.
    pub watcher: Watcher,
    /// A server's engine, made anew for each of its lives.
    pub doors: MakeDoors<'a>,
    /// How its store is wrong on purpose, if it shall be.
    pub cheat: Option<Cheat>,
    /// Whether clients submit everything to two servers, if they can.
    pub submit_to_two: bool,
}

/// Makes a server's engine, for each of its lives.
pub type MakeDoors<'a> = Box<dyn Fn(ServerId) -> Box<dyn Doors + Send> + 'a>;

/// What came of a run, apart from what the judge says.
#[derive(Debug)]
pub struct Run {
    /// What the peers saw.
    pub history: History,
    /// What faults touched.
    pub tally: Tally,
    /// What the peers did.
    pub census: Census,
    /// The faults of the plan that happened, in order.
    pub faults: Vec<Happened>,
    /// How many jobs ended, by how.
    pub ends: BTreeMap<End, u64>,
    /// How long it lasted in simulated time.
    pub lasted: Time,
    /// How soon after its storm it came to rest; not if it did not.
    pub settled: Option<Settled>,
    /// Who waits for whom, if it did not come to rest.
    pub stuck: Option<Stuck>,
    /// What a server still holds though all is done but what is far away, if it is known and anything.
    pub held: Option<String>,
}

/// A fault of the plan that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Time,
    /// Of which class it is.
    pub class: FaultClass,
    /// To whom and for how long, in words.
    pub what: String,
}

/// How soon after its storm a run came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// From when the storm was over until all of the core had done everything.
    pub within: Duration,
    /// How long that might have taken.
    pub bound: Duration,
}

/// A run that did not come to rest after its storm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// For how long after the storm it was waited, in simulated time.
    pub waited_ms: u64,
    /// Which actors are not at rest and which jobs wait for whom, a line each.
    pub who: Vec<String>,
}

/// What an engine holds for ever, if it is anything: asked when all is done that anybody has asked for, but for jobs that are
/// far away, of which so many were planned. A saboteur tells no figures.
fn held_for_ever(id: ServerId, vitals: Vitals, far_jobs: usize) -> Option<String> {
    let Vitals { jobs, scheduled, watchers, storing, .. } = vitals;
    let jobs = jobs - scheduled.min(far_jobs);
    (jobs + watchers + storing > 0).then(|| {
        format!(
            "the {id} holds {jobs} jobs, {watchers} watchers and {storing} records that its store has not answered, though \
             all is done that anybody has asked for"
        )
    })
}

/// Whoever follows a run entry by entry.
pub type Watcher = Box<dyn FnMut(&Entry) + Send>;
