//! Every question gets its answer.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::judge::ledger::{Asked, Question};
use gearman_protocol::{AdminError, AdminReply, AdminRequest, Grab, Response};

#[derive(Debug, Default)]
pub(super) struct AnswersInOrder;

impl Rule for AnswersInOrder {
    const INFO: RuleInfo = RuleInfo {
        name: "answers-in-order",
        sentence: "Each request that has an answer gets the right kind of it, in the order of the requests.",
        defends: &["H-041", "H-106", "H-119", "H-130"],
    };

    fn see(&mut self, fact: &Fact<'_>, _ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::OutOfTurn { connection, expected, response } => {
                let wanted = expected.as_ref().map_or_else(|| "none".to_owned(), |asked| format!("#{}'s", asked.wrote.place));
                let what = format!("an answer came out of turn: {wanted} was next, this came: {response:?}");
                bench.accuse(About::connection(*connection), what);
            }
            Fact::Unreadable { connection, error } => {
                bench.accuse(About::connection(*connection), format!("the server sent garbage: {error}"));
            }
            Fact::Answered { connection, asked, response } => {
                bench.armed();
                if !is_right(asked, response) {
                    let what = format!("#{} got the answer of another: {response:?}", asked.wrote.place);
                    bench.accuse(About::connection(*connection), what);
                }
            }
            _ => {}
        }
    }
}

/// Whether an answer of the right kind says what the request wants to hear.
fn is_right(asked: &Asked, response: &Response) -> bool {
    match (&asked.question, response) {
        (Question::Echo(sent), Response::Echo { data }) => sent == data,
        (Question::Option(sent), Response::Option { name }) => sent == name,
        (Question::Status(handle), Response::Status(status)) => *handle == status.handle,
        (Question::StatusUnique(unique), Response::StatusUnique(status)) => *unique == status.unique,
        (Question::Grab { form, .. }, Response::JobAssign(assignment)) => {
            assignment.form == *form || (*form == Grab::All && assignment.form == Grab::Uniq)
        }
        (Question::Line(command), Response::Admin(AdminReply::Line(line))) => match command {
            AdminRequest::Version => line.starts_with(b"OK "),
            AdminRequest::Malformed(AdminError::UnknownCommand(_)) => line.starts_with(b"ERR UNKNOWN_COMMAND"),
            _ => true,
        },
        _ => true,
    }
}
