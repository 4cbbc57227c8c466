//! Order and wake-ups, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Says, Setup, Trick};
use super::notes::Job;
use super::wire::response;
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

/// The place that a job should have: by priority, then by age.
fn place(job: &Job) -> i64 {
    job.first().priority() * 1_000_000_000 + i64::try_from(job.seq).unwrap_or(0)
}

/// The newest of a priority first.
fn newest_of(job: &Job, priority: i64) -> i64 {
    let seq = i64::try_from(job.seq).unwrap_or(0);
    let own = job.first().priority();
    own * 1_000_000_000 + if own == priority { -seq } else { seq }
}

fn is_reduce(job: &Job) -> bool {
    matches!(job.first().kind, Some(P::SubmitReduceJob | P::SubmitReduceJobBackground))
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "newest-normal-first",
        "Of normal jobs the newest is assigned first.",
        &["fifo-normal", "fifo-any-client", "stored-order"],
        Trick(|| tricks::Reorders::by(|job| newest_of(job, 1))),
    ),
    breakage(
        "newest-high-first",
        "Of high jobs the newest is assigned first.",
        &["fifo-high"],
        Trick(|| tricks::Reorders::by(|job| newest_of(job, 0))),
    ),
    breakage(
        "newest-low-first",
        "Of low jobs the newest is assigned first.",
        &["fifo-low"],
        Trick(|| tricks::Reorders::by(|job| newest_of(job, 2))),
    ),
    breakage(
        "foreground-first",
        "Foreground jobs are assigned before background jobs of their priority.",
        &["fifo-background-too"],
        Trick(|| {
            tricks::Reorders::by(|job| place(job) + if job.first().is_background() { 1_000_000 } else { 0 })
        }),
    ),
    breakage(
        "high-is-normal",
        "High priority is taken for normal.",
        &[
            "high-before-normal",
            "priority-across-functions",
            "priority-background-too",
            "requeue-keeps-priority",
        ],
        Hears(|m| {
            if m.is(P::SubmitJobHigh) {
                m.retype(P::SubmitJob);
            } else if m.is(P::SubmitJobHighBg) {
                m.retype(P::SubmitJobBg);
            }
            Fate::Pass
        }),
    ),
    breakage(
        "low-is-normal",
        "Low priority is taken for normal.",
        &["normal-before-low"],
        Hears(|m| {
            if m.is(P::SubmitJobLow) {
                m.retype(P::SubmitJob);
            } else if m.is(P::SubmitJobLowBg) {
                m.retype(P::SubmitJobBg);
            }
            Fate::Pass
        }),
    ),
    breakage(
        "one-priority",
        "Jobs are assigned in the order of their submits, whatever their priority.",
        &["high-before-low", "high-before-normal", "normal-before-low", "priority-background-too"],
        Trick(|| tricks::Reorders::by(|job| i64::try_from(job.seq).unwrap_or(0))),
    ),
    breakage(
        "background-is-normal",
        "Background jobs have normal priority, whatever their submit says.",
        &["priority-background-too", "stored-priority", "stored-every-background-form"],
        Hears(|m| {
            if m.is(P::SubmitJobHighBg) || m.is(P::SubmitJobLowBg) {
                m.retype(P::SubmitJobBg);
            }
            Fate::Pass
        }),
    ),
    breakage(
        "oldest-function-first",
        "Functions are served in the order of their first submits.",
        &["newest-function-first", "functions-round-robin"],
        Trick(|| tricks::Reorders::by(place)),
    ),
    breakage(
        "loses-a-job",
        "The second job of all is never assigned.",
        &["function-order-free", "grab-finds-work", "close-after-submit"],
        Trick(|| {
            Box::new(tricks::Loses {
                up: tricks::never,
                down: |_, message, desk| {
                    message.kind().is_some_and(super::notes::is_assignment)
                        && desk.notes.jobs.get(&message.argument(0)).is_some_and(|job| job.seq == 2)
                },
            })
        }),
    ),
    breakage(
        "requeued-first",
        "A job that comes back goes to the front of its queue.",
        &["requeue-back-of-queue"],
        Trick(|| tricks::Reorders::by(|job| if job.assigned > 1 { -1 } else { place(job) })),
    ),
    breakage(
        "reduce-last",
        "Reduce jobs have low priority.",
        &["reduce-normal-priority"],
        Trick(|| tricks::Reorders::by(|job| place(job) + if is_reduce(job) { 2_000_000_000 } else { 0 })),
    ),
    // Wake-ups.
    breakage(
        "no-wake-up",
        "NOOP is never sent.",
        &[
            "submit-wakes-sleeper",
            "background-wakes-sleeper",
            "sleep-with-work-waiting",
            "any-function-wakes",
            "all-sleepers-woken",
            "wake-limit",
            "wake-limit-rotates",
            "requeue-wakes-sleeper",
            "sleep-again-without-grab",
            "register-while-asleep",
            "woken-worker-lost",
            "epoch-wakes-worker",
        ],
        Says(|m| drop_if(m.is(P::Noop))),
    ),
    breakage(
        "sleep-answered",
        "PRE_SLEEP is always answered by NOOP.",
        &["sleep-without-work", "cant-do-not-woken"],
        Hears(|m| if m.is(P::PreSleep) { Fate::Also(response(P::Noop, &[])) } else { Fate::Pass }),
    ),
    breakage(
        "wakes-everybody",
        "A submit sends NOOP to every connection, asleep or not, able or not.",
        &[
            "only-able-woken",
            "cant-do-not-woken",
            "awake-not-woken",
            "one-noop-per-sleep",
            "grab-ends-sleep",
            "wake-limit",
        ],
        Trick(|| Box::<tricks::WakesEverybody>::default()),
    ),
    breakage(
        "wakes-the-same",
        "Every NOOP goes to the worker that got the first.",
        &["wake-limit-rotates", "all-sleepers-woken", "woken-worker-lost"],
        Trick(|| Box::<tricks::WakesTheSame>::default()),
    ),
    breakage(
        "wake-limit-ignored",
        "The setting that limits wake-ups does nothing.",
        &["wake-limit"],
        Setup(|settings| drop(settings.remove("wakeup"))),
    ),
    breakage(
        "sleep-cancels",
        "PRE_SLEEP cancels every job.",
        &["sleep-changes-no-job"],
        Trick(|| Box::new(tricks::Cancels { which: |_, _| true, on_sleep: true })),
    ),
    breakage(
        "noop-is-an-error",
        "NOOP comes as an ERROR.",
        &["submit-wakes-sleeper"],
        Says(|m| change(m.is(P::Noop), m, |m| *m = response(P::Error, &[b"WAKE_UP", b"x"]))),
    ),
];
