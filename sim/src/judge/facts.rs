//! What follows from an entry: the ledger's words to the rules.

use super::ledger::{Asked, Functions, Handed, JobId, Moment, SubmitId, Wait};
use crate::history::{Closing, Connection, Place, ServerId};
use gearman_protocol::{DecodeError, Handle, JobStatus, Report, Response};

/// One thing that a rule may have an opinion about.
#[derive(Debug)]
pub(crate) enum Fact<'a> {
    /// The server's process ended and whatever it knew is gone.
    Restarted,
    /// A server that was told to end ends. Comes before [`Fact::Restarted`].
    Ends,
    /// A job that a store had kept was handed to nobody in the life of the server that ends here, though this grab
    /// was told that there was no job. Comes before [`Fact::Restarted`].
    Missing { handle: Handle, grab: Place },
    /// A job of an earlier life was handed out for the first time in this one. Comes after [`Fact::Assigned`].
    Inherited { job: JobId, legacy: usize },
    /// A submit was refused.
    Declined,
    /// A submit was refused, because there was no room for its job. Comes after [`Fact::Declined`].
    Full { submit: SubmitId },
    /// A submit was refused, because the server was told to end. Comes after [`Fact::Declined`].
    TooLate { submit: SubmitId },
    /// What was handed out had been refused.
    Unpromised { job: JobId },
    /// An answer came for a request. Comes before what else follows from the answer.
    Answered { connection: Connection, asked: Asked, response: &'a Response },
    /// An answer came that does not answer what is asked next, if anything is.
    OutOfTurn { connection: Connection, expected: Option<Asked>, response: &'a Response },
    /// Bytes came that are no response.
    Unreadable { connection: Connection, error: DecodeError },
    /// A submit was answered. `before` is the job that the same key was known for until now.
    Created { submit: SubmitId, job: JobId, before: Option<JobId> },
    /// A submit was answered with a job that cannot be its own: it has another function or another key.
    Mistaken { submit: SubmitId, job: JobId },
    /// A job was handed out; it is the job's last attempt unless a clash says otherwise.
    /// `ahead` are the worker's functions whose turn came before that of the job's; `was_over` if it had certainly
    /// ended when it was asked for.
    Assigned { job: JobId, attempt: usize, able: Functions, ahead: Functions, handed: Handed, was_over: bool },
    /// A job certainly waited until this assignment of it.
    Waited { job: JobId, wait: Wait },
    /// A job was held by two at once, as these attempts.
    Clash { job: JobId, attempts: [usize; 2] },
    /// A sleeper that can do these was answered something else, and was not woken before.
    SleptOn { asked: Moment, able: Functions },
    /// A NOOP came.
    Nooped { connection: Connection },
    /// A report of the job's own worker got an ERROR.
    Refused { job: JobId, attempt: usize, said: usize },
    /// A report of the job's own worker was passed by without an ERROR.
    Accepted { job: JobId, attempt: usize, said: usize },
    /// A report of somebody who never held the job was passed by without an ERROR.
    StrangerAccepted { connection: Connection, handle: Handle },
    /// A report of somebody who never held the job got an ERROR.
    StrangerRefused,
    /// A watcher heard a report that one of the job's workers wrote.
    Heard { connection: Connection, job: JobId, attempt: usize, said: usize, report: &'a Report },
    /// A watcher heard a report and has missed some that were written before.
    Gap { connection: Connection, job: JobId },
    /// A watcher heard a report less often than it is attached.
    TooSeldom { connection: Connection, job: JobId },
    /// A watcher heard of a failure that no worker wrote: its job was cancelled, or lost too often, or else.
    HeardServer { connection: Connection, job: JobId },
    /// A watcher heard a report of somebody who never held the job.
    HeardStranger { connection: Connection, job: JobId, by: Connection },
    /// A watcher heard a report that nobody wrote.
    HeardNobody { connection: Connection, job: JobId },
    /// A connection heard of a job that it does not watch.
    HeardForeign { connection: Connection, handle: &'a Handle, is_early: bool },
    /// A watcher heard a job's end; `excess` if it has heard as many ends as it is attached already.
    HeardEnd { connection: Connection, job: JobId, excess: bool },
    /// A watcher heard something of a job all of whose ends it has heard.
    HeardAfterEnd { connection: Connection, job: JobId },
    /// A watcher should have heard a job's end before the answer that has just come.
    EndMissing { connection: Connection, job: JobId, dropped: bool },
    /// Of several servers, one was asked to do something; `elsewhere` if its peer has asked another one for the same
    /// over a connection that it has still.
    Asked { connection: Connection, elsewhere: Option<Connection> },
    /// A server told the status of a handle that another one has given out.
    StatusOfAnother { connection: Connection, giver: ServerId, status: &'a JobStatus },
    /// A peer's side of a connection is over.
    Closed { connection: Connection, how: Closing },
    /// All is at rest.
    Rested,
    /// Nothing more will come.
    Finished,
}
