//! Limits, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Says, Trick};
use super::notes::is_submit;
use super::wire::Message;
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

/// Another `maxqueue` than was asked for.
fn maxqueue(message: &mut Message, other: impl Fn(Vec<&str>) -> Vec<String>) -> Fate {
    change(message.begins("maxqueue "), message, |message| {
        message.rewrite(|text| other(text.split(' ').collect()).join(" "));
    })
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "maxqueue-in-words",
        "`maxqueue` is answered, and limits nothing.",
        &[
            "maxqueue-bounds",
            "maxqueue-policy",
            "maxqueue-refuses",
            "maxqueue-one-number",
            "maxqueue-two-numbers",
            "maxqueue-three-numbers",
            "maxqueue-counts-all",
            "maxqueue-every-submit",
            "maxqueue-before-function",
        ],
        Hears(|m| if m.begins("maxqueue ") { Fate::Reply(super::wire::line("OK")) } else { Fate::Pass }),
    ),
    breakage(
        "maxqueue-other-code",
        "At the limit a submit is refused with another code.",
        &["maxqueue-refuses"],
        Says(|m| change(m.is(P::Error) && m.argument(0) == b"QUEUE_ERROR", m, |m| m.set(0, *b"FULL"))),
    ),
    breakage(
        "maxqueue-for-ever",
        "What was full stays full.",
        &["maxqueue-room-again", "maxqueue-no-number"],
        Trick(|| Box::<tricks::FullForEver>::default()),
    ),
    breakage(
        "maxqueue-zero-is-none",
        "A limit of 0 admits nothing.",
        &["maxqueue-zero"],
        Trick(|| Box::<tricks::AdmitsNothing>::default()),
    ),
    breakage(
        "maxqueue-negative-is-none",
        "A negative limit is taken without its sign.",
        &["maxqueue-negative"],
        Hears(|m| {
            maxqueue(m, |words| {
                owned(&words).iter().map(|word| word.trim_start_matches('-').to_owned()).collect()
            })
        }),
    ),
    breakage(
        "maxqueue-keeps-limit",
        "`maxqueue` without a number changes nothing.",
        &["maxqueue-no-number"],
        Hears(|m| {
            if m.begins("maxqueue ")
                && m.text().is_some_and(|text| text.split(|byte| *byte == b' ').count() == 2)
            {
                Fate::Reply(super::wire::line("OK"))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "maxqueue-for-all",
        "The limit of one function holds for all.",
        &["maxqueue-own-function"],
        Trick(|| Box::<tricks::OneLimitForAll>::default()),
    ),
    breakage(
        "maxqueue-first-number",
        "Of several numbers the first is the limit for every priority.",
        &["maxqueue-two-numbers", "maxqueue-three-numbers"],
        Hears(|m| maxqueue(m, |words| owned(&words[..words.len().min(3)]))),
    ),
    breakage(
        "maxqueue-normal-only",
        "One number is the limit for normal priority alone.",
        &["maxqueue-one-number", "maxqueue-every-submit"],
        Hears(|m| {
            maxqueue(m, |words| {
                if words.len() == 3 {
                    owned(&[words[0], words[1], "0", words[2], "0"])
                } else {
                    owned(&words)
                }
            })
        }),
    ),
    breakage(
        "unique-64-refused",
        "A unique of 64 bytes is passed over.",
        &["unique-64-accepted"],
        Hears(|m| drop_if(m.kind().is_some_and(is_submit) && m.argument(1).len() == 64)),
    ),
    breakage(
        "unique-cut",
        "A unique is cut at 62 bytes.",
        &["unique-63-whole", "unique-64-whole", "unique-64-coalesces", "unique-65-refused"],
        Hears(|m| {
            change(m.kind().is_some_and(is_submit) && m.argument(1).len() > 62, m, |m| {
                m.set(1, m.argument(1)[..62].to_vec())
            })
        }),
    ),
    breakage(
        "function-511",
        "A function name of 512 bytes is passed over.",
        &["function-name-512"],
        Hears(|m| drop_if(m.is(P::CanDo) && m.argument(0).len() > 511)),
    ),
    breakage(
        "function-odd-taken",
        "A function name with a tab is shown as it is.",
        &["function-name-odd"],
        Trick(|| Box::<tricks::OddNames>::default()),
    ),
    breakage(
        "client-id-cut",
        "A client id is cut at 100 bytes.",
        &["client-id-127"],
        Hears(|m| {
            change(m.is(P::SetClientId), m, |m| {
                m.set(0, m.argument(0).into_iter().take(100).collect::<Vec<_>>())
            })
        }),
    ),
    breakage(
        "client-id-closes",
        "A client id of 128 bytes leaves nobody in the table.",
        &["client-id-longer"],
        Hears(|m| if m.is(P::SetClientId) && m.argument(0).len() > 127 { Fate::Cut } else { Fate::Pass }),
    ),
    breakage(
        "long-result-handle-ignored",
        "A result with a handle that is too long is passed over.",
        &["result-handle-oversized"],
        Hears(|m| {
            drop_if(
                matches!(
                    m.kind(),
                    Some(
                        P::WorkComplete
                            | P::WorkData
                            | P::WorkStatus
                            | P::WorkFail
                            | P::WorkWarning
                            | P::WorkException
                    )
                ) && m.argument(0).len() > 63,
            )
        }),
    ),
    breakage(
        "long-numbers-swallowed",
        "A WORK_STATUS with a long number is passed over.",
        &["work-status-number-long"],
        Hears(|m| drop_if(m.is(P::WorkStatus) && m.argument(2).len() > 10)),
    ),
];
