//! Submits, grabs and what is assigned, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Both, Hears, Says, Trick};
use super::notes::{is_assignment, is_submit};
use super::wire::{Message, response};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

/// Whether it is a submit of any kind.
fn submits(message: &Message) -> bool {
    message.kind().is_some_and(is_submit)
}

fn assigns(message: &Message) -> bool {
    message.kind().is_some_and(is_assignment)
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "submit-unanswered",
        "SUBMIT_JOB is passed over.",
        &["submit-job-created", "submit-answered-once"],
        Hears(|m| drop_if(m.is(P::SubmitJob))),
    ),
    breakage(
        "submit-bg-unanswered",
        "SUBMIT_JOB_BG is passed over.",
        &["submit-bg-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobBg))),
    ),
    breakage(
        "submit-high-unanswered",
        "SUBMIT_JOB_HIGH is passed over.",
        &["submit-high-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobHigh))),
    ),
    breakage(
        "submit-low-unanswered",
        "SUBMIT_JOB_LOW is passed over.",
        &["submit-low-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobLow))),
    ),
    breakage(
        "submit-high-bg-unanswered",
        "SUBMIT_JOB_HIGH_BG is passed over.",
        &["submit-high-bg-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobHighBg))),
    ),
    breakage(
        "submit-low-bg-unanswered",
        "SUBMIT_JOB_LOW_BG is passed over.",
        &["submit-low-bg-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobLowBg))),
    ),
    breakage(
        "submit-epoch-unanswered",
        "SUBMIT_JOB_EPOCH is passed over.",
        &["epoch-created"],
        Hears(|m| drop_if(m.is(P::SubmitJobEpoch))),
    ),
    breakage(
        "submit-reduce-unanswered",
        "SUBMIT_REDUCE_JOB is passed over.",
        &["reduce-created"],
        Hears(|m| drop_if(m.is(P::SubmitReduceJob))),
    ),
    breakage(
        "submit-reduce-bg-unanswered",
        "SUBMIT_REDUCE_JOB_BACKGROUND is passed over.",
        &["reduce-bg-created"],
        Hears(|m| drop_if(m.is(P::SubmitReduceJobBackground))),
    ),
    breakage(
        "created-swapped",
        "JOB_CREATED is sent behind the next packet of its connection.",
        &["created-in-submit-order", "created-before-results"],
        Says(|m| if m.is(P::JobCreated) { Fate::Late } else { Fate::Pass }),
    ),
    breakage(
        "created-twice",
        "JOB_CREATED is sent twice.",
        &["submit-answered-once", "created-in-submit-order"],
        Says(|m| if m.is(P::JobCreated) { Fate::Twice } else { Fate::Pass }),
    ),
    breakage(
        "refuses-and-keeps",
        "A submit with a unique that is too long is refused, and its job kept.",
        &["submit-refused-leaves-no-job"],
        Trick(|| Box::<tricks::RefusesAndKeeps>::default()),
    ),
    breakage(
        "handle-empty",
        "Handles are empty.",
        &["handle-not-empty"],
        Says(|m| change(m.is(P::JobCreated), m, |m| m.set(0, *b""))),
    ),
    breakage(
        "handle-long",
        "Handles are 64 bytes long.",
        &["handle-at-most-63"],
        Says(|m| {
            change(m.is(P::JobCreated), m, |m| {
                let mut handle = m.argument(0);
                handle.resize(64, b'1');
                m.set(0, handle);
            })
        }),
    ),
    breakage(
        "handle-with-blank",
        "Handles contain a blank.",
        &["handle-printable"],
        Says(|m| change(m.is(P::JobCreated), m, |m| m.set(0, [b"H: ", &m.argument(0)[..]].concat()))),
    ),
    breakage(
        "handle-other-prefix",
        "Handles begin with another letter.",
        &["handle-prefix"],
        Says(|m| {
            change(m.is(P::JobCreated), m, |m| {
                let handle = m
                    .argument(0)
                    .iter()
                    .map(|byte| if *byte == b'H' { b'J' } else { *byte })
                    .collect::<Vec<_>>();
                m.set(0, handle);
            })
        }),
    ),
    breakage(
        "handle-shared",
        "All jobs have one handle.",
        &["handle-unique-while-live", "handle-not-reused", "handle-whole-with-any-prefix"],
        Says(|m| change(m.is(P::JobCreated), m, |m| m.set(0, *b"H:one:1"))),
    ),
    breakage(
        "workers-first",
        "A submit for a function that nobody has registered is refused.",
        &["submit-without-worker"],
        Trick(|| Box::new(tricks::WorkersFirst)),
    ),
    breakage(
        "empty-unique-refused",
        "A submit without a unique is passed over.",
        &["submit-unique-empty"],
        Hears(|m| drop_if(submits(m) && m.argument(1).is_empty())),
    ),
    breakage(
        "empty-workload-filled",
        "An empty workload becomes a blank.",
        &["submit-workload-empty"],
        Hears(|m| {
            change((m.is(P::SubmitJob) || m.is(P::SubmitJobBg)) && m.argument(2).is_empty(), m, |m| {
                m.set(2, *b" ")
            })
        }),
    ),
    breakage(
        "large-workload-cut",
        "A workload is cut at half a mebibyte.",
        &["submit-workload-large"],
        Hears(|m| {
            change(m.is(P::SubmitJob) || m.is(P::SubmitJobBg), m, |m| {
                m.set(2, m.argument(2).into_iter().take(1 << 19).collect::<Vec<_>>())
            })
        }),
    ),
    breakage(
        "one-outstanding",
        "A client may submit once.",
        &["submit-many-outstanding", "submit-answered-once"],
        Trick(|| Box::<tricks::OneOutstanding>::default()),
    ),
    breakage(
        "workerless-unlisted",
        "Functions without a worker are not in the table of `status`.",
        &["submit-lists-function", "status-table-idle"],
        Says(|m| drop_if(m.text().is_some_and(|text| text.ends_with(b"\t0")))),
    ),
    breakage(
        "functions-in-small-letters",
        "The case of function names is ignored.",
        &["submit-function-case"],
        Hears(|m| change(submits(m) || m.is(P::CanDo), m, |m| m.set(0, m.argument(0).to_ascii_lowercase()))),
    ),
    breakage(
        "can-do-ignored",
        "CAN_DO is passed over.",
        &["can-do-registers", "status-table-registered", "status-table-workers", "workers-table-functions"],
        Hears(|m| drop_if(m.is(P::CanDo))),
    ),
    breakage(
        "can-do-answered",
        "CAN_DO is answered.",
        &["registering-unanswered"],
        Hears(|m| if m.is(P::CanDo) { Fate::Also(response(P::OptionRes, &[b"CAN_DO"])) } else { Fate::Pass }),
    ),
    breakage(
        "cant-do-answered",
        "CANT_DO is answered by an ERROR.",
        &["registering-unanswered", "cant-do-unregistered"],
        Hears(|m| {
            if m.is(P::CantDo) {
                Fate::Also(response(P::Error, &[b"NOT_REGISTERED", b"x"]))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "can-do-timeout-ignored",
        "CAN_DO_TIMEOUT is passed over.",
        &["can-do-timeout-registers"],
        Hears(|m| drop_if(m.is(P::CanDoTimeout))),
    ),
    breakage(
        "cant-do-ignored",
        "CANT_DO is passed over.",
        &[
            "cant-do-unregisters",
            "cant-do-not-woken",
            "cant-do-requeues",
            "cant-do-while-running",
            "retry-limit-counts-cant-do",
        ],
        Hears(|m| drop_if(m.is(P::CantDo))),
    ),
    breakage(
        "counts-registrations",
        "One CANT_DO undoes one CAN_DO.",
        &["cant-do-undoes-all"],
        Trick(|| Box::<tricks::CountsRegistrations>::default()),
    ),
    breakage(
        "cant-do-undoes-everything",
        "CANT_DO takes back every function.",
        &["cant-do-leaves-others", "cant-do-keeps-other-jobs"],
        Hears(|m| change(m.is(P::CantDo), m, |m| *m = super::wire::request(P::ResetAbilities, &[]))),
    ),
    breakage(
        "reset-ignored",
        "RESET_ABILITIES is passed over.",
        &["reset-abilities-unregisters", "reset-abilities-requeues"],
        Hears(|m| drop_if(m.is(P::ResetAbilities))),
    ),
    breakage(
        "no-way-back",
        "A function that was taken back cannot be registered again.",
        &["register-again"],
        Trick(|| Box::<tricks::NoWayBack>::default()),
    ),
    breakage(
        "shared-abilities",
        "What one connection registers, all can do.",
        &["registration-own-connection"],
        Trick(|| Box::<tricks::SharesAbilities>::default()),
    ),
    breakage(
        "hands-out-everything",
        "Whoever grabs gets whatever waits.",
        &[
            "grab-nothing-registered",
            "grab-only-registered",
            "cant-do-unregisters",
            "reset-abilities-unregisters",
        ],
        Trick(|| Box::<tricks::HandsOutEverything>::default()),
    ),
    breakage(
        "no-job-unsaid",
        "NO_JOB is not sent.",
        &["grab-job-none", "grab-job-uniq-none", "grab-job-all-none", "grab-answered-once", "noop-is-a-hint"],
        Says(|m| drop_if(m.is(P::NoJob))),
    ),
    breakage(
        "no-job-twice",
        "NO_JOB is sent twice.",
        &["grab-answered-once"],
        Says(|m| if m.is(P::NoJob) { Fate::Twice } else { Fate::Pass }),
    ),
    breakage(
        "assign-unsaid",
        "JOB_ASSIGN is not sent.",
        &["grab-job-assign", "reduce-other-grabs"],
        Says(|m| drop_if(m.is(P::JobAssign))),
    ),
    breakage(
        "assign-uniq-unsaid",
        "JOB_ASSIGN_UNIQ is not sent.",
        &["job-assign-uniq", "function-name-512"],
        Says(|m| drop_if(m.is(P::JobAssignUniq))),
    ),
    breakage(
        "grab-all-is-grab",
        "GRAB_JOB_ALL is taken for GRAB_JOB.",
        &["job-assign-all", "job-assign-all-no-reducer", "reduce-reducer-delivered"],
        Hears(|m| change(m.is(P::GrabJobAll), m, |m| m.retype(P::GrabJob))),
    ),
    breakage(
        "finds-nothing",
        "Every second grab finds nothing.",
        &["grab-finds-work", "function-order-free", "assign-several-to-one"],
        Trick(|| Box::new(tricks::FindsNothing { every: 2, count: 0 })),
    ),
    breakage(
        "assign-other-handle",
        "An assignment carries a handle of its own.",
        &["assign-same-handle"],
        Says(|m| change(assigns(m), m, |m| m.set(0, [&m.argument(0)[..], b"w"].concat()))),
    ),
    breakage(
        "assign-without-unique",
        "JOB_ASSIGN_UNIQ carries no unique.",
        &["assign-same-unique", "unique-63-whole", "unique-64-whole"],
        Says(|m| change(m.is(P::JobAssignUniq), m, |m| m.set(2, *b""))),
    ),
    breakage(
        "assigns-again",
        "A job that is assigned is assigned to the next that grabs as well.",
        &["assign-one-worker", "coalesce-runs-once", "complete-ends-job"],
        Trick(|| Box::<tricks::AssignsAgain>::default()),
    ),
    breakage(
        "one-job-a-worker",
        "A worker that holds a job gets no other.",
        &["assign-several-to-one"],
        Trick(|| Box::new(tricks::OneJobAWorker)),
    ),
    breakage(
        "oldest-first",
        "A worker's results are taken for its oldest job alone.",
        &["assign-finished-in-any-order"],
        Trick(|| Box::new(tricks::OldestFirst)),
    ),
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
    // Epoch.
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
        "background-hears",
        "The results of background jobs are sent to who submitted them.",
        &["background-no-results", "epoch-background", "reduce-background-no-results"],
        Trick(|| Box::new(tricks::Spreads { to_background: true })),
    ),
    breakage(
        "empty-function-ignored",
        "A submit without a function is passed over.",
        &["submit-answered-once"],
        Hears(|m| drop_if(submits(m) && m.argument(0).is_empty())),
    ),
    breakage(
        "function-cut",
        "A submit with a function name that is too long is taken, and the name cut.",
        &["accepted-can-be-assigned"],
        Hears(|m| {
            change(submits(m) && m.argument(0).len() > 512, m, |m| m.set(0, m.argument(0)[..512].to_vec()))
        }),
    ),
    // Reduce.
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
