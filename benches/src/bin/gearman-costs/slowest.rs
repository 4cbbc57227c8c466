//! The slowest single call of the engine: while its queue grows deep and empties, while very much becomes due at one
//! moment, and while peers leave that watch or hold very much.

use gearman_benches::{CLIENT, Stage, WORKER, WORKLOAD, function, submit_unique};
use gearman_protocol::{JobTimeout, Mode, Request};
use std::time::{Duration, Instant};

/// No call may take longer.
const BOUND: Duration = Duration::from_millis(1);

/// Does everything `rounds` times with so many jobs, and prints the slowest calls.
///
/// The engine does the same in each round, so the least time of a call over all rounds is its own, and what another
/// process or the kernel took away in one of them is not in it.
pub(crate) fn run(depth: usize, rounds: usize) -> Result<(), String> {
    let mut acts: [Act; 7] = Default::default();
    for _ in 0..rounds {
        acts.iter_mut().for_each(|act| act.next = 0);
        let [submits, grabs, completes, due, late, client, worker] = &mut acts;
        fill_and_empty(depth, submits, grabs, completes);
        come_due(depth, due);
        be_late(depth, late);
        lose_the_client(depth, client);
        lose_the_worker(depth, worker);
    }
    let names = ["submit", "grab", "complete", "due", "late", "client-left", "worker-left"];
    let mut slow = Vec::new();
    for (name, Act { least, .. }) in names.into_iter().zip(&acts) {
        let (call, slowest) =
            least.iter().enumerate().max_by_key(|(_, time)| **time).ok_or("a depth of at least 1")?;
        let (calls, sum) = (least.len(), least.iter().sum::<Duration>());
        let mean = sum / u32::try_from(calls).map_err(|error| error.to_string())?;
        println!("{name:<11} mean {mean:?}, slowest {slowest:?} (call {call} of {calls})");
        slow.extend((*slowest > BOUND).then(|| format!("{name} took {slowest:?}")));
    }
    if slow.is_empty() {
        Ok(())
    } else {
        Err(format!("{}; no call may take over {BOUND:?}", slow.join(", ")))
    }
}

fn fill_and_empty(depth: usize, submits: &mut Act, grabs: &mut Act, completes: &mut Act) {
    let mut stage = Stage::with_waiting(0);
    for number in 0..depth as u64 {
        let request = submit_unique(number, WORKLOAD);
        submits.call(|| stage.ask(CLIENT, request));
    }
    for _ in 0..depth {
        let handle = grabs.call(|| stage.grab());
        completes.call(|| stage.complete(handle));
    }
}

/// All jobs are for the same second.
fn come_due(depth: usize, due: &mut Act) {
    let mut stage = Stage::with(depth, Mode::Epoch("1".into()));
    while due.call(|| stage.wait()) {}
    let waiting = (0..depth).map(|_| stage.grab()).count();
    assert_eq!((waiting, stage.jobs()), (depth, depth), "all were due");
}

/// A worker is given all jobs in one millisecond, and does none in time.
fn be_late(depth: usize, late: &mut Act) {
    let mut stage = Stage::with_waiting(depth);
    let timeout = Some(JobTimeout("1000".into()));
    stage.ask(WORKER, Request::CanDo { function: function(), timeout });
    (0..depth).for_each(|_| drop(stage.grab()));
    while late.call(|| stage.wait()) {}
    let waiting = (0..depth).map(|_| stage.grab()).count();
    assert_eq!((waiting, stage.jobs()), (depth, depth), "all were late");
}

/// A client that waits for all jobs hangs up.
fn lose_the_client(depth: usize, left: &mut Act) {
    let mut stage = Stage::with(depth, Mode::Foreground);
    left.call(|| stage.leave(CLIENT));
    while left.call(|| stage.wait()) {}
    assert_eq!(stage.jobs(), 0, "nobody wants any");
}

/// A worker that holds all jobs hangs up.
fn lose_the_worker(depth: usize, left: &mut Act) {
    let mut stage = Stage::with_waiting(depth);
    (0..depth).for_each(|_| drop(stage.grab()));
    left.call(|| stage.leave(WORKER));
    while left.call(|| stage.wait()) {}
    assert_eq!(stage.jobs(), depth, "all go back to the queue");
}

/// What is done again and again: the least time that each of its calls took.
#[derive(Default)]
struct Act {
    least: Vec<Duration>,
    /// Which call is next in this round.
    next: usize,
}

impl Act {
    #[expect(
        clippy::disallowed_methods,
        reason = "the engine's clock counts milliseconds; this one measures"
    )]
    fn call<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = act();
        let took = start.elapsed();
        match self.least.get_mut(self.next) {
            Some(least) => *least = took.min(*least),
            None => self.least.push(took),
        }
        self.next += 1;
        outcome
    }
}
