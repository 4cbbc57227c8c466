//! A worker as the client library makes them.

use crate::network::{SERVER_ADDRESS, SimNetwork, now};
use crate::workload::{Act, ActEnd, GrabForm, Progress, TimedReport, WorkerPlan, content};
use bytes::Bytes;
use gearman_client::{Backoff, Failure, Grab, Job, Reach, Worker, WorkerConfig};
use gearman_protocol::{FunctionName, Time};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// The longest wait before it connects again.
const LONGEST_BACKOFF: Duration = Duration::from_millis(300);

/// What outlives the program: how far it has come.
pub(crate) struct LibraryWorker {
    starts_ms: u32,
    backoff: Backoff,
    functions: Vec<(FunctionName, Option<Duration>)>,
    grab: Grab,
    bench: Arc<Bench>,
    is_over: Cell<bool>,
    over: Notify,
}

/// What the handlers share; the library wants them to be fit for many threads.
struct Bench {
    index: u32,
    acts: Vec<Act>,
    jobs: AtomicUsize,
    /// How long the next job takes, whatever its act says.
    overrun: Mutex<Option<u32>>,
    /// Set by a handler that leaves with the job in hand: after how long it is back.
    vanishes: AtomicBool,
    back_ms: AtomicU32,
    vanished: Notify,
}

impl LibraryWorker {
    pub(super) fn new(
        index: u32,
        seed: u64,
        starts_ms: u32,
        plan: WorkerPlan,
        functions: &[FunctionName],
    ) -> Self {
        let name = |index: u8| functions[usize::from(index) % functions.len()].clone();
        let limit = |millis: u32| Duration::from_millis(millis.into());
        let abilities = plan.abilities.iter();
        let abilities = abilities.map(|ability| (name(ability.function), ability.timeout_ms.map(limit)));
        let bench = Bench {
            index,
            acts: plan.acts,
            jobs: AtomicUsize::new(0),
            overrun: Mutex::new(None),
            vanishes: AtomicBool::new(false),
            back_ms: AtomicU32::new(0),
            vanished: Notify::new(),
        };
        Self {
            starts_ms,
            backoff: Backoff {
                first: Duration::from_millis(20),
                longest: LONGEST_BACKOFF,
                seed: seed ^ u64::from(index),
            },
            functions: abilities.collect(),
            grab: match plan.grab {
                GrabForm::Plain => Grab::Plain,
                GrabForm::Uniq => Grab::Uniq,
                GrabForm::All => Grab::All,
            },
            bench: Arc::new(bench),
            is_over: Cell::new(false),
            over: Notify::new(),
        }
    }

    pub(super) fn storm_over(&self) {
        self.is_over.set(true);
        self.over.notify_one();
    }

    pub(super) fn overrun(&self, takes_ms: u32) {
        *self.bench.overrun.lock().unwrap_or_else(PoisonError::into_inner) = Some(takes_ms);
    }

    fn hire(&self, network: SimNetwork) -> Worker<SimNetwork> {
        let config = WorkerConfig {
            reach: Reach { connect_timeout: Duration::from_secs(60), liveness: None },
            backoff: self.backoff,
            id: Bytes::new(),
            grab: self.grab,
        };
        let mut worker = Worker::with_config(network, SERVER_ADDRESS, config);
        for (function, limit) in &self.functions {
            let bench = Arc::clone(&self.bench);
            let handler = move |job| carry_out(Arc::clone(&bench), job);
            let registered = match limit {
                Some(limit) => worker.register_within(function.to_bytes(), *limit, handler),
                None => worker.register(function.to_bytes(), handler),
            };
            registered.expect("a plan's functions have names");
        }
        worker
    }
}

/// Plays it on the host that runs, for ever.
pub(super) async fn play(role: Rc<LibraryWorker>, network: SimNetwork) {
    sleep(Time::from_millis(role.starts_ms.into()) - now()).await;
    while !role.is_over.get() {
        role.bench.vanishes.store(false, Ordering::Relaxed);
        let worker = role.hire(network.clone());
        tokio::select! {
            biased;
            () = role.over.notified() => break,
            () = role.bench.vanished.notified() => {}
            // It comes back only when it was asked to stop, which nobody does here.
            () = worker.run() => {}
        }
        drop(worker);
        sleep(Duration::from_millis(role.bench.back_ms.load(Ordering::Relaxed).into())).await;
    }
    std::future::pending().await
}

/// Does one job as the plan says.
async fn carry_out(bench: Arc<Bench>, job: Job) -> Result<Bytes, Failure> {
    let number = bench.jobs.fetch_add(1, Ordering::Relaxed);
    let act = &bench.acts[number % bench.acts.len()];
    let overrun = bench.overrun.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(takes_ms) = overrun {
        sleep(Duration::from_millis(takes_ms.into())).await;
    } else {
        for (nth, timed) in act.reports.iter().enumerate() {
            sleep(Duration::from_millis(timed.after_ms.into())).await;
            report(&job, timed, &format!("{}.{number}.{nth}", bench.index)).await;
        }
        sleep(Duration::from_millis(act.works_ms.into())).await;
    }
    let result = |what: &str, size| content::filled(&format!("{what}-{}.{number}", bench.index), size);
    match act.end {
        ActEnd::Complete(size) | ActEnd::CompleteTwice(size) => Ok(result("done", size)),
        ActEnd::Fail => Err(Failure::Fail),
        ActEnd::Exception(size) | ActEnd::ExceptionThenFail(size) => {
            Err(Failure::Exception(result("oops", size)))
        }
        // The library has no words for the last three, and plans for it do not ask for them.
        ActEnd::Vanish(back_ms)
        | ActEnd::HalfClose(back_ms)
        | ActEnd::CantDo(back_ms)
        | ActEnd::Reset(back_ms) => vanish(&bench, back_ms).await,
        ActEnd::Forget => vanish(&bench, 0).await,
    }
}

async fn vanish(bench: &Bench, back_ms: u32) -> Result<Bytes, Failure> {
    bench.back_ms.store(back_ms, Ordering::Relaxed);
    if !bench.vanishes.swap(true, Ordering::Relaxed) {
        bench.vanished.notify_one();
    }
    std::future::pending().await
}

/// A report that the server will not hear is nobody's loss: the job is another worker's by then.
async fn report(job: &Job, timed: &TimedReport, label: &str) {
    let _ = match timed.report {
        Progress::Data(size) => job.data(content::filled(&format!("data-{label}"), size)).await,
        Progress::Warning(size) => job.warning(content::filled(&format!("warn-{label}"), size)).await,
        Progress::Status(hundredths) => job.status(hundredths.into(), 100).await,
    };
}
