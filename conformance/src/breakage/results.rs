//! Results and coalescing, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Both, Hears, Says, Trick};
use super::notes::is_submit;
use super::wire::{Message, response};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

fn submits(message: &Message) -> bool {
    message.kind().is_some_and(is_submit)
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "complete-unsaid",
        "WORK_COMPLETE is not forwarded.",
        &[
            "work-complete-forwarded",
            "one-terminal-packet",
            "coalesce-all-get-result",
            "coalesce-foreground-to-background",
            "requeue-keeps-watchers",
            "client-loss-one-of-two",
            "client-loss-running-new-watcher",
            "drain-finishes-jobs",
        ],
        Says(|m| drop_if(m.is(P::WorkComplete))),
    ),
    breakage(
        "fail-unsaid",
        "WORK_FAIL is not sent.",
        &[
            "work-fail-forwarded",
            "work-exception-becomes-fail",
            "cancel-fails-watchers",
            "retry-limit-fails-watchers",
            "timeout-counts-as-loss",
        ],
        Says(|m| drop_if(m.is(P::WorkFail))),
    ),
    breakage(
        "data-unsaid",
        "WORK_DATA is not forwarded.",
        &["work-data-forwarded"],
        Says(|m| drop_if(m.is(P::WorkData))),
    ),
    breakage(
        "warning-unsaid",
        "WORK_WARNING is not forwarded.",
        &["work-warning-forwarded"],
        Says(|m| drop_if(m.is(P::WorkWarning))),
    ),
    breakage(
        "status-unsaid",
        "WORK_STATUS is not forwarded.",
        &["work-status-forwarded", "work-status-number-long"],
        Says(|m| drop_if(m.is(P::WorkStatus))),
    ),
    breakage(
        "exception-unsaid",
        "WORK_EXCEPTION is not forwarded.",
        &["work-exception-forwarded", "work-exception-per-watcher"],
        Says(|m| drop_if(m.is(P::WorkException))),
    ),
    breakage(
        "status-counted",
        "Numerator and denominator are forwarded as whole numbers.",
        &["work-status-verbatim"],
        Says(|m| {
            change(m.is(P::WorkStatus), m, |m| {
                for at in [1, 2] {
                    let digits: Vec<u8> = m.argument(at).into_iter().take_while(u8::is_ascii_digit).collect();
                    m.set(at, if digits.is_empty() { b"0".to_vec() } else { digits });
                }
            })
        }),
    ),
    breakage(
        "exception-ends-nothing",
        "WORK_EXCEPTION is forwarded and ends nothing.",
        &["work-exception-ends-job"],
        Both(
            |m| change(m.is(P::WorkException), m, |m| m.retype(P::WorkWarning)),
            |m| change(m.is(P::WorkWarning), m, |m| m.retype(P::WorkException)),
        ),
    ),
    breakage(
        "exception-and-fail",
        "WORK_EXCEPTION and WORK_FAIL are both sent.",
        &["work-exception-then-fail", "one-terminal-packet", "work-exception-per-watcher"],
        Says(|m| {
            if m.is(P::WorkException) {
                Fate::Also(response(P::WorkFail, &[&m.argument(0)]))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "fail-with-nul",
        "A WORK_FAIL of the server's own ends with a NUL.",
        &["fail-handle-clean"],
        Says(|m| change(m.is(P::WorkFail), m, |m| m.set(0, [&m.argument(0)[..], b"\0"].concat()))),
    ),
    breakage(
        "complete-twice",
        "WORK_COMPLETE is sent twice.",
        &["one-terminal-packet", "nothing-after-complete"],
        Says(|m| if m.is(P::WorkComplete) { Fate::Twice } else { Fate::Pass }),
    ),
    breakage(
        "fail-twice",
        "WORK_FAIL is sent twice.",
        &["cancel-fails-watchers", "cancel-running-one-terminal", "retry-limit-fails-watchers"],
        Says(|m| if m.is(P::WorkFail) { Fate::Twice } else { Fate::Pass }),
    ),
    breakage(
        "believes-everybody",
        "A result reaches the clients of its job, whoever sends it and however often.",
        &[
            "result-from-other-worker",
            "nothing-after-complete",
            "result-for-waiting-job",
            "result-not-found",
            "former-owner-refused",
        ],
        Trick(|| Box::new(tricks::BelievesEverybody { as_owner: false })),
    ),
    breakage(
        "anybody-ends-it",
        "A result is taken from any connection as if the job were its own.",
        &["result-from-other-worker-harmless", "result-from-other-worker"],
        Trick(|| Box::new(tricks::BelievesEverybody { as_owner: true })),
    ),
    breakage(
        "data-swapped",
        "WORK_DATA is sent behind the next packet.",
        &["results-in-worker-order"],
        Says(|m| if m.is(P::WorkData) { Fate::Late } else { Fate::Pass }),
    ),
    breakage(
        "result-ends-at-nul",
        "The data of a result ends at its first NUL.",
        &["result-data-any-bytes"],
        Says(|m| {
            change(m.is(P::WorkComplete) || m.is(P::WorkData), m, |m| {
                m.set(1, m.argument(1).split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
            })
        }),
    ),
    breakage(
        "empty-result-filled",
        "A result without data gets some.",
        &["result-data-empty"],
        Says(|m| {
            change(
                (m.is(P::WorkComplete) || m.is(P::WorkData) || m.is(P::WorkWarning))
                    && m.argument(1).is_empty(),
                m,
                |m| m.set(1, *b"0"),
            )
        }),
    ),
    breakage(
        "large-result-cut",
        "A result is cut at a mebibyte.",
        &["result-data-large"],
        Says(|m| {
            change(m.is(P::WorkComplete), m, |m| {
                m.set(1, m.argument(1).into_iter().take(1 << 20).collect::<Vec<_>>())
            })
        }),
    ),
    breakage(
        "results-for-all",
        "Results are sent to every client.",
        &["result-only-to-its-clients"],
        Trick(|| Box::new(tricks::Spreads { to_background: false })),
    ),
    breakage(
        "results-answered",
        "A result is answered.",
        &["result-unanswered"],
        Hears(|m| {
            if m.is(P::WorkComplete) || m.is(P::WorkData) {
                Fate::Also(response(P::OptionRes, &[b"thanks"]))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "complete-ends-nothing",
        "WORK_COMPLETE is forwarded and ends nothing.",
        &["coalesce-ends-with-job", "stored-until-result", "status-ended"],
        Both(
            |m| change(m.is(P::WorkComplete), m, |m| m.retype(P::WorkData)),
            |m| change(m.is(P::WorkData), m, |m| m.retype(P::WorkComplete)),
        ),
    ),
    breakage(
        "fail-ends-nothing",
        "WORK_FAIL is forwarded and ends nothing.",
        &["fail-ends-job"],
        Both(
            |m| {
                if m.is(P::WorkFail) {
                    let handle = m.argument(0);
                    *m = super::wire::request(P::WorkWarning, &[&handle, b""]);
                }
                Fate::Pass
            },
            |m| change(m.is(P::WorkWarning), m, |m| *m = response(P::WorkFail, &[&m.argument(0)])),
        ),
    ),
    breakage(
        "not-found-unsaid",
        "A result for a job that is not there is passed over in silence.",
        &[
            "result-unknown-handle",
            "result-not-found",
            "data-not-found",
            "exception-not-found",
            "former-owner-refused",
            "timeout-late-result",
            "result-handle-oversized",
        ],
        Says(|m| drop_if(m.is(P::Error) && m.argument(0) == b"JOB_NOT_FOUND")),
    ),
    breakage(
        "fail-nul-not-taken",
        "A WORK_FAIL with a NUL after its handle is passed over.",
        &["work-fail-trailing-nul"],
        Hears(|m| {
            drop_if(m.is(P::WorkFail) && matches!(m, Message::Packet { body, .. } if body.ends_with(b"\0")))
        }),
    ),
    // Coalescing.
    breakage(
        "never-coalesces",
        "Nothing is ever coalesced.",
        &[
            "coalesce-waiting",
            "coalesce-running",
            "coalesce-runs-once",
            "coalesce-all-get-result",
            "coalesce-all-get-updates",
            "coalesce-keeps-workload",
            "coalesce-foreground-to-background",
            "coalesce-background-to-foreground",
            "coalesce-scheduled",
            "coalesce-passes-full-queue",
            "unique-64-coalesces",
            "reduce-coalesces",
            "coalesce-twice-by-one-client",
            "status-unique-clients",
            "stored-coalesces",
        ],
        Trick(|| Box::<tricks::NeverCoalesces>::default()),
    ),
    breakage(
        "second-unanswered",
        "A submit with the unique of a live job is passed over.",
        &["coalescing-allowed", "coalesce-waiting"],
        Trick(|| {
            Box::new(tricks::Loses {
                up: |_, message, desk| {
                    super::notes::Submit::of(message).is_some_and(|submit| {
                        !submit.unique.is_empty()
                            && desk
                                .notes
                                .jobs
                                .values()
                                .any(|job| !job.is_over && job.first().unique == submit.unique)
                    })
                },
                down: tricks::never,
            })
        }),
    ),
    breakage(
        "tells-one",
        "Of several watchers one gets the result.",
        &[
            "coalesce-all-get-result",
            "coalesce-twice-by-one-client",
            "retry-limit-fails-watchers",
            "cancel-fails-watchers",
        ],
        Trick(|| Box::<tricks::TellsOne>::default()),
    ),
    breakage(
        "updates-one",
        "Of several watchers one gets WORK_DATA, WORK_WARNING and WORK_STATUS.",
        &["coalesce-all-get-updates"],
        Trick(|| Box::new(tricks::TellsOne::updates())),
    ),
    breakage(
        "replays",
        "Whoever is attached later is sent what came before.",
        &["coalesce-no-replay"],
        Trick(|| Box::<tricks::Replays>::default()),
    ),
    breakage(
        "old-handles",
        "A function and a unique have one handle for ever.",
        &["coalesce-ends-with-job", "handle-not-reused", "coalesce-empty-never"],
        Trick(|| Box::<tricks::OldHandles>::default()),
    ),
    breakage(
        "by-unique-alone",
        "Jobs of different functions are coalesced.",
        &["coalesce-same-function-only"],
        Trick(|| Box::new(tricks::ByUniqueAlone)),
    ),
    breakage(
        "uniques-in-small-letters",
        "The case of uniques is ignored.",
        &["coalesce-unique-exact"],
        Hears(|m| change(submits(m), m, |m| m.set(1, m.argument(1).to_ascii_lowercase()))),
    ),
    breakage(
        "empty-is-a-unique",
        "The empty unique is one like any other.",
        &["coalesce-empty-never", "submit-unique-empty"],
        Hears(|m| change(submits(m) && m.argument(1).is_empty(), m, |m| m.set(1, *b"none"))),
    ),
    breakage(
        "dash-is-nothing",
        "The unique `-` is taken for none.",
        &["coalesce-dash-by-workload"],
        Hears(|m| change(submits(m) && m.argument(1) == b"-", m, |m| m.set(1, *b""))),
    ),
    breakage(
        "dash-is-a-unique",
        "The unique `-` is one like any other.",
        &["coalesce-dash-other-workload", "coalesce-dash-empty-workload"],
        Hears(|m| change(submits(m) && m.argument(1) == b"-", m, |m| m.set(1, *b"dash"))),
    ),
    breakage(
        "hash-is-nothing",
        "The unique `#` is taken for none.",
        &["coalesce-hash-ordinary"],
        Hears(|m| change(submits(m) && m.argument(1) == b"#", m, |m| m.set(1, *b""))),
    ),
    breakage(
        "last-workload",
        "A job runs with the workload that came last.",
        &["coalesce-keeps-workload"],
        Trick(|| Box::<tricks::LastWorkload>::default()),
    ),
    breakage(
        "attached-first",
        "A job to which somebody was attached goes to the front.",
        &["coalesce-keeps-priority"],
        Trick(|| {
            tricks::Reorders::by(
                |job| if job.submits.len() > 1 { -1 } else { i64::try_from(job.seq).unwrap_or(0) },
            )
        }),
    ),
];
