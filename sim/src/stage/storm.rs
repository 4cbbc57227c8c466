//! The faults of a plan, as they happen between the steps of a simulation.

mod deeds;

use super::Happened;
use crate::faults::FaultClass;
use crate::faults::schedule::{Fault, Lanes, Outcome, Reception, When};
use crate::history::{Actor, Connection, ServerId};
use crate::lives::Stretch;
use crate::network::{CableId, Cables, Fate, NetworkState, Toward};
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
    /// Takes the power from a server's host.
    fn go_dark(&mut self, server: ServerId);
    /// Tells a server to end; within so long it must.
    fn drain(&mut self, server: ServerId) -> Duration;
    /// Whether it has, because it was told to.
    fn has_ended(&self, server: ServerId) -> bool;
    /// How many records the servers' stores were asked to keep.
    fn stored(&self) -> u64;
    /// Starts them again.
    fn restart(&mut self, host: usize);
    /// Makes them stand still until then.
    fn pause(&mut self, host: usize, until: Time);
    /// Lets them go on, unless they are to stand still for longer than this.
    fn resume(&mut self, host: usize, until: Time);
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
    is_calm: bool,
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
    Cable {
        id: CableId,
        lanes: Lanes,
        then: Outcome,
    },
    Paths {
        hosts: Vec<usize>,
        server: Option<ServerId>,
        lanes: Lanes,
        then: Outcome,
    },
    Slow {
        id: CableId,
        lanes: Lanes,
    },
    Forsaken(CableId),
    Door {
        actor: Actor,
        reception: Reception,
    },
    Paused(usize),
    Host(usize),
    /// It starts again so many milliseconds after its end.
    Drain {
        server: ServerId,
        down_ms: u32,
    },
}

impl<'a> Storm<'a> {
    pub(super) fn new(plan: &'a Plan, cables: Cables) -> Self {
        let to_come = plan.faults.iter().collect();
        let (ongoing, reached, happened) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { plan, cables, to_come, ongoing, reached, happened, is_calm: false }
    }

    /// The faults that happened, in order.
    pub(super) fn into_happened(self) -> Vec<Happened> {
        self.happened
    }

    /// Lets happen what shall happen now; whether the storm goes on after that.
    pub(super) fn rages(&mut self, now: Time, victims: &mut impl Victims) -> bool {
        let is_over = now >= Time::from_millis(self.plan.workload.storm_ms.into());
        if is_over && !self.is_calm {
            self.is_calm = true;
            self.calm(now, victims);
        }
        if is_over && self.ongoing.is_empty() {
            return false;
        }
        self.blow(now, victims);
        true
    }

