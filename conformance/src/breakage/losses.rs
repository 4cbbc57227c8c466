//! The loss of workers and clients, and time limits, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Setup, Trick};
use super::wire::Ended;
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "notices-no-end",
        "The end of a connection is not noticed.",
        &[
            "lost-worker-frees-job",
            "lost-worker-requeues",
            "lost-worker-background",
            "lost-worker-all-jobs",
            "requeue-same-job",
            "requeue-back-of-queue",
            "requeue-keeps-priority",
            "requeue-keeps-watchers",
            "requeue-wakes-sleeper",
            "requeue-resets-status",
            "requeue-order-of-several",
            "registration-ends-with-connection",
            "workers-table-gone",
            "retry-limit-drops",
            "retry-limit-not-before",
            "client-loss-waiting-job",
            "client-loss-leaves-counts",
            "client-loss-then-worker-loss",
            "half-close-is-leaving",
            "lost-worker-reset",
            "retries-unlimited",
            "show-jobs-retries",
            "woken-worker-lost",
        ],
        Trick(|| Box::new(tricks::NoticesNoEnd { of: |_| true })),
    ),
    breakage(
        "notices-no-reset",
        "A connection that is reset does not count as closed.",
        &["lost-worker-reset"],
        Trick(|| Box::new(tricks::NoticesNoEnd { of: |how| how == Ended::Reset })),
    ),
    breakage(
        "half-close-waits",
        "A client that has shut down its sending side is waited for.",
        &["half-close-is-leaving"],
        Trick(|| Box::new(tricks::KeepsHalfOpen)),
    ),
    breakage(
        "lost-with-the-worker",
        "When a worker is lost its jobs are cancelled.",
        &[
            "lost-worker-requeues",
            "lost-worker-silent",
            "lost-worker-background",
            "lost-worker-all-jobs",
            "requeue-keeps-watchers",
            "retries-unlimited",
            "retry-limit-not-before",
            "lost-worker-reset",
        ],
        Trick(|| Box::new(tricks::Cancels { which: |at, job| job.holder == Some(at), on_sleep: false })),
    ),
    breakage(
        "lost-with-anybody",
        "When any connection ends every job is cancelled.",
        &["lost-worker-idle", "client-loss-others-served"],
        Trick(|| Box::new(tricks::Cancels { which: |_, _| true, on_sleep: false })),
    ),
    breakage(
        "lost-with-the-client",
        "When a client leaves its jobs are cancelled, whoever else waits for them.",
        &[
            "client-loss-background",
            "client-loss-running-job",
            "client-loss-running-new-watcher",
            "client-loss-one-of-two",
            "client-loss-leaves-background",
            "coalesce-background-keeps-promise",
            "close-after-submit",
        ],
        Trick(|| {
            Box::new(tricks::Cancels {
                which: |at, job| job.submits.iter().any(|(id, _)| *id == at),
                on_sleep: false,
            })
        }),
    ),
    breakage(
        "another-job",
        "A job that is assigned again has another unique.",
        &["requeue-same-job"],
        Trick(|| Box::new(tricks::AnotherJob)),
    ),
    breakage(
        "keeps-progress",
        "STATUS_RES carries what a worker said last, as it said it.",
        &["requeue-resets-status", "status-numbers-whole"],
        Trick(|| Box::new(tricks::KeepsProgress)),
    ),
    breakage(
        "no-retry-limit",
        "The limit of retries does nothing.",
        &[
            "retry-limit-drops",
            "retry-limit-fails-watchers",
            "retry-limit-counts-cant-do",
            "timeout-counts-as-loss",
            "stored-until-retry-limit",
        ],
        Setup(|settings| drop(settings.remove("retries"))),
    ),
    breakage(
        "one-retry",
        "The first loss of a worker drops the job.",
        &["retries-unlimited", "retry-limit-not-before", "lost-worker-requeues"],
        Setup(|settings| drop(settings.insert("retries".to_owned(), "1".to_owned()))),
    ),
    breakage(
        "joins-the-abandoned",
        "A submit with the unique of a job whose client has left, or that was cancelled, is acknowledged and lost.",
        &["client-loss-resubmit-runs", "cancel-resubmit-runs"],
        Trick(|| Box::<tricks::JoinsTheAbandoned>::default()),
    ),
    breakage(
        "closes-neighbours",
        "When one connection ends all end.",
        &["client-loss-others-served", "lost-worker-idle"],
        Trick(|| Box::<tricks::ClosesNeighbours>::default()),
    ),
    breakage(
        "loses-the-last",
        "What arrives just before a connection's end is not executed.",
        &["close-after-submit"],
        Trick(|| Box::<tricks::LosesTheLast>::default()),
    ),
    breakage(
        "owes-nothing",
        "A client that shuts down its sending side is closed at once.",
        &["half-close-replies-flushed"],
        Trick(|| Box::new(tricks::OwesNothing)),
    ),
    breakage(
        "cant-do-refuses",
        "CANT_DO during a run fails the job.",
        &["cant-do-while-running", "cant-do-requeues"],
        Hears(|m| if m.is(P::CantDo) { Fate::Cut } else { Fate::Pass }),
    ),
    // Time limits.
    breakage(
        "no-limits",
        "A time limit does nothing.",
        &[
            "timeout-ends-assignment",
            "timeout-requeues",
            "timeout-outcome",
            "timeout-late-result",
            "timeout-counts-as-loss",
            "timeout-newest-registration",
            "timeout-only-its-job",
        ],
        Hears(|m| {
            change(m.is(P::CanDoTimeout), m, |m| *m = super::wire::request(P::CanDo, &[&m.argument(0)]))
        }),
    ),
    breakage(
        "limits-in-seconds",
        "The number of CAN_DO_TIMEOUT counts seconds.",
        &["timeout-milliseconds"],
        Hears(|m| change(m.is(P::CanDoTimeout), m, |m| m.set(1, [&m.argument(1)[..], b"000"].concat()))),
    ),
    breakage(
        "shortest-limit",
        "Every limit is the shortest there is, 0, negative ones and words too.",
        &["timeout-not-early", "timeout-zero", "timeout-negative", "timeout-not-a-number"],
        Hears(|m| change(m.is(P::CanDoTimeout), m, |m| m.set(1, *b"1000"))),
    ),
    breakage(
        "limit-wakes-worker",
        "The worker is told that its limit has passed.",
        &["timeout-worker-not-told"],
        Trick(|| Box::<tricks::TellsTheFormer>::default()),
    ),
    breakage(
        "limit-from-registration",
        "The time counts from the registration.",
        &["timeout-from-assignment"],
        Trick(|| Box::new(tricks::LimitedSinceRegistration::default())),
    ),
    breakage(
        "no-floor",
        "A limit shorter than a second is kept.",
        &["timeout-floor", "timeout-not-early"],
        Trick(|| {
            Box::new(tricks::Limits { from_registration: None, from_assignment: Some(100), everybody: false })
        }),
    ),
    breakage(
        "limit-for-everybody",
        "When a limit passes every worker loses its jobs.",
        &["timeout-only-its-job"],
        Trick(|| {
            Box::new(tricks::Limits { from_registration: None, from_assignment: Some(900), everybody: true })
        }),
    ),
    breakage(
        "limit-outlives-job",
        "The limit of a job that has ended still strikes.",
        &["timeout-gone-with-job"],
        Trick(|| {
            Box::new(tricks::Limits {
                from_registration: None,
                from_assignment: Some(1000),
                everybody: false,
            })
        }),
    ),
    breakage(
        "large-limit-closes",
        "A limit that is too large closes the connection.",
        &["timeout-out-of-range"],
        Hears(|m| if m.is(P::CanDoTimeout) && m.argument(1).len() > 8 { Fate::Cut } else { Fate::Pass }),
    ),
    breakage(
        "first-registration",
        "The limit given first stays.",
        &["timeout-newest-registration"],
        Trick(|| {
            Box::new(tricks::OncePer { kind: P::CanDoTimeout, seen: std::collections::BTreeSet::new() })
        }),
    ),
    breakage(
        "every-function-limited",
        "A function registered without a limit gets one.",
        &["timeout-plain-function"],
        Hears(|m| {
            change(m.is(P::CanDo), m, |m| {
                *m = super::wire::request(P::CanDoTimeout, &[&m.argument(0), b"1000"])
            })
        }),
    ),
    breakage(
        "limit-not-registered",
        "CAN_DO_TIMEOUT is passed over.",
        &["timeout-outcome"],
        Hears(|m| drop_if(m.is(P::CanDoTimeout))),
    ),
];
