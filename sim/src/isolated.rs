//! One seed, alone: a fresh thread, entropy of its own, and panics that are kept instead of printed.
//!
//! A fresh thread has fresh thread-locals, so nothing of an earlier seed can reach a later one through them; the
//! standard library's hash keys are among them.

use crate::ambient;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::thread;

/// A panic that happened while a seed ran, in whichever task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What it said.
    pub message: String,
    /// Where it was, as `file:line`.
    pub place: String,
}

/// What came of the work of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isolated<T> {
    /// What the work returned, unless it panicked.
    pub result: Result<T, Panic>,
    /// How often the machine's wall clock was read while hosts ran; anything but 0 is a leak.
    pub wall_clock_reads: u64,
}

thread_local! {
    /// The first panic of this thread; `None` outside on threads that run no seed.
    static KEPT: RefCell<Option<Vec<Panic>>> = const { RefCell::new(None) };
}

/// Runs `work` on a fresh thread whose entropy follows from `entropy`, and whose clocks stand still.
///
/// A panic anywhere on that thread makes the result an error, even if a runtime caught it on the way.
///
/// # Panics
/// If the system gives no thread.
pub fn run<T: Send>(entropy: u64, work: impl FnOnce() -> T + Send) -> Isolated<T> {
    on_a_thread(|| alone(Some(entropy), work))
}

/// Runs `work` on a fresh thread with the machine's own entropy and clocks.
///
/// # Errors
/// A panic anywhere on that thread, as [`run`] has it.
///
/// # Panics
/// If the system gives no thread.
pub fn run_in_real_time<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Panic> {
    on_a_thread(|| alone(None, work)).result
}

fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    keep_panics_of_seeds();
    thread::scope(|scope| {
        let alone = thread::Builder::new().name("seed".to_owned()).spawn_scoped(scope, work);
        alone.expect("the system gives a thread").join().expect("panics are caught on the thread itself")
    })
}

fn alone<T>(entropy: Option<u64>, work: impl FnOnce() -> T) -> Isolated<T> {
    KEPT.set(Some(Vec::new()));
    ambient::set_entropy(entropy);
    let finished = panic::catch_unwind(AssertUnwindSafe(work));
    let wall_clock_reads = ambient::wall_clock_reads();
    ambient::set_entropy(None);
    let first = KEPT.take().and_then(|panics| panics.into_iter().next());
    let result = match (finished, first) {
        (Ok(value), None) => Ok(value),
        (_, Some(panic)) => Err(panic),
        (Err(_), None) => Err(Panic { message: "a panic without a hook".to_owned(), place: String::new() }),
    };
    Isolated { result, wall_clock_reads }
}

/// Puts a hook before the one that is there, once per process: it keeps the panics of threads that run seeds.
fn keep_panics_of_seeds() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !keep(info) {
                others(info);
            }
        }));
    });
}

fn keep(info: &PanicHookInfo<'_>) -> bool {
    KEPT.with_borrow_mut(|kept| {
        let Some(panics) = kept else { return false };
        let place = info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        let message = info.payload_as_str().unwrap_or("a panic without words").to_owned();
        panics.push(Panic { message, place });
        if is_the_end(panics) {
            panics
                .iter()
                .for_each(|panic| eprintln!("gearman-sim: a panic at {}: {}", panic.place, panic.message));
        }
        true
    })
}

/// Whether the standard library is about to abort the process, so that nobody could ask later: it says so in a
/// panic of its own.
fn is_the_end(panics: &[Panic]) -> bool {
    let last = panics.last().map_or("", |panic| &panic.message);
    last.starts_with("panic in a destructor") || last.starts_with("panic in a function that cannot unwind")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_the_work_returns_comes_back() {
        assert_eq!(run(1, || 6 * 7), Isolated { result: Ok(42), wall_clock_reads: 0 });
    }

    #[test]
    fn in_real_time_clocks_go_and_panics_are_kept() {
        let wall = || gearman_net::Clock::wall(&gearman_net::MachineClock::new());
        let outside = wall();
        assert!(run_in_real_time(wall).unwrap() >= outside);
        assert_eq!(run_in_real_time(|| -> () { panic!("stop") }).unwrap_err().message, "stop");
    }

    #[test]
    fn a_panic_is_kept_with_its_place() {
        let outcome = run(1, || -> () { panic!("the queue is {}", "empty") });
        let panic = outcome.result.unwrap_err();
        assert_eq!(panic.message, "the queue is empty");
        assert!(panic.place.starts_with("sim/src/isolated.rs:"), "{}", panic.place);
    }

    #[test]
    fn a_panic_that_someone_caught_fails_the_seed_all_the_same() {
        let outcome = run(1, || {
            let _ = panic::catch_unwind(|| panic!("swallowed"));
        });
        assert_eq!(outcome.result.unwrap_err().message, "swallowed");
    }

    #[test]
    fn a_panic_in_a_spawned_task_of_a_host_fails_the_seed() {
        let outcome = run(1, || {
            let mut sim = turmoil::Builder::new().build();
            sim.host("host", || async {
                tokio::spawn(async { panic!("in a task") });
                std::future::pending().await
            });
            sim.step().map_err(|error| error.to_string())
        });
        assert_eq!(outcome.result.unwrap_err().message, "in a task");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test is about reading clocks where none may be read")]
    fn a_host_that_reads_the_machines_clock_is_noticed() {
        let stepping = |host: fn()| {
            run(1, move || {
                let mut sim = turmoil::Builder::new().build();
                sim.host("host", move || async move {
                    loop {
                        host();
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                });
                for _ in 0..100 {
                    ambient::watching_the_wall_clock(|| sim.step()).unwrap();
                }
            })
        };
        let virtual_time_only = || {
            let _ = tokio::time::Instant::now();
        };
        let wall_clock = || {
            let _ = std::time::SystemTime::now();
        };
        assert_eq!(stepping(virtual_time_only).wall_clock_reads, 0);
        // At 0, 5, .. 95 ms.
        assert_eq!(stepping(wall_clock).wall_clock_reads, 20);
    }
}
