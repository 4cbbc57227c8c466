//! Submits for a time and submits with a reducer, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Both, Hears, Says, Trick};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "sched-submits",
        "SUBMIT_JOB_SCHED makes a job.",
        &["submit-sched-harmless"],
        Hears(|m| {
            change(m.is(P::SubmitJobSched), m, |m| {
                m.retype(P::SubmitJobBg);
            })
        }),
    ),
    breakage(
        "epoch-at-once",
        "SUBMIT_JOB_EPOCH makes a job that can be run at once.",
        &[
            "epoch-not-before",
            "epoch-wakes-worker",
            "epoch-overtaken",
            "coalesce-scheduled",
            "stored-time",
            "epoch-early-noop",
        ],
        Hears(|m| {
            change(m.is(P::SubmitJobEpoch), m, |m| {
                let mut arguments = m.arguments();
                if arguments.len() == 4 {
                    arguments.remove(2);
                }
                m.retype(P::SubmitJobBg);
                m.set_all(&arguments);
            })
        }),
    ),
    breakage(
        "epoch-far",
        "The time of a SUBMIT_JOB_EPOCH is taken for another unit, and never comes.",
        &[
            "epoch-runs-when-due",
            "epoch-seconds",
            "epoch-past",
            "epoch-order-among-due",
            "epoch-normal-priority",
            "epoch-not-a-number",
        ],
        Hears(|m| change(m.is(P::SubmitJobEpoch), m, |m| m.set(2, *b"99999999999"))),
    ),
    breakage(
        "epoch-low",
        "A scheduled job has low priority.",
        &["epoch-normal-priority"],
        Hears(|m| {
            change(m.is(P::SubmitJobEpoch), m, |m| {
                let mut arguments = m.arguments();
                if arguments.len() == 4 {
                    arguments.remove(2);
                }
                m.retype(P::SubmitJobLowBg);
                m.set_all(&arguments);
            })
        }),
    ),
    breakage(
        "epoch-no-noop",
        "No worker is woken.",
        &["epoch-wakes-worker"],
        Says(|m| drop_if(m.is(P::Noop))),
    ),
    breakage(
        "epoch-number-wanted",
        "A time that is no number is passed over.",
        &["epoch-not-a-number"],
        Hears(|m| drop_if(m.is(P::SubmitJobEpoch) && !m.argument(2).iter().all(u8::is_ascii_digit))),
    ),
    breakage(
        "hides-behind-time",
        "While a job waits for its time, grabs find nothing.",
        &["epoch-hides-nothing", "epoch-overtaken", "epoch-order-among-due"],
        Trick(|| Box::<tricks::HidesBehindTime>::default()),
    ),
    breakage(
        "reduce-three-arguments",
        "A reduce submit has three arguments before its workload.",
        &["reduce-four-terminated", "reduce-fourth-unused"],
        Hears(|m| {
            change(m.is(P::SubmitReduceJob) || m.is(P::SubmitReduceJobBackground), m, |m| {
                let mut arguments = m.arguments();
                if let (Some(workload), Some(fourth)) = (arguments.pop(), arguments.pop()) {
                    arguments.push(Vec::new());
                    arguments.push([fourth, vec![0], workload].concat());
                }
                m.set_all(&arguments);
            })
        }),
    ),
    breakage(
        "reducer-unsaid",
        "JOB_ASSIGN_ALL carries no reducer.",
        &["reduce-reducer-delivered"],
        Says(|m| change(m.is(P::JobAssignAll), m, |m| m.set(3, *b""))),
    ),
    breakage(
        "reducer-by-default",
        "An empty reducer becomes one.",
        &["reduce-empty-reducer"],
        Hears(|m| {
            change(
                (m.is(P::SubmitReduceJob) || m.is(P::SubmitReduceJobBackground)) && m.argument(2).is_empty(),
                m,
                |m| m.set(2, *b"reducer"),
            )
        }),
    ),
    breakage(
        "reduce-in-background",
        "SUBMIT_REDUCE_JOB is taken for its background form.",
        &["reduce-foreground-results"],
        Hears(|m| change(m.is(P::SubmitReduceJob), m, |m| m.retype(P::SubmitReduceJobBackground))),
    ),
    breakage(
        "reduce-in-foreground",
        "SUBMIT_REDUCE_JOB_BACKGROUND is taken for its foreground form.",
        &["reduce-background-no-results"],
        Hears(|m| change(m.is(P::SubmitReduceJobBackground), m, |m| m.retype(P::SubmitReduceJob))),
    ),
    breakage(
        "reducer-cut",
        "A reducer that is too long is cut.",
        &["reduce-reducer-too-long"],
        Both(
            |m| change(m.is(P::SubmitReduceJob) && m.argument(2).len() > 64, m, |m| m.set(2, *b"cut")),
            |_| Fate::Pass,
        ),
    ),
];
