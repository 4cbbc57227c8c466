//! Schedules: who goes on is decided after each step.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::{Config, Runner};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How many schedules [`explore`] tries if `SCHEDULES` does not say.
const SCHEDULES: usize = 4000;

/// How often in each of the second half of the schedules a task that could go on is overtaken by all others.
const OVERTAKINGS: usize = 2;

/// How large a task's stack is, in bytes.
const STACK: usize = 256 * 1024;

std::thread_local! {
    /// tokio's timers, for all schedules of a test: time stands still unless it is said to pass. They are never
    /// dropped, which would wake what a schedule that failed has left behind.
    static TIMERS: &'static Runtime = Box::leak(Box::new(timers()));
}

/// [`tokio::sync::Notify`], before each use of which others may have their turn.
#[derive(Debug, Default)]
pub struct Notify {
    told: tokio::sync::Notify,
    turn: AtomicBool,
}

impl Notify {
    /// Nobody waits and nothing is told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells one who waits, or the next who will.
    pub fn notify_one(&self) {
        self.let_others();
        self.told.notify_one();
    }

    /// Tells all who wait.
    pub fn notify_waiters(&self) {
        self.let_others();
        self.told.notify_waiters();
    }

    /// Waits to be told.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.let_others();
        self.told.notified()
    }

    fn let_others(&self) {
        self.turn.load(Ordering::SeqCst);
    }
}

/// Starts a task that nobody waits for.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(shuttle::future::spawn(task));
}

/// Runs a test under as many schedules as `SCHEDULES` says.
///
/// In the first half anybody may go on after each step. In the second half each task has a rank, the first in rank
/// goes on until it waits, and twice whoever goes on becomes the last: what goes wrong when one is slow at
/// just one place is found sooner so. `SCHEDULE_SEED` says which schedules they are, 0 if it does not; a failure prints
/// the schedule for `shuttle::replay`.
///
/// No time passes but by [`pass`].
///
/// # Panics
/// If the test does, or if tasks that somebody waits for wait for each other.
pub fn explore(test: impl Fn() + Send + Sync + 'static) {
    let (schedules, seed) = (number("SCHEDULES", SCHEDULES), number("SCHEDULE_SEED", 0));
    let (test, half) = (Arc::new(test), schedules / 2);
    TIMERS.with(|timers| {
        let _entered = timers.enter();
        run(RandomScheduler::new_from_seed(seed as u64, schedules - half), &test);
        run(PctScheduler::new_from_seed(seed as u64, OVERTAKINGS + 1, half), &test);
    });
}

/// Lets time pass for the timers, and then others have their turn.
pub fn pass(time: Duration) {
    TIMERS.with(|timers| timers.block_on(tokio::time::advance(time)));
    shuttle::thread::yield_now();
}

fn run(scheduler: impl Scheduler + 'static, test: &Arc<impl Fn() + Send + Sync + 'static>) {
    let mut config = Config::new();
    config.stack_size = STACK;
    // Of atomics all orders are taken for the strictest.
    config.silence_warnings = true;
    let test = Arc::clone(test);
    Runner::new(scheduler, config).run(move || test());
}

fn timers() -> Runtime {
    let timers = Builder::new_current_thread().enable_time().start_paused(true).build();
    timers.expect("a runtime without sockets needs nothing of the system")
}

fn number(variable: &str, otherwise: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text}: must be a number")),
        Err(_) => otherwise,
    }
}
