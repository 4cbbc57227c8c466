//! Submits and handles, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Says, Trick};
use super::notes::is_submit;
use super::wire::Message;
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

/// Whether it is a submit of any kind.
fn submits(message: &Message) -> bool {
    message.kind().is_some_and(is_submit)
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
];
