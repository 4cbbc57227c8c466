//! Framing, echo and options, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Both, Hears, Says, Setup, Trick};
use super::wire::{Message, response};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "request-magic",
        "Packets from the server begin with the magic of requests.",
        &["response-magic"],
        Says(|m| {
            if let Message::Packet { magic, .. } = m {
                *magic = *b"\0REQ";
            }
            Fate::Pass
        }),
    ),
    breakage(
        "wrong-type-number",
        "WORK_STATUS is sent with the number of another type.",
        &["response-type-number"],
        Says(|m| change(m.is(P::WorkStatus), m, |m| m.retype(P::WorkData))),
    ),
    breakage(
        "size-off-by-one",
        "The announced size of a packet is wrong by one byte.",
        &["response-size-exact"],
        Says(|m| {
            if m.is(P::WorkComplete) || m.is(P::EchoRes) {
                let mut bytes = m.bytes();
                bytes[11] = if bytes[11] > 0 { bytes[11] - 1 } else { 1 };
                *m = Message::Raw(bytes);
            }
            Fate::Pass
        }),
    ),
    breakage(
        "separated-by-blanks",
        "The arguments of an assignment are separated by blanks.",
        &["arguments-separated-by-nul"],
        Says(|m| {
            if let Message::Packet { body, .. } = m
                && body.len() > 1
            {
                body.iter_mut().for_each(|byte| {
                    if *byte == 0 {
                        *byte = b' '
                    }
                });
            }
            Fate::Pass
        }),
    ),
    breakage(
        "workload-ends-at-nul",
        "A workload ends at its first NUL.",
        &["last-argument-to-the-end", "submit-workload-any-bytes"],
        Hears(|m| {
            change(m.is(P::SubmitJob) || m.is(P::SubmitJobBg), m, |m| {
                let workload = m.argument(2);
                m.set(2, workload.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
            })
        }),
    ),
    breakage(
        "whole-reads-only",
        "A message that does not come in one read is lost.",
        &["packet-split-anywhere"],
        Trick(|| Box::new(tricks::WholeReadsOnly)),
    ),
    breakage(
        "impatient",
        "Half a message closes its connection.",
        &["partial-packet-waits", "admin-partial-line"],
        Trick(|| Box::new(tricks::Impatient)),
    ),
    breakage(
        "first-of-a-read",
        "Of several messages in one read the first is seen.",
        &["packets-pipelined", "admin-pipelined"],
        Trick(|| Box::new(tricks::FirstOfARead)),
    ),
    breakage(
        "answers-swapped",
        "ECHO_RES is sent behind the next answer.",
        &["replies-in-request-order"],
        Says(|m| if m.is(P::EchoRes) { Fate::Late } else { Fate::Pass }),
    ),
    breakage(
        "one-kind-a-connection",
        "A connection whose first message was text understands only text, and the other way round.",
        &["text-or-binary-by-first-byte", "text-and-binary-mixed"],
        Trick(|| Box::<tricks::OneKindAConnection>::default()),
    ),
    breakage(
        "one-role",
        "A connection that has submitted cannot work, and the other way round.",
        &["connection-any-role"],
        Trick(|| Box::new(tricks::OneRole)),
    ),
    breakage(
        "unlisted-submits",
        "A request of an unlisted type is taken for SUBMIT_JOB.",
        &["unlisted-type-changes-nothing"],
        Hears(|m| {
            if let Message::Packet { number, .. } = m
                && *number == 43
            {
                *number = P::SubmitJob.number();
            }
            Fate::Pass
        }),
    ),
    breakage(
        "unlisted-ignored",
        "A request of an unlisted type is passed over in silence.",
        &["unlisted-type-refused", "unlisted-type-closed", "hostile-server-lives"],
        Hears(|m| drop_if(m.is_unlisted())),
    ),
    breakage(
        "large-types-ignored",
        "Types of 1000 and more are passed over in silence.",
        &["type-any-number"],
        Hears(|m| drop_if(matches!(m, Message::Packet { number, .. } if *number >= 1000))),
    ),
    breakage(
        "responses-ignored",
        "A request with the type of a response is passed over in silence.",
        &["response-type-refused"],
        Hears(|m| drop_if(m.is(P::JobCreated) || m.is(P::NoJob) || m.is(P::Error) || m.is(P::StatusRes))),
    ),
    breakage(
        "all-yours-closes",
        "ALL_YOURS closes its connection.",
        &["all-yours-harmless"],
        Hears(|m| if m.is(P::AllYours) { Fate::Cut } else { Fate::Pass }),
    ),
    breakage(
        "response-magic-ignored",
        "A packet with the magic of responses is passed over in silence.",
        &["response-magic-refused"],
        Hears(|m| drop_if(matches!(m, Message::Packet { magic, .. } if magic == b"\0RES"))),
    ),
    breakage(
        "any-magic",
        "Any magic is taken for that of requests.",
        &["binary-header-magic", "unknown-magic-closed"],
        Hears(|m| {
            if let Message::Packet { magic, .. } = m {
                *magic = *b"\0REQ";
            }
            Fate::Pass
        }),
    ),
    breakage(
        "surplus-body-ignored",
        "A grab that comes with a body is passed over.",
        &["surplus-body-ignored"],
        Hears(|m| {
            drop_if(matches!(m, Message::Packet { number: 9 | 30 | 39, body, .. } if !body.is_empty()))
        }),
    ),
    breakage(
        "error-terminated",
        "The text of an ERROR ends with a NUL.",
        &["error-code-and-text"],
        Says(|m| {
            change(m.is(P::Error), m, |m| {
                let text = [m.argument(1), vec![0]].concat();
                m.set(1, text);
            })
        }),
    ),
    breakage(
        "error-in-small-letters",
        "Error codes are in small letters.",
        &["error-code-names"],
        Says(|m| change(m.is(P::Error), m, |m| m.set(0, m.argument(0).to_ascii_lowercase()))),
    ),
    breakage(
        "error-closes",
        "After an ERROR the connection is closed.",
        &["connection-survives-error"],
        Says(|m| if m.is(P::Error) { Fate::Close } else { Fate::Pass }),
    ),
    breakage(
        "echo-upper",
        "ECHO_RES comes back in capitals.",
        &["echo-returned"],
        Says(|m| change(m.is(P::EchoRes), m, |m| m.set(0, m.argument(0).to_ascii_uppercase()))),
    ),
    breakage(
        "echo-seven-bits",
        "ECHO_RES has seven bits a byte.",
        &["echo-every-byte"],
        Says(|m| {
            change(m.is(P::EchoRes), m, |m| {
                m.set(0, m.argument(0).iter().map(|byte| byte & 0x7f).collect::<Vec<_>>())
            })
        }),
    ),
    breakage(
        "echo-empty-silent",
        "An empty ECHO_REQ is not answered.",
        &["echo-empty"],
        Hears(|m| drop_if(matches!(m, Message::Packet { body, .. } if body.is_empty()) && m.is(P::EchoReq))),
    ),
    breakage(
        "echo-cut",
        "ECHO_RES holds at most 8191 bytes.",
        &["echo-large"],
        Says(|m| {
            change(m.is(P::EchoRes), m, |m| {
                m.set(0, m.argument(0).into_iter().take(8191).collect::<Vec<_>>())
            })
        }),
    ),
    breakage(
        "option-silent",
        "OPTION_REQ is not answered.",
        &["option-exceptions"],
        Says(|m| drop_if(m.is(P::OptionRes))),
    ),
    breakage(
        "option-other-name",
        "OPTION_RES carries another name.",
        &["option-name-returned"],
        Says(|m| change(m.is(P::OptionRes), m, |m| m.set(0, *b"option"))),
    ),
    breakage(
        "option-anything",
        "Any option is granted.",
        &["option-unknown-refused"],
        Hears(|m| {
            if m.is(P::OptionReq) && !m.argument(0).eq_ignore_ascii_case(b"exceptions") {
                Fate::Reply(response(P::OptionRes, &[&m.argument(0)]))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "option-other-code",
        "An unknown option is refused with another code.",
        &["option-unknown-code"],
        Says(|m| {
            change(m.is(P::Error) && m.argument(0) == b"UNKNOWN_OPTION", m, |m| m.set(0, *b"NO_OPTION"))
        }),
    ),
    breakage(
        "option-for-all",
        "Exceptions are sent to every client, whoever asked for them.",
        &[
            "option-own-connection",
            "work-exception-not-asked-for",
            "work-exception-becomes-fail",
            "work-exception-per-watcher",
        ],
        Setup(|settings| drop(settings.insert("exceptions".to_owned(), String::new()))),
    ),
    breakage(
        "option-once",
        "An option that is set already is not answered.",
        &["option-repeated"],
        Trick(|| Box::new(tricks::OncePer { kind: P::OptionReq, seen: std::collections::BTreeSet::new() })),
    ),
    breakage(
        "option-exact-case",
        "The name of an option is compared with its case.",
        &["option-any-case"],
        Hears(|m| change(m.is(P::OptionReq) && m.argument(0) != b"exceptions", m, |m| m.set(0, *b"unknown"))),
    ),
    breakage(
        "option-not-by-default",
        "The setting that sends exceptions to everybody does nothing.",
        &["option-default-exceptions"],
        Setup(|settings| drop(settings.remove("exceptions"))),
    ),
    breakage(
        "client-id-answered",
        "SET_CLIENT_ID is answered.",
        &["set-client-id-unanswered"],
        Hears(|m| {
            if m.is(P::SetClientId) {
                Fate::Also(response(P::OptionRes, &[&m.argument(0)]))
            } else {
                Fate::Pass
            }
        }),
    ),
    breakage(
        "alone-to-the-others",
        "Whoever sends garbage closes everybody.",
        &["hostile-others-served"],
        Trick(|| Box::new(tricks::ClosesNeighbours::on_garbage())),
    ),
    breakage(
        "dies-of-garbage",
        "Garbage ends the server.",
        &["hostile-server-lives", "hostile-text-harmless"],
        Trick(|| Box::new(tricks::DiesOf { what: tricks::is_garbage })),
    ),
    breakage(
        "garbage-cancels",
        "Garbage cancels every job.",
        &["hostile-jobs-untouched"],
        Trick(|| Box::new(tricks::CancelsOnGarbage)),
    ),
    breakage(
        "garbage-keeps-job",
        "A worker that is closed for what it sent keeps its job.",
        &["hostile-worker-loses-job"],
        Trick(|| Box::new(tricks::SwallowsGarbage)),
    ),
    breakage(
        "waits-for-the-rest",
        "While one connection has sent half a message, nobody else is served.",
        &["half-packet-harmless", "announced-size-harmless"],
        Trick(|| Box::<tricks::WaitsForTheRest>::default()),
    ),
    breakage(
        "waits-for-readers",
        "While one connection does not read, nobody else is served.",
        &["slow-reader-harmless"],
        Trick(|| Box::new(tricks::WaitsForReaders)),
    ),
    breakage(
        "fills-up",
        "A packet that is cut short by the end of its connection is executed.",
        &["packet-cut-short"],
        Trick(|| Box::new(tricks::FillsUp)),
    ),
    breakage(
        "reply-holds-more",
        "An assignment holds bytes that belong to nobody behind the workload.",
        &["replies-hold-own-bytes"],
        Says(|m| {
            change(m.is(P::JobAssignAll), m, |m| {
                if let Message::Packet { body, .. } = m {
                    body.extend(*b"\0old");
                }
            })
        }),
    ),
    breakage(
        "text-swallowed",
        "Lines that are no command are swallowed.",
        &["hostile-text-harmless", "admin-unknown-command", "admin-empty-line"],
        Says(|m| drop_if(m.begins("ERR"))),
    ),
    breakage(
        "long-lines-read",
        "A text line may be as long as it likes.",
        &["text-line-8192"],
        Both(|m| drop_if(matches!(m, Message::Raw(bytes) if bytes.len() > 4096)), |_| Fate::Pass),
    ),
    breakage(
        "many-words-read",
        "A text line may have as many words as it likes.",
        &["text-six-words"],
        Hears(|m| drop_if(m.text().is_some_and(|text| text.split(|byte| *byte == b' ').count() > 5))),
    ),
];
