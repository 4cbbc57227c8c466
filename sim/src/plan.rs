//! A bad day as plain data: what a seed means, and what can be saved, edited and run again.

mod check;
mod draw;
mod mix;
mod read;
mod sketch;
mod wall;

pub use mix::Mix;
pub use read::PlanError;
pub(crate) use sketch::Sketch;
pub use wall::Wall;
pub(crate) use wall::{LATE, back};

use crate::faults::FaultClass;
use crate::faults::schedule::Fault;
use crate::history::ServerId;
use crate::lives::Lives;
use crate::workload::{Knobs, SOON_S, Workload};
use gearman_protocol::{Time, UnixMillis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;

/// Everything that decides what happens in a run, the server's code apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`VERSION`].
    pub version: u32,
    /// The seed it was drawn from; draws that are made while it runs follow from it too.
    pub seed: u64,
    /// Time and the network.
    pub world: World,
    /// How each server is set up.
    pub server: Knobs,
    /// The hosts besides those of the servers: host 1 is the first one here.
    pub hosts: Vec<Host>,
    /// What the actors do.
    pub workload: Workload,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
}

/// Time and the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// How long a step of the simulation is, in milliseconds: 1 to 1000.
    pub tick_ms: u32,
    /// How many bytes may be on their way in one direction of a connection.
    pub window: u32,
    /// What the wall clock says at the start, in milliseconds since 1970.
    pub epoch_ms: i64,
    /// How many of a thousand are hit: reads or writes by short-read, split-write and merge-write; records by
    /// store-slow, store-fail and store-reorder; losses of power by store-lost and store-torn.
    pub per_mille: BTreeMap<FaultClass, u32>,
}

/// A host besides the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its name in traces.
    pub name: String,
    /// How long bytes travel between it and the server, in milliseconds.
    pub latency_ms: u32,
    /// Who lives there, by index into the workload's actors.
    pub actors: Vec<u32>,
}

impl World {
    /// What the wall clock says at the start, in whole seconds since 1970.
    #[must_use]
    pub const fn epoch_s(&self) -> i64 {
        self.epoch_ms.div_euclid(1000)
    }

    /// A step of the simulation.
    #[must_use]
    pub fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms.into())
    }
}

impl Plan {
    /// For how long something that follows at once from something else may be under way on a network without
    /// faults: there and back on the slowest path, and the ticks in which hosts take their turns.
    #[must_use]
    pub fn slack(&self) -> Duration {
        let slowest = self.hosts.iter().map(|host| host.latency_ms).max().unwrap_or(0);
        Duration::from_millis(2 * u64::from(slowest) + 4 * u64::from(self.world.tick_ms))
    }

    /// How long the core may take for what a storm can leave: every job once over, each step of every client, and
    /// each wait that the server's configuration allows.
    pub(crate) fn settles_within(&self) -> Duration {
        let jobs = self.workload.actors.iter().map(|actor| actor.steps.len()).sum::<usize>();
        let waits = Duration::from_millis(self.server.wakeup_timeout_ms.into());
        let each = self.workload.longest_act() + 6 * self.slack() + waits;
        let storm_ends = Time::from_millis(self.workload.storm_ms.into());
        let waits_for_later = self.rests_until().max(storm_ends) - storm_ends;
        each * u32::try_from(jobs).unwrap_or(u32::MAX) + self.workload.longest_errands() + waits_for_later
    }

    /// No run is over before this: what is for later, but not far away, is done by then, or has been forgotten.
    pub(crate) fn rests_until(&self) -> Time {
        let wall = Wall::of(self);
        let moment = |after_s: u32| UnixMillis::new(1000 * (self.world.epoch_s() + i64::from(after_s)));
        let near =
            self.workload.submits().filter_map(|submit| submit.epoch_s.filter(|&after| after <= SOON_S));
        near.map(|after_s| wall.overdue(moment(after_s), self.slack())).max().unwrap_or(Time::ZERO)
    }

    /// The longest that it can take, in simulated time.
    fn longest(&self) -> Duration {
        Duration::from_millis(self.workload.storm_ms.into()) + self.settles_within()
    }

    /// The number of the host on which a server lives: that of the first is 0, and those of the others come after
    /// all hosts of the plan.
    pub(crate) fn host_of(&self, server: ServerId) -> usize {
        if server.index() == 0 { 0 } else { self.hosts.len() + server.index() }
    }

    /// What a server draws from while it runs: none draws what another does.
    pub(crate) fn seed_of(&self, server: ServerId) -> u64 {
        self.seed ^ (server.index() as u64) << 56
    }

    /// No job's life yet, under this plan's server.
    pub(crate) fn lives(&self) -> Lives {
        Lives::new(Duration::from_millis(self.server.min_job_timeout_ms.into()), self.world.epoch_s())
    }
}
