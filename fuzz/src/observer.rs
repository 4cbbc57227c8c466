//! An administrator who looks at an engine from outside and believes nothing.

use gearman_engine::{ConnectionId, Doors, Effect, Effects, Engine, Event};
use gearman_protocol::{
    AdminReply, AdminRequest, FunctionStatus, JobListing, MAX_HANDLE, Request, Response, Time,
};
use std::collections::BTreeSet;

/// Not a number that any test gives to a peer.
const OBSERVER: ConnectionId = ConnectionId::new(u64::MAX);

/// What `status` and `show jobs` say at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Observer {
    functions: Vec<FunctionStatus>,
    jobs: Vec<JobListing>,
}

impl Observer {
    /// `None` if the server lets nobody in any more: then nobody can look.
    pub(crate) fn new(engine: &mut Engine, now: Time) -> Option<Self> {
        let mut effects = Effects::new();
        engine.handle(now, Event::Opened { from: OBSERVER, peer: "::1".to_owned() }, &mut effects);
        if !effects.as_slice().is_empty() {
            engine.handle(now, Event::Closed { from: OBSERVER }, &mut effects);
            return None;
        }
        for command in [AdminRequest::Status, AdminRequest::ShowJobs] {
            let event = Event::Received { from: OBSERVER, request: Request::Admin(command) };
            engine.handle(now, event, &mut effects);
        }
        engine.handle(now, Event::Closed { from: OBSERVER }, &mut effects);
        let (mut functions, mut jobs) = (Vec::new(), Vec::new());
        for effect in effects.drain() {
            let Effect::Send { response: Response::Admin(reply), .. } = effect else {
                panic!("looking does something: {effect:?}")
            };
            match reply {
                AdminReply::Status(rows) => functions = rows,
                AdminReply::Jobs(rows) => jobs = rows,
                other => panic!("another answer: {other:?}"),
            }
        }
        Some(Self { functions, jobs })
    }

    /// No live job is without its function, no two have one handle, and counts equal what they count.
    pub(crate) fn check(&self) {
        let total: u64 = self.functions.iter().map(|function| function.total).sum();
        assert_eq!(total, self.jobs.len() as u64, "{self:?}");
        assert!(self.functions.iter().all(|function| function.running <= function.total), "{self:?}");
        let names: BTreeSet<_> = self.functions.iter().map(|function| &function.function).collect();
        assert_eq!(names.len(), self.functions.len(), "a function is listed twice: {self:?}");
        let handles: BTreeSet<_> = self.jobs.iter().map(|job| &job.handle).collect();
        assert_eq!(handles.len(), self.jobs.len(), "two jobs have one handle: {self:?}");
        assert!(handles.iter().all(|handle| (1..=MAX_HANDLE).contains(&handle.as_bytes().len())));
    }

    pub(crate) fn jobs(&self) -> &[JobListing] {
        &self.jobs
    }
}

/// The rows of a table of the text protocol.
pub(crate) fn rows(text: &[u8]) -> Vec<&[u8]> {
    let table = text.strip_suffix(b".\n").expect("a table ends with a dot");
    assert!(table.is_empty() || table.ends_with(b"\n"), "the dot has its own line");
    let rows = table.split_inclusive(|&byte| byte == b'\n');
    rows.map(|row| row.strip_suffix(b"\n").expect("rows end")).collect()
}
