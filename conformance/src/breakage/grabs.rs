//! Registrations, grabs and what is assigned, broken.

use gearman_protocol::PacketType as P;

use super::Means::{Hears, Says, Trick};
use super::notes::is_assignment;
use super::wire::{Message, request, response};
use super::{Breakage, Fate, breakage, change, drop_if, tricks};

fn assigns(message: &Message) -> bool {
    message.kind().is_some_and(is_assignment)
}

pub(super) const ALL: &[Breakage] = &[
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
        Hears(|m| change(m.is(P::CantDo), m, |m| *m = request(P::ResetAbilities, &[]))),
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
];
