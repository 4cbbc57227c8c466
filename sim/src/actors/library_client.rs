//! A client as the client library makes them: what programs that use it do to a server.

use crate::faults::FaultClass;
use crate::network::{SERVER_ADDRESS, SimNetwork, now};
use crate::workload::{ActorPlan, Op, PriorityPlan, SubmitPlan, Then, UniquePlan, Which, content};
use bytes::Bytes;
use gearman_client::{Client, Error, Handle, Priority, Reach};
use gearman_protocol::{FunctionName, Time};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long a client waits for an answer when its plan does not say, in milliseconds.
const PATIENCE_MS: u32 = 2000;
/// After how long it connects again when the connection is lost, in milliseconds.
const RETRY_MS: u32 = 40;
/// How many of its own jobs it remembers.
const REMEMBERED: usize = 16;

/// What outlives the program: how far it has come.
pub(crate) struct LibraryClient {
    index: u32,
    plan: ActorPlan,
    functions: Rc<[FunctionName]>,
    next: Cell<usize>,
    /// Whether the step before the next one is over.
    idle: Cell<bool>,
    hurry: Cell<Option<u32>>,
    is_over: Cell<bool>,
    over: Notify,
    /// A sabotage: another server is asked for everything as well.
    submit_to_two: bool,
}

impl LibraryClient {
    pub(super) fn new(
        index: u32,
        plan: ActorPlan,
        functions: Rc<[FunctionName]>,
        submit_to_two: bool,
    ) -> Self {
        Self {
            submit_to_two,
            index,
            plan,
            functions,
            next: Cell::new(0),
            idle: Cell::new(true),
            hurry: Cell::new(None),
            is_over: Cell::new(false),
            over: Notify::new(),
        }
    }

    pub(super) fn storm_over(&self) {
        if !self.plan.core {
            self.is_over.set(true);
            self.over.notify_one();
        }
    }

    pub(super) fn hurry(&self, within_ms: u32) {
        self.hurry.set(Some(within_ms));
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.is_over.get() || self.next.get() >= self.plan.steps.len() && self.idle.get()
    }
}

/// Plays it on the host that runs, for ever.
pub(super) async fn play(role: Rc<LibraryClient>, network: SimNetwork) {
    role.idle.set(true);
    sleep(Time::from_millis(role.plan.starts_ms.into()) - now()).await;
    while !role.is_over.get() {
        let back_ms = tokio::select! {
            biased;
            () = role.over.notified() => None,
            back_ms = stay(&role, &network) => back_ms,
        };
        match back_ms {
            Some(back_ms) => sleep(Duration::from_millis(back_ms.into())).await,
            None => break,
        }
    }
    std::future::pending().await
}

/// Does steps over one connection; says after how long to come back, if at all.
async fn stay(role: &Rc<LibraryClient>, network: &SimNetwork) -> Option<u32> {
    let reach = Reach { connect_timeout: Duration::from_secs(60), liveness: None };
    let Ok(client) = Client::connect_with(network, SERVER_ADDRESS, &reach).await else {
        return Some(RETRY_MS);
    };
    let mut visit = Visit {
        role: Rc::clone(role),
        network: network.clone(),
        client,
        own: Rc::default(),
        side: JoinSet::new(),
    };
    loop {
        let number = role.next.get();
        let Some(step) = role.plan.steps.get(number) else {
            // Who still waits for a job goes on waiting.
            while visit.side.join_next().await.is_some() {}
            return std::future::pending().await;
        };
        sleep(Duration::from_millis(step.after_ms.into())).await;
        role.next.set(number + 1);
        role.idle.set(false);
        let outcome = visit.perform(number, &step.op).await;
        role.idle.set(true);
        match outcome {
            Outcome::Stay => {}
            Outcome::Leave { back_ms } => return back_ms,
        }
    }
}

enum Outcome {
    Stay,
    Leave { back_ms: Option<u32> },
}

/// One connection of a client.
struct Visit {
    role: Rc<LibraryClient>,
    network: SimNetwork,
    client: Client,
    /// The latest own jobs, the latest last.
    own: Rc<RefCell<Vec<Handle>>>,
    /// Calls that nobody waits for before the next step; they end with the connection.
    side: JoinSet<()>,
}

