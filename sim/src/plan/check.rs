//! What a plan must hold beyond its types before it can be run.

use super::{Plan, PlanError};
use crate::faults::schedule::{Deed, Whom};
use crate::history::ServerId;
use crate::workload::{ActorPlan, Workload};
use gearman_protocol::FunctionName;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// turmoil walks all pairs of hosts for every host in every step: more of them only cost time.
const MOST_HOSTS: usize = 16;
/// Each has a host of its own.
const MOST_SERVERS: u8 = 4;
/// No number of a plan is greater, be it milliseconds, bytes or how often: an hour, or 3.6 megabytes.
const MOST: u64 = 3_600_000;
/// These may: any number will do for the one, and the other counts from 1970.
const UNBOUNDED: [&str; 2] = ["seed", "world.epoch_ms"];
/// The longest that a run may take in simulated time: some minutes of real time.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Refuses a plan with a number that is too great to be run to its end.
pub(super) fn numbers(json: &Value, path: &str) -> Result<(), PlanError> {
    let inside = |name: &str, value: &Value| {
        numbers(value, &if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") })
    };
    match json {
        Value::Number(number) if !UNBOUNDED.contains(&path) => match number.as_i64() {
            Some(small) if small.unsigned_abs() <= MOST => Ok(()),
            _ => Err(PlanError(format!("{path} is {number}; {MOST} is the most that can be run"))),
        },
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| inside(&index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| inside(name, field)),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

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
        self.server
            .config(ServerId::default())
            .check()
            .map_err(|error| PlanError(format!("server: {error}")))?;
        if let Some((class, rate)) = self.world.per_mille.iter().find(|&(_, &rate)| rate > 1000) {
            return refuse(format!("world.per_mille: {class} hits {rate} of 1000"));
        }
        if let Some(class) = self.world.per_mille.keys().find(|class| !class.has_a_rate()) {
            return refuse(format!(
                "world.per_mille speaks of {class}, which does not hit single reads, writes or records"
            ));
        }
        if self.hosts.is_empty() || self.hosts.len() > MOST_HOSTS {
            return refuse(format!("there are {} hosts; 1 to {MOST_HOSTS} can be run", self.hosts.len()));
        }
        if let Some(host) = self.hosts.iter().find(|host| host.latency_ms == 0) {
            return refuse(format!("the latency of host {} is 0; the least is 1 ms", host.name));
        }
        let names: BTreeSet<&str> = self.hosts.iter().map(|host| &*host.name).collect();
        let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        if names.len() < self.hosts.len()
            || names.iter().any(|name| name.is_empty() || name.starts_with("server") || !is_name(name))
        {
            return refuse(
                "each host needs a name of its own, of letters, digits and dashes, and none begins with server"
                    .to_owned(),
            );
        }
        for actor in 0..self.workload.actors.len() {
            let homes = self.hosts.iter().flat_map(|host| &host.actors);
            let count = homes.filter(|&&lodger| lodger as usize == actor).count();
            if count != 1 {
                return refuse(format!("actor {actor} lives on {count} hosts; it must be one"));
            }
        }
        self.check_workload(&self.workload)?;
        let longest = self.longest();
        if longest > LONGEST {
            let (longest, most) = (longest.as_secs(), LONGEST.as_secs());
            return refuse(format!(
                "it may take {longest} s of simulated time; {most} s can be run: make its times or lists shorter"
            ));
        }
        self.faults.iter().enumerate().try_for_each(|(index, fault)| {
            self.check_deed(&fault.deed).map_err(|what| PlanError(format!("faults[{index}]: {what}")))
        })
    }

    fn check_workload(&self, workload: &Workload) -> Result<(), PlanError> {
        if !(1..=MOST_SERVERS).contains(&workload.servers) {
            let servers = workload.servers;
            return Err(PlanError(format!("workload.servers is {servers}; 1 to {MOST_SERVERS} can be run")));
        }
        let knows_others = |actor: &ActorPlan| {
            actor.servers.is_empty() || actor.servers.iter().any(|&server| server >= workload.servers)
        };
        if let Some(actor) = workload.actors.iter().position(knows_others) {
            let servers = workload.servers;
            return Err(PlanError(format!(
                "actor {actor} must know at least one of the {servers} servers, and no other"
            )));
        }
        if workload.functions.is_empty() {
            return Err(PlanError("workload.functions is empty".to_owned()));
        }
        if let Some(name) = workload.functions.iter().find(|name| FunctionName::new((*name).clone()).is_err())
        {
            return Err(PlanError(format!("workload.functions: {name:?} is no function's name")));
        }
        let without = workload.submits().filter(|submit| submit.is_empty).count();
        if without > 1 {
            return Err(PlanError(format!(
                "{without} submits are empty, and nobody could tell their jobs from each other: at most one may be"
            )));
        }
        let empty = |actor: &ActorPlan| {
            let worker = actor.worker.as_ref();
            worker.is_some_and(|worker| {
                let lacks_habits =
                    worker.acts.is_empty() || worker.naps.is_empty() || worker.wakes.is_empty();
                lacks_habits || worker.capacity == 0
            })
        };
        match workload.actors.iter().position(empty) {
            Some(actor) => Err(PlanError(format!(
                "the worker of actor {actor} needs at least one act, nap, wake and job at a time"
            ))),
            None => Ok(()),
        }
    }

    fn check_deed(&self, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::Stall { whom, .. }
            | Deed::Dribble { whom, .. }
            | Deed::SlowReader { whom, .. }
            | Deed::HalfOpen { whom, .. }
            | Deed::Cut { whom, .. }
            | Deed::Door { whom, .. }
            | Deed::Leave { whom } => match whom {
                Whom::Mover => Ok(()),
                Whom::Actor(actor) => self.check_actor(*actor),
            },
            Deed::ClockStep { .. } => Ok(()),
            Deed::Overrun { actor, .. } | Deed::Impatience { actor, .. } => self.check_actor(*actor),
            Deed::Partition { hosts, server, .. } => {
                server.map_or(Ok(()), |server| self.check_server(server))?;
                hosts.iter().try_for_each(|host| self.check_host(*host))
            }
            Deed::ReconnectStorm { hosts, .. } => hosts.iter().try_for_each(|host| self.check_host(*host)),
            Deed::WorkerCrash { host, .. } | Deed::WorkerPause { host, .. } => self.check_host(*host),
            Deed::ServerPause { server, .. }
            | Deed::ServerCrash { server, .. }
            | Deed::ServerPowerLoss { server, .. }
            | Deed::ServerDrain { server, .. } => self.check_server(*server),
        }
    }

    fn check_server(&self, server: u8) -> Result<(), String> {
        let count = self.workload.servers;
        if server < count { Ok(()) } else { Err(format!("there is no server {server}: there are {count}")) }
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