    /// Everything that shall happen now, after the end of what has lasted long enough.
    fn blow(&mut self, now: Time, victims: &mut impl Victims) {
        self.cables.lock().step();
        self.see_who_has_left(now, victims);
        let over: Vec<Ongoing> = self.ongoing.extract_if(.., |one| one.until <= now).collect();
        for one in over {
            self.end(one, victims);
        }
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

    /// Servers that have ended as they were told are down for a while; who has died meanwhile need not end.
    fn see_who_has_left(&mut self, now: Time, victims: &mut impl Victims) {
        let plan = self.plan;
        let is_over = |one: &mut Ongoing| {
            matches!(one.what, Lasting::Drain { server, .. }
                if victims.has_ended(server) || !victims.is_up(plan.host_of(server)))
        };
        let over: Vec<Ongoing> = self.ongoing.extract_if(.., is_over).collect();
        for one in over {
            let Lasting::Drain { server, down_ms } = one.what else { continue };
            let host = plan.host_of(server);
            if victims.is_up(host) {
                victims.crash(host);
                let (until, what) = (now + Duration::from_millis(down_ms.into()), Lasting::Host(host));
                self.ongoing.push(Ongoing { until, what, ..one });
            }
        }
    }

    /// Nothing more happens, and everything that lasts ends; only who was told to end may take the time for it.
    fn calm(&mut self, now: Time, victims: &mut impl Victims) {
        self.to_come.clear();
        // Who was told to end and has died is about to start again, and need not end then.
        self.see_who_has_left(now, victims);
        let ends = |one: &mut Ongoing| !matches!(one.what, Lasting::Drain { .. });
        let over: Vec<Ongoing> = self.ongoing.extract_if(.., ends).collect();
        over.into_iter().for_each(|one| self.end(one, victims));
    }

    fn is_told_to_end(&self, whom: ServerId) -> bool {
        self.ongoing.iter().any(|one| matches!(one.what, Lasting::Drain { server, .. } if server == whom))
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

    fn lasts(&mut self, until: Time, class: FaultClass, what: Lasting) {
        self.cables.lock().journal().happened(class);
        let has_bitten = self.touches(class, &what);
        self.ongoing.push(Ongoing { until, class, has_bitten, what });
    }

    /// Counts the jobs it touches now; says whether there are any.
    fn touches(&self, class: FaultClass, what: &Lasting) -> bool {
        let mut state = self.cables.lock();
        let ids = match what {
            Lasting::Cable { id, .. } | Lasting::Slow { id, .. } | Lasting::Forsaken(id) => vec![*id],
            Lasting::Door { actor, .. } => state.of_actor(*actor).into_iter().collect(),
            Lasting::Paths { hosts, server, .. } => state.of_paths(hosts, *server),
            Lasting::Host(host) | Lasting::Paused(host) => match state.server_at(*host) {
                Some(server) => return state.journal().touched_all(class, server),
                None => state.of_paths(&[*host], None),
            },
            Lasting::Drain { server, .. } => return state.journal().touched_all(class, *server),
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
            Lasting::Paths { hosts, server, lanes, then } => {
                let ids = self.cables.lock().of_paths(&hosts, server);
                self.sever_if(then, &ids);
                self.for_paths(&hosts, server, lanes, NetworkState::unblock);
            }
            Lasting::Slow { id, lanes } => self.for_lanes(id, lanes, NetworkState::speed_up),
            Lasting::Forsaken(id) => self.cables.lock().sever(id, Fate::Broken),
            Lasting::Door { actor, reception } => self.cables.lock().reopen(actor, reception),
            Lasting::Paused(host) => victims.resume(host, one.until),
            Lasting::Host(host) => victims.restart(host),
            Lasting::Drain { server, .. } => panic!("the {server} was told to end and has not"),
        }
    }

    fn sever_if(&self, then: Outcome, ids: &[CableId]) {
        if then == Outcome::Breaks {
            let mut state = self.cables.lock();
            ids.iter().for_each(|&id| state.sever(id, Fate::Broken));
        }
    }

    fn for_lanes(&self, id: CableId, lanes: Lanes, act: impl Fn(&mut NetworkState, CableId, Toward)) {
        let mut state = self.cables.lock();
        toward(lanes).iter().for_each(|&toward| act(&mut state, id, toward));
    }

    fn for_paths(
        &self,
        hosts: &[usize],
        server: Option<ServerId>,
        lanes: Lanes,
        act: fn(&mut NetworkState, usize, ServerId, Toward),
    ) {
        let mut state = self.cables.lock();
        let all = state.servers().all().filter(|&one| server.is_none_or(|only| only == one));
        for server in all {
            for &host in hosts {
                toward(lanes).iter().for_each(|&toward| act(&mut state, host, server, toward));
            }
        }
    }

    fn host(&self, host: usize) -> String {
        match self.cables.lock().server_at(host) {
            Some(server) => format!("the {server}"),
            None => self.plan.hosts[host - 1].name.clone(),
        }
    }
}

pub(crate) const fn toward(lanes: Lanes) -> &'static [Toward] {
    match lanes {
        Lanes::ToServer => &[Toward::Server],
        Lanes::FromServer => &[Toward::Peer],
        Lanes::Both => &[Toward::Server, Toward::Peer],
    }
}
