//! The faults of a plan, as they happen between the steps of a simulation.

use super::Happened;
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, Lanes, Outcome, When, Whom};
use crate::history::{Actor, Connection};
use crate::lives::Stretch;
use crate::network::{CableId, Cables, Fate, NetworkState, SERVER, Toward};
use crate::plan::Plan;
use gearman_protocol::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a fault does to the hosts and actors, which are not the network's.
pub(super) trait Victims {
    /// Whether the programs of a host are alive.
    fn is_up(&self, host: usize) -> bool;
    /// Kills them.
    fn crash(&mut self, host: usize);
    /// Takes the power from the server's host.
    fn go_dark(&mut self);
    /// How many records the server's store was asked to keep.
    fn stored(&self) -> u64;
    /// Starts them again.
    fn restart(&mut self, host: usize);
    /// Makes a worker take so long for its next job.
    fn overrun(&mut self, actor: u32, takes_ms: u32);
    /// Makes a client give its next call so little time.
    fn hurry(&mut self, actor: u32, within_ms: u32);
}

pub(super) struct Storm<'a> {
    plan: &'a Plan,
    cables: Cables,
    to_come: Vec<&'a Fault>,
    ongoing: Vec<Ongoing>,
    /// How many jobs have come to each stretch of their lives.
    reached: BTreeMap<Stretch, u32>,
    happened: Vec<Happened>,
}

/// A fault that lasts.
struct Ongoing {
    until: Time,
    class: FaultClass,
    has_bitten: bool,
    what: Lasting,
}

/// What stands still, or is down.
enum Lasting {
    Cable { id: CableId, lanes: Lanes, then: Outcome },
    Paths { hosts: Vec<usize>, lanes: Lanes, then: Outcome },
    Host(usize),
}

impl<'a> Storm<'a> {
    pub(super) fn new(plan: &'a Plan, cables: Cables) -> Self {
        let to_come = plan.faults.iter().collect();
        Self { plan, cables, to_come, ongoing: Vec::new(), reached: BTreeMap::new(), happened: Vec::new() }
    }

    /// The faults that happened, in order.
    pub(super) fn into_happened(self) -> Vec<Happened> {
        self.happened
    }

    /// Everything that shall happen now, after the end of what has lasted long enough.
    pub(super) fn blow(&mut self, now: Time, victims: &mut impl Victims) {
        let over: Vec<Ongoing> = self.ongoing.extract_if(.., |one| one.until <= now).collect();
        over.into_iter().for_each(|one| self.end(one, victims));
        let moves = self.cables.lock().journal().take_moves();
        for (stretch, connection) in moves {
            self.moved(now, stretch, connection, victims);
        }
        let is_due = |fault: &Fault| matches!(fault.when, When::At(ms) if u64::from(ms) <= now.as_millis());
        self.happen_all(now, is_due, None, victims);
        let stored = victims.stored();
        let is_stored =
            |fault: &Fault| matches!(fault.when, When::Storing { nth } if u64::from(nth) <= stored);
        self.happen_all(now, is_stored, None, victims);
    }

    /// Ends everything that lasts; nothing more happens.
    pub(super) fn calm(&mut self, victims: &mut impl Victims) {
        self.to_come.clear();
        std::mem::take(&mut self.ongoing).into_iter().for_each(|one| self.end(one, victims));
    }

    /// A job has come to a stretch of its life: some faults wait for that.
    fn moved(&mut self, now: Time, to: Stretch, connection: Connection, victims: &mut impl Victims) {
        let Some((mover, actor)) = self.cables.lock().of_connection(connection) else { return };
        if self.plan.workload.actors[actor.index()].core {
            return;
        }
        let count = self.reached.entry(to).or_default();
        *count += 1;
        let reached = When::Reached { stretch: to, nth: *count };
        self.happen_all(now, |fault| fault.when == reached, Some(mover), victims);
    }

    fn happen_all(
        &mut self,
        now: Time,
        is_due: impl Fn(&Fault) -> bool,
        mover: Option<CableId>,
        victims: &mut impl Victims,
    ) {
        let due: Vec<&Fault> = self.to_come.extract_if(.., |fault| is_due(fault)).collect();
        for fault in due {
            if let Some(what) = self.happen(now, fault, mover, victims) {
                self.happened.push(Happened { at: now, class: fault.deed.class(), what });
            }
        }
    }

