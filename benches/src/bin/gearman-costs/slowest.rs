//! The slowest single call of the engine while its queue grows deep and empties.

use gearman_benches::{CLIENT, Stage, WORKLOAD, submit_unique};
use std::time::{Duration, Instant};

/// No call may take longer.
const BOUND: Duration = Duration::from_millis(1);

/// Fills and empties an engine `rounds` times, and prints the slowest calls.
///
/// The engine does the same in each round, so the least time of a call over all rounds is its own, and what another
/// process or the kernel took away in one of them is not in it.
pub(crate) fn run(depth: usize, rounds: usize) -> Result<(), String> {
    let mut least: [Vec<Duration>; 3] = [(); 3].map(|()| vec![Duration::MAX; depth]);
    for _ in 0..rounds {
        round(&mut least);
    }
    let mut slow = Vec::new();
    for (verb, times) in ["submit", "grab", "complete"].into_iter().zip(&least) {
        let (call, slowest) =
            times.iter().enumerate().max_by_key(|(_, time)| **time).ok_or("a depth of at least 1")?;
        let mean =
            times.iter().sum::<Duration>() / u32::try_from(depth).map_err(|error| error.to_string())?;
        println!("{verb:<9} mean {mean:?}, slowest {slowest:?} (call {call} of {depth})");
        slow.extend((*slowest > BOUND).then(|| format!("{verb} took {slowest:?}")));
    }
    if slow.is_empty() {
        Ok(())
    } else {
        Err(format!("{}; no call may take over {BOUND:?}", slow.join(", ")))
    }
}

fn round([submits, grabs, completes]: &mut [Vec<Duration>; 3]) {
    let mut stage = Stage::with_waiting(0);
    for (number, least) in (0..).zip(submits) {
        let request = submit_unique(number, WORKLOAD);
        timed(least, || stage.ask(CLIENT, request));
    }
    for (grab, complete) in grabs.iter_mut().zip(completes) {
        let handle = timed(grab, || stage.grab());
        timed(complete, || stage.complete(handle));
    }
}

#[expect(clippy::disallowed_methods, reason = "the engine's clock counts milliseconds; this one measures")]
fn timed<T>(least: &mut Duration, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let outcome = act();
    *least = (*least).min(start.elapsed());
    outcome
}
