//! What only several servers can show.

use super::{Desk, Means, Notes, Sabotage, Trick};
use gearman_engine::{Effect, Event};
use gearman_protocol::{Handle, JobStatus, Request, Response, Time};

pub(super) const ALL: &[Sabotage] = &[
    Sabotage {
        name: "another-servers-job-known",
        sentence: "The status of a job that another server has made says that it is known.",
        rule: "one-servers-handle",
        cites: &["H-120", "K21"],
        needle: None,
        means: Means::Trick(|| Box::new(KnowsAll)),
    },
    Sabotage {
        name: "submitted-to-two",
        sentence: "A client that knows several servers submits everything to two of them.",
        rule: "asked-of-one",
        cites: &["J1"],
        needle: None,
        means: Means::SubmitToTwo,
    },
];

struct KnowsAll;

impl Trick for KnowsAll {
    fn event(&mut self, _: Time, event: Event, notes: &Notes, tell: &mut Desk) {
        match event {
            Event::Received { from, request: Request::GetStatus { handle } }
                if is_anothers(&handle, notes) && !notes.was_waiting =>
            {
                let status = JobStatus { handle, known: true, ..JobStatus::default() };
                tell.world(Effect::Send { to: from, response: Response::Status(status) });
            }
            event => tell.server(event),
        }
    }
}

/// Whether a handle looks like one that another server has given out: all begin alike, up to the server's number.
fn is_anothers(handle: &Handle, notes: &Notes) -> bool {
    let prefix = |bytes: &[u8]| bytes.rsplitn(2, |&byte| byte == b':').nth(1).map(<[u8]>::to_vec);
    let theirs = prefix(handle.as_bytes());
    theirs.is_some_and(|theirs| theirs.starts_with(b"H:sim") && theirs != notes.handle_prefix.as_bytes())
}