impl Visit {
    async fn perform(&mut self, number: usize, op: &Op) -> Outcome {
        while self.side.try_join_next().is_some() {}
        let deadline = self.role.hurry.take();
        let client = self.client.with_deadline(Duration::from_millis(deadline.unwrap_or(PATIENCE_MS).into()));
        let answered = match op {
            Op::Submit(plan) => self.submit(number, plan, deadline).await,
            Op::Status(which) => client.status(&self.handle(*which)).await.map(drop),
            Op::StatusUnique(number) => {
                let unique = content::unique(UniquePlan::Shared(*number), 0, 0);
                client.status_by_unique(unique.to_bytes()).await.map(drop)
            }
            Op::Echo(size) => {
                let data = content::filled(&format!("echo-{}.{number}", self.role.index), *size);
                client.echo(data).await.map(drop)
            }
            Op::Exceptions => client.option("exceptions").await,
            Op::Leave { back_ms } | Op::HalfClose { back_ms } => return Outcome::Leave { back_ms: *back_ms },
            // The library has no words for the rest, and plans for it do not ask for them.
            Op::UnknownOption
            | Op::SetClientId
            | Op::AllYours
            | Op::Meddle(..)
            | Op::CanDo(_)
            | Op::CantDo(_)
            | Op::Admin(_)
            | Op::Hostile(_) => Ok(()),
        };
        self.after(answered)
    }

    /// What a call's end means for the connection.
    fn after(&self, answered: Result<(), Error>) -> Outcome {
        match answered {
            Err(Error::Lost(_) | Error::Connect(_)) => Outcome::Leave { back_ms: Some(RETRY_MS) },
            Err(Error::Deadline) => {
                self.network.bit(FaultClass::CallTimeout);
                Outcome::Stay
            }
            Ok(())
            | Err(
                Error::Unanswered
                | Error::Refused { .. }
                | Error::Argument(_)
                | Error::Failed
                | Error::Exception(_),
            ) => Outcome::Stay,
        }
    }

    async fn submit(&mut self, number: usize, plan: &SubmitPlan, deadline: Option<u32>) -> Result<(), Error> {
        let within = match (deadline, plan.then) {
            (Some(deadline), _) => Some(deadline),
            (None, Then::Ended(patience)) => Some(patience),
            (None, Then::Created) => Some(PATIENCE_MS),
            (None, Then::Nothing) => None,
        };
        let waits_for_the_end = matches!(plan.then, Then::Ended(_));
        let client = match within {
            Some(within) => self.client.with_deadline(Duration::from_millis(within.into())),
            None => self.client.clone(),
        };
        let index = self.role.index;
        let function = self.role.functions[usize::from(plan.function) % self.role.functions.len()].to_bytes();
        let (unique, workload) =
            (content::unique(plan.unique, index, number), content::workload(plan, index, number));
        if self.role.submit_to_two {
            self.submit_elsewhere(function.clone(), workload.clone());
        }
        let (priority, background, own) = (priority(plan.priority), plan.background, Rc::clone(&self.own));
        let call = async move {
            let job = client.job(function, workload).unique(unique.to_bytes()).priority(priority);
            if background {
                remember(&own, &job.background().await?);
                return Ok(None);
            }
            if waits_for_the_end {
                return job.run().await.map(|_| None);
            }
            let watcher = job.submit().await?;
            remember(&own, watcher.handle());
            Ok(Some(watcher))
        };
        if within.is_none() {
            self.side.spawn_local(async move {
                if let Ok(Some(watcher)) = call.await {
                    let _ = watcher.result().await;
                }
            });
            // The next step is another call: this one is written before it.
            tokio::task::yield_now().await;
            return Ok(());
        }
        if let Some(watcher) = call.await? {
            self.side.spawn_local(async move {
                let _ = watcher.result().await;
            });
        }
        Ok(())
    }

    /// Asks another server for the same, and does not wait for it.
    fn submit_elsewhere(&mut self, function: Bytes, workload: Bytes) {
        let Some(server) = self.network.another().filter(|_| self.role.plan.servers.len() > 1) else {
            return;
        };
        let network = self.network.to(server);
        self.side.spawn_local(async move {
            if let Ok(client) = Client::connect(&network, SERVER_ADDRESS).await {
                let _ = client.job(function, workload).background().await;
            }
        });
    }

    fn handle(&self, which: Which) -> Handle {
        let own = self.own.borrow();
        let index = match which {
            Which::Own(back) => own.len().checked_sub(1 + usize::from(back)),
            Which::Near(_) | Which::Nobody => None,
        };
        index.map_or_else(|| Handle::new("H:nobody:1"), |index| own[index].clone())
    }
}

fn remember(own: &RefCell<Vec<Handle>>, handle: &Handle) {
    let mut own = own.borrow_mut();
    if own.len() == REMEMBERED {
        own.remove(0);
    }
    own.push(handle.clone());
}

const fn priority(plan: PriorityPlan) -> Priority {
    match plan {
        PriorityPlan::High => Priority::High,
        PriorityPlan::Normal => Priority::Normal,
        PriorityPlan::Low => Priority::Low,
    }
}
