//! What each fault does, and how that is said.

use super::{Lasting, Storm, Victims};
use crate::faults::FaultClass;
use crate::faults::schedule::{Deed, Fault, Lanes, Outcome, Whom};
use crate::history::{Actor, ServerId};
use crate::network::{CableId, Fate, NetworkState, Pace};
use gearman_protocol::Time;
use std::time::Duration;

impl Storm<'_> {
    /// Says in words what has happened; nothing if there is nobody to whom it could.
    pub(super) fn happen(
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
            Deed::Partition { hosts, server, lanes, for_ms, then } => {
                let hosts: Vec<usize> = hosts.iter().map(|&host| host as usize).collect();
                let (server, lanes, then) = (server.map(ServerId::new), *lanes, *then);
                self.for_paths(&hosts, server, lanes, NetworkState::block);
                let at = server.map_or_else(String::new, |server| format!(" at the {server}"));
                let what = format!("{}{at}, {} for {for_ms} ms", self.hosts(&hosts), words(lanes));
                self.lasts(until(*for_ms), class, Lasting::Paths { hosts, server, lanes, then });
                Some(what)
            }
            Deed::Dribble { whom, lanes, bytes, for_ms } => {
                let id = self.cable(*whom, mover)?;
                let bytes = *bytes as usize;
                let pace = Pace { bytes, every: 1, window: usize::MAX, left: 0, wait: 1 };
                self.slow_down(id, *lanes, pace, (until(*for_ms), class));
                Some(format!("{}, {bytes} bytes at a time for {for_ms} ms", self.name(id)))
            }
            Deed::SlowReader { whom, bytes, every, window, for_ms } => {
                let id = self.cable(*whom, mover)?;
                let (bytes, window) = (*bytes as usize, *window as usize);
                let pace = Pace { bytes, every: *every, window, left: 0, wait: *every };
                self.slow_down(id, Lanes::FromServer, pace, (until(*for_ms), class));
                Some(format!("{} takes {bytes} bytes in {every} ticks for {for_ms} ms", self.name(id)))
            }
            Deed::HalfOpen { whom, for_ms } => {
                let id = self.cable(*whom, mover)?;
                self.lasts(until(*for_ms), class, Lasting::Forsaken(id));
                self.cables.lock().forsake(id);
                Some(format!("{}; the server is told after {for_ms} ms", self.name(id)))
            }
            Deed::Cut { whom, lanes, last } => {
                let id = self.cable(*whom, mover)?;
                self.for_lanes(id, *lanes, |state, id, toward| state.cut_next(id, toward, *last));
                Some(format!("{}, in the next message {}", self.name(id), whither(*lanes)))
            }
            Deed::Door { whom, reception, for_ms } => {
                let (actor, reception) = (self.actor(*whom, mover)?, *reception);
                let id = self.cables.lock().of_actor(actor);
                self.lasts(until(*for_ms), class, Lasting::Door { actor, reception });
                self.cables.lock().shut(actor, reception);
                self.sever_if(Outcome::Breaks, id.as_slice());
                Some(format!("{actor}, for {for_ms} ms"))
            }
            Deed::ReconnectStorm { hosts, for_ms } => {
                let hosts: Vec<usize> = hosts.iter().map(|&host| host as usize).collect();
                let ids = self.cables.lock().of_paths(&hosts, None);
                let what = format!("{}, which dial after {for_ms} ms", self.hosts(&hosts));
                self.for_paths(&hosts, None, Lanes::Both, NetworkState::block);
                let (server, lanes, then) = (None, Lanes::Both, Outcome::Heals);
                self.lasts(until(*for_ms), class, Lasting::Paths { hosts, server, lanes, then });
                self.sever_if(Outcome::Breaks, &ids);
                Some(what)
            }
            Deed::ServerPause { server, for_ms } => {
                self.pause(self.plan.host_of(ServerId::new(*server)), until(*for_ms), class, victims)
            }
            Deed::WorkerPause { host, for_ms } => self.pause(*host as usize, until(*for_ms), class, victims),
            Deed::ServerCrash { server, down_ms } => {
                let host = self.plan.host_of(ServerId::new(*server));
                self.crash(host, until(*down_ms), class, victims, |victims| victims.crash(host))
            }
            Deed::ServerPowerLoss { server, down_ms } => {
                let (server, host) = (ServerId::new(*server), self.plan.host_of(ServerId::new(*server)));
                self.crash(host, until(*down_ms), class, victims, |victims| victims.go_dark(server))
            }
            Deed::ServerDrain { server, down_ms } => {
                let (server, down_ms) = (ServerId::new(*server), *down_ms);
                if !victims.is_up(self.plan.host_of(server)) || self.is_told_to_end(server) {
                    return None;
                }
                let longest = now + victims.drain(server);
                self.lasts(longest, class, Lasting::Drain { server, down_ms });
                Some(format!("the {server}, back {down_ms} ms after its end"))
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
            Deed::ClockStep { by_ms } => {
                self.cables.lock().journal().clock_was_set();
                Some(format!("by {by_ms} ms"))
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

    fn pause(
        &mut self,
        host: usize,
        until: Time,
        class: FaultClass,
        victims: &mut impl Victims,
    ) -> Option<String> {
        if !victims.is_up(host) {
            return None;
        }
        self.lasts(until, class, Lasting::Paused(host));
        victims.pause(host, until);
        Some(format!("{}, until {} ms", self.host(host), until.as_millis()))
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

    fn cable(&self, whom: Whom, mover: Option<CableId>) -> Option<CableId> {
        match whom {
            Whom::Mover => mover,
            Whom::Actor(actor) => self.cables.lock().of_actor(Actor::new(actor)),
        }
    }

    fn actor(&self, whom: Whom, mover: Option<CableId>) -> Option<Actor> {
        match whom {
            Whom::Mover => self.cables.lock().connection(mover?).map(|(_, actor)| actor),
            Whom::Actor(actor) => Some(Actor::new(actor)),
        }
    }

    fn slow_down(&mut self, id: CableId, lanes: Lanes, pace: Pace, (until, class): (Time, FaultClass)) {
        self.lasts(until, class, Lasting::Slow { id, lanes });
        self.for_lanes(id, lanes, |state, id, toward| state.slow_down(id, toward, pace));
    }

    fn hosts(&self, hosts: &[usize]) -> String {
        let names: Vec<String> = hosts.iter().map(|&host| self.host(host)).collect();
        names.join(" and ")
    }

    fn name(&self, id: CableId) -> String {
        let connection = self.cables.lock().connection(id);
        connection
            .map_or_else(|| "nobody".to_owned(), |(connection, actor)| format!("{connection} of {actor}"))
    }
}

const fn words(lanes: Lanes) -> &'static str {
    match lanes {
        Lanes::ToServer => "nothing to the server",
        Lanes::FromServer => "nothing from the server",
        Lanes::Both => "nothing either way",
    }
}

const fn whither(lanes: Lanes) -> &'static str {
    match lanes {
        Lanes::ToServer => "to the server",
        Lanes::FromServer => "from the server",
        Lanes::Both => "either way",
    }
}
