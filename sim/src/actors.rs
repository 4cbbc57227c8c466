//! The peers of a run: what plays each actor of the plan on its host.

mod library_client;
mod library_worker;
mod raw;

use crate::history::Actor;
use crate::network::SimNetwork;
use crate::plan::Plan;
use crate::workload::{ActorKind, Machine};
use gearman_protocol::FunctionName;
use library_client::LibraryClient;
use library_worker::LibraryWorker;
use raw::RawActor;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// An actor at play on its host, until the host dies.
pub(crate) type Playing = Pin<Box<dyn Future<Output = ()>>>;

/// One actor, which outlives the programs that play it.
#[derive(Clone)]
pub(crate) enum Role {
    /// A machine over bare frames.
    Raw(Rc<RawActor>),
    /// The client library's client.
    Client(Rc<LibraryClient>),
    /// The client library's worker.
    Worker(Rc<LibraryWorker>),
}

/// All actors of a workload, in order.
pub(crate) fn cast(plan: &Plan, submit_to_two: bool) -> Vec<Role> {
    let (workload, seed) = (&plan.workload, plan.seed);
    let functions: Rc<[FunctionName]> = crate::workload::content::function_names(&workload.functions).into();
    let machines = Machine::all(workload, plan.world.epoch_s()).into_iter();
    let actors = (0..).zip(&workload.actors).zip(machines);
    let play = actors.map(|((index, plan), machine)| match (plan.kind, &plan.worker) {
        (ActorKind::Raw, _) => Role::Raw(Rc::new(RawActor::new(Actor::new(index), machine))),
        (ActorKind::Library, None) => {
            let functions = Rc::clone(&functions);
            Role::Client(Rc::new(LibraryClient::new(index, plan.clone(), functions, submit_to_two)))
        }
        (ActorKind::Library, Some(worker)) => {
            let starts_ms = plan.starts_ms;
            Role::Worker(Rc::new(LibraryWorker::new(index, seed, starts_ms, worker.clone(), &functions)))
        }
    });
    play.collect()
}

impl Role {
    /// Starts it on the host that runs; it goes on with what an earlier life has left.
    pub(crate) fn play(&self, network: SimNetwork) -> Playing {
        match self {
            Self::Raw(raw) => Box::pin(raw::play(Rc::clone(raw), network)),
            Self::Client(client) => Box::pin(library_client::play(Rc::clone(client), network)),
            Self::Worker(worker) => Box::pin(library_worker::play(Rc::clone(worker), network)),
        }
    }

    /// Tells it that the storm is over; all but the core leave for good.
    pub(crate) fn storm_over(&self) {
        match self {
            Self::Raw(raw) => raw.storm_over(),
            Self::Client(client) => client.storm_over(),
            Self::Worker(worker) => worker.storm_over(),
        }
    }

    /// Makes a worker take so long for its next job.
    pub(crate) fn overrun(&self, takes_ms: u32) {
        match self {
            Self::Raw(raw) => raw.overrun(takes_ms),
            Self::Worker(worker) => worker.overrun(takes_ms),
            Self::Client(_) => {}
        }
    }

    /// Makes a client give its next call so little time.
    pub(crate) fn hurry(&self, within_ms: u32) {
        if let Self::Client(client) = self {
            client.hurry(within_ms);
        }
    }

    /// Whether it has nothing more to do.
    pub(crate) fn is_at_rest(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.is_at_rest(),
            Self::Client(client) => client.is_at_rest(),
            // A worker of the library cannot tell, and none is of the core.
            Self::Worker(_) => true,
        }
    }
}