    /// Says in words what has happened; nothing if there is nobody to whom it could.
    fn happen(
        &mut self,
        now: Time,
        fault: &Fault,
        mover: Option<CableId>,
        victims: &mut impl Victims,
    ) -> Option<String> {
        let class = fault.deed.class();
        let until = |ms: u32| now + Duration::from_millis(ms.into());
        match &fault.deed {
            Deed::Stall { whom, lanes, for_ms, then } => {
                let id = self.cable(*whom, mover)?;
                self.for_lanes(id, *lanes, NetworkState::stall);
                let (lanes, then) = (*lanes, *then);
                self.lasts(until(*for_ms), class, Lasting::Cable { id, lanes, then });
                Some(format!("{}, {} for {for_ms} ms", self.name(id), words(lanes)))
            }
            Deed::Partition { hosts, lanes, for_ms, then } => {
                let hosts: Vec<usize> = hosts.iter().map(|&host| host as usize).collect();
                self.for_paths(&hosts, *lanes, NetworkState::block);
                let names: Vec<&str> = hosts.iter().map(|&host| self.host(host)).collect();
                let what = format!("{}, {} for {for_ms} ms", names.join(" and "), words(*lanes));
                let (lanes, then) = (*lanes, *then);
                self.lasts(until(*for_ms), class, Lasting::Paths { hosts, lanes, then });
                Some(what)
            }
            Deed::ServerCrash { down_ms } => {
                self.crash(SERVER, until(*down_ms), class, victims, |victims| victims.crash(SERVER))
            }
            Deed::ServerPowerLoss { down_ms } => {
                self.crash(SERVER, until(*down_ms), class, victims, Victims::go_dark)
            }
            Deed::WorkerCrash { host, down_ms } => {
                let host = *host as usize;
                self.crash(host, until(*down_ms), class, victims, |victims| victims.crash(host))
            }
            Deed::Leave { whom } => {
                let id = self.cable(*whom, mover)?;
                self.cables.lock().sever(id, Fate::Left);
                Some(self.name(id))
            }
            Deed::Overrun { actor, takes_ms } => {
                victims.overrun(*actor, *takes_ms);
                Some(format!("a{actor} takes {takes_ms} ms for its next job"))
            }
            Deed::Impatience { actor, within_ms } => {
                victims.hurry(*actor, *within_ms);
                Some(format!("a{actor} waits {within_ms} ms for its next call"))
            }
        }
    }

    fn crash<V: Victims>(
        &mut self,
        host: usize,
        until: Time,
        class: FaultClass,
        victims: &mut V,
        kill: impl FnOnce(&mut V),
    ) -> Option<String> {
        if !victims.is_up(host) {
            return None;
        }
        // It touches what is there before it happens.
        self.lasts(until, class, Lasting::Host(host));
        kill(victims);
        Some(format!("{}, back at {} ms", self.host(host), until.as_millis()))
    }

    fn lasts(&mut self, until: Time, class: FaultClass, what: Lasting) {
        self.cables.lock().journal().happened(class);
        let has_bitten = self.touches(class, &what);
        self.ongoing.push(Ongoing { until, class, has_bitten, what });
    }

    /// Counts the jobs it touches now; says whether there are any.
    fn touches(&self, class: FaultClass, what: &Lasting) -> bool {
        let mut state = self.cables.lock();
        let ids = match what {
            Lasting::Host(SERVER) => return state.journal().touched_all(class),
            Lasting::Cable { id, .. } => vec![*id],
            Lasting::Paths { hosts, .. } => state.of_hosts(hosts),
            Lasting::Host(host) => state.of_hosts(&[*host]),
        };
        state.touched(class, &ids)
    }

    fn end(&self, one: Ongoing, victims: &mut impl Victims) {
        if !one.has_bitten {
            // Whatever was begun meanwhile had to wait.
            self.touches(one.class, &one.what);
        }
        match one.what {
            Lasting::Cable { id, lanes, then } => {
                self.sever_if(then, &[id]);
                self.for_lanes(id, lanes, NetworkState::release);
            }
            Lasting::Paths { hosts, lanes, then } => {
                let ids = self.cables.lock().of_hosts(&hosts);
                self.sever_if(then, &ids);
                self.for_paths(&hosts, lanes, NetworkState::unblock);
            }
            Lasting::Host(host) => victims.restart(host),
        }
    }

    fn sever_if(&self, then: Outcome, ids: &[CableId]) {
        if then == Outcome::Breaks {
            let mut state = self.cables.lock();
            ids.iter().for_each(|&id| state.sever(id, Fate::Broken));
        }
    }

    fn for_lanes(&self, id: CableId, lanes: Lanes, act: fn(&mut NetworkState, CableId, Toward)) {
        let mut state = self.cables.lock();
        toward(lanes).iter().for_each(|&toward| act(&mut state, id, toward));
    }

    fn for_paths(&self, hosts: &[usize], lanes: Lanes, act: fn(&mut NetworkState, usize, Toward)) {
        let mut state = self.cables.lock();
        for &host in hosts {
            toward(lanes).iter().for_each(|&toward| act(&mut state, host, toward));
        }
    }

    fn cable(&self, whom: Whom, mover: Option<CableId>) -> Option<CableId> {
        match whom {
            Whom::Mover => mover,
            Whom::Actor(actor) => self.cables.lock().of_actor(Actor::new(actor)),
        }
    }

    fn name(&self, id: CableId) -> String {
        let connection = self.cables.lock().connection(id);
        connection
            .map_or_else(|| "nobody".to_owned(), |(connection, actor)| format!("{connection} of {actor}"))
    }

    fn host(&self, host: usize) -> &str {
        host.checked_sub(1).map_or("the server", |index| &self.plan.hosts[index].name)
    }
}

const fn toward(lanes: Lanes) -> &'static [Toward] {
    match lanes {
        Lanes::ToServer => &[Toward::Server],
        Lanes::FromServer => &[Toward::Peer],
        Lanes::Both => &[Toward::Server, Toward::Peer],
    }
}

const fn words(lanes: Lanes) -> &'static str {
    match lanes {
        Lanes::ToServer => "nothing to the server",
        Lanes::FromServer => "nothing from the server",
        Lanes::Both => "nothing either way",
    }
}
