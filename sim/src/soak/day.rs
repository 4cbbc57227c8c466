//! Mixed work for hours: plan after plan on one engine, judged as it goes.
//!
//! A day is made of shifts. Each is the plan of a seed on bare doors, with its odd and hostile peers; the same engine
//! serves them all, at the end of each everybody leaves, and then nothing may be left. Each shift has a judge of its
//! own, who reads what peers see while they see it; no trace is kept.

use super::Wrong;
use super::shift::{Shared, Shift, lock};
use crate::history::{History, ServerId};
use crate::judge::{Judge, Terms, Verdict};
use crate::plan::{Mix, Plan};
use crate::stage::{Options, Stuck, bare};
use crate::workload::Knobs;
use gearman_engine::{Doors, Engine};
use gearman_protocol::Time;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long nobody works between two shifts.
const BREAK: Duration = Duration::from_millis(10);

/// What a day was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many shifts it had.
    pub shifts: u64,
    /// How many events the engine was told.
    pub events: u64,
    /// How many jobs the judges met.
    pub jobs: u64,
    /// How many of them they know to have ended while peers were there.
    pub ended: u64,
    /// How often a rule could decide.
    pub armed: u64,
    /// When the last shift was over.
    pub lasted: Time,
}

/// Runs the plans of seeds from `first` on until the day is over; a flag ends it sooner. `progress` is told of
/// every shift.
///
/// # Errors
/// The first thing that is not as it should be: a broken rule, a shift that comes to no rest, or something that is
/// left of one.
pub fn run(
    first: u64,
    lasts: Duration,
    interrupted: &AtomicBool,
    mut progress: impl FnMut(Time),
) -> Result<Done, Wrong> {
    let knobs = Plan::draw(first, &Mix::everything()).server;
    let shared = Arc::new(Mutex::new(Shared::new(Engine::new(knobs.config(ServerId::default()), 1))));
    let mut done = Done::default();
    for seed in first.. {
        if interrupted.load(Ordering::Relaxed) || done.lasted >= Time::ZERO + lasts {
            break;
        }
        let (verdict, stuck) = shift(seed, &knobs, &shared);
        let mut shared = lock(&shared);
        done.lasted = shared.now;
        done.events = shared.events;
        done.shifts += 1;
        done.jobs += verdict.jobs;
        done.ended += verdict.ended;
        done.armed += verdict.counts.iter().map(|count| count.armed).sum::<u64>();
        let wrong =
            |what: String| Wrong { at: done.lasted, what: format!("in the shift of seed {seed} {what}") };
        if let Some(first) = verdict.accusations.first() {
            return Err(wrong(format!("the rule {} is broken: {}", first.rule, first.what)));
        }
        if let Some(stuck) = stuck {
            return Err(wrong(format!("somebody waits for ever: {}", stuck.who.join(", "))));
        }
        shared.clear().map_err(|left| wrong(left.what))?;
        progress(done.lasted);
    }
    Ok(done)
}

/// One plan, with the day's knobs instead of its own.
fn shift(seed: u64, knobs: &Knobs, shared: &Arc<Mutex<Shared>>) -> (Verdict, Option<Stuck>) {
    // Nothing dies here: one engine serves all day.
    let drawn = Plan::draw(seed, &Mix::everything());
    let workload = drawn.workload.clone().with_one_server();
    let plan = Plan { server: knobs.clone(), faults: Vec::new(), workload, ..drawn };
    let terms = Terms::of(&plan, Duration::ZERO);
    let judge = Arc::new(Mutex::new(Judge::new(terms.clone())));
    lock(shared).begin(BREAK);
    let reader = Arc::clone(&judge);
    let watcher = Box::new(move |entry: &_| lock(&reader).observe(entry));
    let doors = |_| -> Box<dyn Doors + Send> { Box::new(Shift(Arc::clone(shared))) };
    let run = bare::run(
        &plan,
        Options {
            history: History::passing(),
            watcher,
            doors: Box::new(doors),
            cheat: None,
            submit_to_two: false,
        },
    );
    let judge = mem::replace(&mut *lock(&judge), Judge::new(terms));
    (judge.finish(), run.stuck)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_of_mixed_work_leave_nothing() {
        let lasts = Duration::from_secs(600);
        let done = run(0, lasts, &AtomicBool::new(false), |_| {}).unwrap();
        assert!(done.lasted >= Time::ZERO + lasts);
        assert!(done.jobs > 1000 && done.ended * 2 > done.jobs && done.armed > 10_000, "{done:?}");
    }
}
