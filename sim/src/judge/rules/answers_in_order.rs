//! Every question gets its answer.

use super::{About, Bench, Fact, Ledger, Rule, RuleInfo};
use crate::history::Shown;
use crate::judge::ledger::{Asked, Question};
use gearman_protocol::{AdminError, AdminReply, AdminRequest, Grab, Response};

#[derive(Debug, Default)]
pub(super) struct AnswersInOrder;

impl Rule for AnswersInOrder {
    const INFO: RuleInfo = RuleInfo {
        name: "answers-in-order",
        sentence: "Each request that has an answer gets the right kind of it, in the order of the requests.",
        defends: &["H-022", "H-041", "H-106", "H-129", "H-130", "R2"],
    };

    fn see(&mut self, fact: &Fact<'_>, _ledger: &Ledger, bench: &mut Bench) {
        match fact {
            Fact::OutOfTurn { connection, expected, response } => {
                let wanted = expected.as_ref().map_or_else(|| "none".to_owned(), |asked| format!("#{}'s", asked.wrote.place));
                let what = format!("an answer came out of turn: {wanted} was next, this came: {}", Shown(*response));
                bench.accuse(About::connection(*connection), what);
            }
            Fact::Unreadable { connection, error } => {
                bench.accuse(About::connection(*connection), format!("the server sent garbage: {error}"));
            }
            Fact::Answered { connection, asked, response } => {
                bench.armed();
                if !is_right(asked, response) {
                    let what = format!("#{} got the answer of another: {}", asked.wrote.place, Shown(*response));
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

#[cfg(test)]
mod tests {
    use crate::judge::script::{accused, armed, broken};

    #[test]
    fn each_question_gets_its_answer() {
        let script = "c> echo one
            c> version
            c> nonsense
            c> option wings
            c> echo two
            c< echo one
            c< line OK 0.1.0
            c< unexpected
            c< unknown_option
            c< echo two";
        assert_eq!((broken(script), armed("answers-in-order", script)), (vec![], 5));
    }

    #[test]
    fn a_submit_may_be_refused_once_the_server_is_told_to_end_and_not_before() {
        let refused = "c> submit mail bg\n c< draining";
        assert_eq!(broken(&format!("server drains\n {refused}")), [""; 0]);
        assert_eq!(broken(refused), ["answers-in-order"]);
        assert_eq!(
            broken(&format!("server drains\n server down\n server up\n {refused}")),
            ["answers-in-order"]
        );
        assert_eq!(broken("server drains\n c> grab\n c< draining"), ["answers-in-order"]);
    }

    #[test]
    fn another_order_another_kind_or_another_content_is_wrong() {
        for answers in ["c< line OK 1\n c< echo one", "c< no_job", "c< echo two", "c< unexpected"] {
            let script = format!("c> echo one\n c> version\n {answers}");
            assert_eq!(broken(&script), ["answers-in-order"], "{answers}");
        }
        assert_eq!(broken("c> echo one\n c< echo one\n c< echo one"), ["answers-in-order"]);
    }

    #[test]
    fn an_accusation_speaks_the_protocols_words() {
        let said = |script: &str| accused(script)[0].what.clone();
        let swapped = said("c> echo one\n c> version\n c< line OK 1");
        assert_eq!(swapped, "an answer came out of turn: #2's was next, this came: OK 1");
        assert_eq!(said("c> echo one\n c< echo two"), "#2 got the answer of another: ECHO_RES \"two\"");
    }

    #[test]
    fn a_grab_is_answered_in_its_form() {
        let submitted = "c> submit mail key=k bg
            c< created H:1
            w> can_do mail";
        assert_eq!(broken(&format!("{submitted}\n w> grab\n w< assign H:1 mail key=k")), ["answers-in-order"]);
        assert_eq!(broken(&format!("{submitted}\n w> grab_all\n w< assign H:1 mail key=k")), [""; 0]);
    }

    #[test]
    fn an_error_may_refuse_any_report_that_stands_before_the_next_question() {
        let script = "w> data H:7 x
            w> complete H:8 y
            w> complete H:9 z
            w> echo e
            w< no_such_data
            w< not_yours
            w< not_yours
            w< echo e";
        assert_eq!(broken(script), [""; 0]);
    }
}
