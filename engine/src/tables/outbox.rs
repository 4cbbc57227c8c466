//! What a connection is told, in order, although some of it has to wait.

use gearman_protocol::{Report, Response};
use std::collections::VecDeque;

/// Responses that are held back because an earlier one still waits for the store, or is not told to its end.
///
/// JOB_CREATED says nothing about the submit it answers, so a client counts replies; none may overtake.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    held: VecDeque<Held>,
    /// How many entries have left.
    gone: u64,
    /// What the responses count against the limits, in bytes.
    bytes: usize,
}

/// What a response that is held back counts besides its long parts, in bytes.
const RESPONSE_OVERHEAD: usize = 128;

/// A response that is held back, or the place of one that is not known yet.
#[derive(Debug)]
enum Held {
    Ready(Response),
    /// Counts so many bytes against the limits.
    Awaited(usize),
}

/// The place of a response that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Outbox {
    /// Whether nothing is held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds a response back behind what is already held.
    pub(crate) fn hold(&mut self, response: Response) {
        self.bytes += size(&response);
        self.held.push_back(Held::Ready(response));
    }

    /// Keeps a place for a response that is not known yet, and whose request is counted elsewhere.
    pub(crate) fn await_answer(&mut self) -> Ticket {
        self.keep_place(0)
    }

    /// Keeps a place for a table, which counts: whoever asks for many before the first is told can be cut off.
    pub(crate) fn await_table(&mut self) -> Ticket {
        self.keep_place(RESPONSE_OVERHEAD)
    }

    fn keep_place(&mut self, counts: usize) -> Ticket {
        self.bytes += counts;
        self.held.push_back(Held::Awaited(counts));
        Ticket(self.gone + self.held.len() as u64 - 1)
    }

    /// Whether this place is the first, and everything waits for it.
    pub(crate) fn is_first(&self, ticket: Ticket) -> bool {
        ticket.0 == self.gone && self.is_blocked()
    }

    /// Fills a place that was kept.
    pub(crate) fn answer(&mut self, ticket: Ticket, response: Response) {
        let place = usize::try_from(ticket.0 - self.gone).unwrap_or(usize::MAX);
        self.bytes += size(&response);
        if let Held::Awaited(counted) = std::mem::replace(&mut self.held[place], Held::Ready(response)) {
            self.bytes -= counted;
        }
    }

    /// Takes the next response out that nothing holds back any more.
    pub(crate) fn release(&mut self) -> Option<Response> {
        if self.is_blocked() {
            return None;
        }
        let Held::Ready(response) = self.held.pop_front()? else { unreachable!("the front was ready") };
        self.gone += 1;
        self.bytes -= size(&response);
        Some(response)
    }

    /// What is held back counts so many bytes against the limits.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many places are kept.
    pub(crate) fn awaited(&self) -> usize {
        self.held.iter().filter(|held| matches!(held, Held::Awaited(_))).count()
    }

    /// Whether what is first waits for the store, and so everything does.
    pub(crate) fn is_blocked(&self) -> bool {
        matches!(self.held.front(), Some(Held::Awaited(_)))
    }
}

/// What a response counts against the limits while it is held back, in bytes.
fn size(response: &Response) -> usize {
    RESPONSE_OVERHEAD + payload(response)
}

/// How long the part of a response is that a stranger chose, in bytes.
pub(crate) fn payload(response: &Response) -> usize {
    match response {
        Response::JobAssign(assignment) => assignment.workload.len(),
        Response::Echo { data } => data.len(),
        Response::Work { report, .. } => match report {
            Report::Data(data) | Report::Warning(data) | Report::Complete(data) | Report::Exception(data) => {
                data.len()
            }
            Report::Status { numerator, denominator } => numerator.len() + denominator.len(),
            Report::Fail => 0,
        },
        Response::Option { name } => name.len(),
        Response::Status(status) => status.handle.as_bytes().len(),
        Response::StatusUnique(status) => status.unique.len(),
        Response::JobCreated { .. }
        | Response::Noop
        | Response::NoJob
        | Response::Error { .. }
        | Response::Admin(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_protocol::Handle;

    #[test]
    fn a_table_and_what_is_held_back_behind_it_count_until_they_are_released() {
        let mut outbox = Outbox::default();
        let ticket = outbox.await_table();
        assert_eq!(outbox.bytes(), RESPONSE_OVERHEAD);
        let report = Report::Status { numerator: "123".into(), denominator: "4567".into() };
        outbox.hold(Response::Work { handle: Handle::new("H:1"), report });
        assert_eq!(outbox.bytes(), 2 * RESPONSE_OVERHEAD + "1234567".len());
        outbox.answer(ticket, Response::Noop);
        assert_eq!(outbox.bytes(), 2 * RESPONSE_OVERHEAD + "1234567".len());
        while outbox.release().is_some() {}
        assert_eq!(outbox.bytes(), 0);
    }
}
