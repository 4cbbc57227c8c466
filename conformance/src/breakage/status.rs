//! GET_STATUS and GET_STATUS_UNIQUE, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Says, Trick};
use super::wire::Message;
use super::{Breakage, breakage, change, drop_if, tricks};

/// Changes an argument of every STATUS_RES.
fn status(message: &mut Message, at: usize, value: &[u8]) -> super::Fate {
    change(message.is(P::StatusRes), message, |message| message.set(at, value))
}

fn unique(message: &mut Message, at: usize, value: &[u8]) -> super::Fate {
    change(message.is(P::StatusResUnique), message, |message| message.set(at, value))
}

pub(super) const ALL: &[Breakage] = &[
    breakage(
        "all-known",
        "STATUS_RES says that every job is known.",
        &["status-unknown", "status-ended"],
        Says(|m| status(m, 1, b"1")),
    ),
    breakage(
        "none-known",
        "STATUS_RES says that no job is known.",
        &["status-waiting", "status-running", "status-background", "epoch-known"],
        Says(|m| status(m, 1, b"0")),
    ),
    breakage(
        "none-runs",
        "STATUS_RES says that no job runs.",
        &["status-running"],
        Says(|m| status(m, 2, b"0")),
    ),
    breakage(
        "all-run",
        "STATUS_RES says that every job runs.",
        &["status-waiting", "epoch-known"],
        Says(|m| status(m, 2, b"1")),
    ),
    breakage(
        "status-other-handle",
        "STATUS_RES carries another handle.",
        &["status-same-handle"],
        Says(|m| status(m, 0, b"H:other:1")),
    ),
    breakage(
        "status-numbers-lost",
        "STATUS_RES carries 0 of 0.",
        &["status-numbers", "status-background", "status-numbers-whole"],
        Says(|m| {
            let _ = status(m, 3, b"0");
            status(m, 4, b"0")
        }),
    ),
    breakage(
        "status-numbers-odd",
        "STATUS_RES carries numbers before there are any.",
        &["status-numbers-before-report", "status-numbers-zero"],
        Says(|m| change(m.is(P::StatusRes) && m.argument(4) == b"0", m, |m| m.set(4, *b"100"))),
    ),
    breakage(
        "status-numbers-empty",
        "STATUS_RES carries no numbers before there are any.",
        &["status-numbers-zero"],
        Says(|m| {
            change(m.is(P::StatusRes) && m.argument(4) == b"0", m, |m| {
                m.set(3, *b"");
                m.set(4, *b"");
            })
        }),
    ),
    breakage(
        "own-jobs-only",
        "GET_STATUS knows only the jobs of who asks.",
        &["status-from-anyone"],
        Trick(|| Box::new(tricks::OwnJobsOnly)),
    ),
    breakage(
        "long-handle-ignored",
        "GET_STATUS of a handle that is too long is passed over.",
        &["status-oversized-handle"],
        Hears(|m| drop_if(m.is(P::GetStatus) && m.argument(0).len() > 63)),
    ),
    breakage(
        "unique-all-known",
        "STATUS_RES_UNIQUE says that every job is known.",
        &["status-unique-unknown", "status-unique-empty"],
        Says(|m| unique(m, 1, b"1")),
    ),
    breakage(
        "unique-none-known",
        "STATUS_RES_UNIQUE says that no job is known.",
        &["status-unique-waiting", "status-unique-any-function", "status-unique-running"],
        Says(|m| unique(m, 1, b"0")),
    ),
    breakage(
        "unique-none-runs",
        "STATUS_RES_UNIQUE says that no job runs.",
        &["status-unique-running"],
        Says(|m| unique(m, 2, b"0")),
    ),
    breakage(
        "unique-numbers-lost",
        "STATUS_RES_UNIQUE carries 0 of 0.",
        &["status-unique-numbers"],
        Says(|m| {
            let _ = unique(m, 3, b"0");
            unique(m, 4, b"0")
        }),
    ),
    breakage(
        "unique-names-handle",
        "STATUS_RES_UNIQUE carries a handle.",
        &["status-unique-names-unique"],
        Says(|m| unique(m, 0, b"H:other:1")),
    ),
    breakage(
        "unique-no-clients",
        "STATUS_RES_UNIQUE says that there is one client.",
        &["status-unique-clients", "status-unique-background"],
        Says(|m| unique(m, 5, b"1")),
    ),
];
