//! `until`: asks again until the answers are as expected.
//!
//! What happens on one connection may show on another only later, and no answer says when.
//! So the question is asked again, and it is the effect that ends the wait, not a guess about how long it takes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Failure;
use super::difference::Mismatch;
use super::incoming::Message;
use super::matching::Matched;
use super::player::{Player, Step};
use crate::language::{Action, Attributes, Input, Receive, Statement};

/// How long before the next question: long enough for a busy server to do something else than answer.
const PAUSE: Duration = Duration::from_millis(2);

impl Player<'_> {
    /// Asks until every answer of a round is as expected; the last round decides when the time is over.
    pub(super) async fn until(&mut self, body: &[Statement], attributes: &Attributes) -> Step {
        let wait = self.wait(attributes);
        let deadline = Instant::now() + wait;
        let before = self.variables.clone();
        while let Some((statement, mut mismatch)) = self.round(body).await? {
            if Instant::now() >= deadline {
                mismatch.summary = format!("after {wait:?} of asking, {}", mismatch.summary);
                return Err(self.mismatch(statement, mismatch));
            }
            self.variables.back_to(&before);
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Asks once and takes every answer; returns the first that was not as expected.
    async fn round<'b>(
        &mut self,
        body: &'b [Statement],
    ) -> Result<Option<(&'b Statement, Mismatch)>, Box<Failure>> {
        let mut wrong = None;
        for statement in body {
            let answered = if let Some(receive) = statement.action.as_receive() {
                self.answered(receive, statement).await?
            } else if let Action::Lines { from, patterns, attributes } = &statement.action {
                let lines = self.table(from, attributes, statement).await?;
                self.compare_table(lines, patterns, attributes)
            } else {
                self.block(std::slice::from_ref(statement)).await?;
                continue;
            };
            match answered {
                Ok(matched) => self.keep(matched),
                Err(mismatch) => wrong = wrong.or(Some((statement, mismatch))),
            }
        }
        Ok(wrong)
    }

    /// Takes one answer, which must be of the kind that is expected; what it says may be another matter.
    async fn answered(
        &mut self,
        receive: &Receive,
        statement: &Statement,
    ) -> Result<Result<Matched, Mismatch>, Box<Failure>> {
        let wait = self.wait(&receive.attributes);
        let deadline = Instant::now() + wait;
        loop {
            let Some(message) = self.connection(&receive.from, statement)?.head(deadline).await else {
                return Err(self.silence(statement, &receive.input, wait));
            };
            let compared = self.matcher().input(&receive.input, &receive.attributes, &message);
            match compared {
                Err(_) if receive.skip_harmless && self.is_harmless(&message) => {
                    self.connection(&receive.from, statement)?.incoming.take();
                }
                Err(mismatch) if !is_of_kind(&receive.input, &message) => {
                    return Err(self.mismatch(statement, mismatch));
                }
                compared => {
                    self.connection(&receive.from, statement)?.incoming.take();
                    return Ok(compared);
                }
            }
        }
    }
}

/// Whether a message is what was asked for, whatever it says.
fn is_of_kind(input: &Input, message: &Message) -> bool {
    match (input, message) {
        (Input::Packet { kind, .. }, Message::Packet(packet)) => packet.number == kind.number(),
        (Input::Text(_) | Input::Words(_), Message::Line { .. }) => true,
        _ => false,
    }
}
