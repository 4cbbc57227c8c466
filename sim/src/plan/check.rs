//! What a plan must hold beyond its types before it can be run.

use super::{Plan, PlanError};
use crate::faults::schedule::{Deed, Whom};
use crate::workload::{ActorPlan, Workload};
use gearman_protocol::FunctionName;

/// turmoil walks all pairs of hosts for every host in every step: more of them only cost time.
const MOST_HOSTS: usize = 16;

impl Plan {
    /// Checks that a plan speaks only of what it has.
    pub(super) fn check(&self) -> Result<(), PlanError> {
        let refuse = |what: String| Err(PlanError(what));
        if !(1..=1000).contains(&self.world.tick_ms) {
            return refuse(format!("world.tick_ms is {}; 1 to 1000 can be run", self.world.tick_ms));
        }
        if self.world.window == 0 {
            return refuse("world.window is 0: no byte would ever pass".to_owned());
        }
        if let Some(class) = self.world.per_mille.keys().find(|class| !class.hits_single_writes()) {
            return refuse(format!(
                "world.per_mille speaks of {class}, which does not hit single reads or writes"
            ));
        }
        if self.hosts.is_empty() || self.hosts.len() > MOST_HOSTS {
            return refuse(format!("there are {} hosts; 1 to {MOST_HOSTS} can be run", self.hosts.len()));
        }
        if let Some(host) = self.hosts.iter().find(|host| host.latency_ms == 0) {
            return refuse(format!("the latency of host {} is 0; the least is 1 ms", host.name));
        }
        for actor in 0..self.workload.actors.len() {
            let homes = self.hosts.iter().flat_map(|host| &host.actors);
            let count = homes.filter(|&&lodger| lodger as usize == actor).count();
            if count != 1 {
                return refuse(format!("actor {actor} lives on {count} hosts; it must be one"));
            }
        }
        self.check_workload(&self.workload)?;
        self.faults.iter().enumerate().try_for_each(|(index, fault)| {
            self.check_deed(&fault.deed).map_err(|what| PlanError(format!("faults[{index}]: {what}")))
        })
    }

    fn check_workload(&self, workload: &Workload) -> Result<(), PlanError> {
        if workload.functions.is_empty() {
            return Err(PlanError("workload.functions is empty".to_owned()));
        }
        if let Some(name) = workload.functions.iter().find(|name| FunctionName::new((*name).clone()).is_err())
        {
            return Err(PlanError(format!("workload.functions: {name:?} is no function's name")));
        }
        let empty = |actor: &ActorPlan| {
            let worker = actor.worker.as_ref();
            worker.is_some_and(|worker| {
                worker.acts.is_empty() || worker.naps.is_empty() || worker.wakes.is_empty()
            })
        };
        match workload.actors.iter().position(empty) {
            Some(actor) => {
                Err(PlanError(format!("the worker of actor {actor} needs at least one act, nap and wake")))
            }
            None => Ok(()),
        }
    }

    fn check_deed(&self, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::Stall { whom, .. } | Deed::Leave { whom } => match whom {
                Whom::Mover => Ok(()),
                Whom::Actor(actor) => self.check_actor(*actor),
            },
            Deed::Overrun { actor, .. } | Deed::Impatience { actor, .. } => self.check_actor(*actor),
            Deed::Partition { hosts, .. } => hosts.iter().try_for_each(|host| self.check_host(*host)),
            Deed::WorkerCrash { host, .. } => self.check_host(*host),
            Deed::ServerCrash { .. } => Ok(()),
        }
    }

    fn check_actor(&self, actor: u32) -> Result<(), String> {
        let count = self.workload.actors.len();
        if (actor as usize) < count {
            Ok(())
        } else {
            Err(format!("there is no actor {actor}: there are {count}"))
        }
    }

    fn check_host(&self, host: u32) -> Result<(), String> {
        let count = self.hosts.len();
        if (1..=count).contains(&(host as usize)) {
            Ok(())
        } else {
            Err(format!("there is no host {host} to break: there are 1 to {count}"))
        }
    }
}
