//! Fences: proofs that nothing else was sent.
//!
//! A server answers the requests of one connection in order.
//! When the answer to a request made now comes next, everything that was caused before on that connection has been seen.

use gearman_protocol::PacketType;
use tokio::time::Instant;

use super::difference::{Mismatch, Row};
use super::incoming::Message;
use super::player::{Player, Step};
use crate::language::{Attributes, Input, Kind, Output, Pattern, Send, Statement, Template, Value};
use crate::profile::Fence;

impl Player<'_> {
    /// Sets a fence on each connection, one after the other.
    pub(super) async fn fence(
        &mut self,
        on: &[String],
        attributes: &Attributes,
        statement: &Statement,
    ) -> Step {
        for name in on {
            self.fences += 1;
            let (request, answer) = self.question();
            let send = Send { to: name.clone(), output: request, attributes: Attributes::default() };
            self.send(&send, statement).await?;
            self.answer(name, &answer, attributes, statement).await?;
        }
        Ok(())
    }

    /// A request and the only answer to it.
    fn question(&self) -> (Output, Input) {
        let text = [self.variables.prefix(), format!("fence{}", self.fences).as_bytes()].concat();
        let same = Pattern::Text(Template::literal(&text));
        let no = || Pattern::Text(Template::literal(b"0"));
        let (request, answer, patterns) = match self.stage.profile.fence {
            Fence::Echo => (PacketType::EchoReq, PacketType::EchoRes, vec![same]),
            Fence::Status => {
                let patterns = vec![same, no(), no(), Pattern::Anything, Pattern::Anything];
                (PacketType::GetStatus, PacketType::StatusRes, patterns)
            }
        };
        let arguments = vec![Value::Text(Template::literal(&text))];
        (
            Output::Packet { kind: Kind::Named(request), arguments },
            Input::Packet { kind: Kind::Named(answer), patterns },
        )
    }

    async fn answer(
        &mut self,
        name: &str,
        answer: &Input,
        attributes: &Attributes,
        statement: &Statement,
    ) -> Step {
        let wait = self.wait(attributes);
        let deadline = Instant::now() + wait;
        loop {
            let Some(message) = self.connection(name, statement)?.head(deadline).await else {
                return Err(self.silence(statement, answer, wait));
            };
            if self.matcher().input(answer, attributes, &message).is_ok() {
                self.connection(name, statement)?.incoming.take();
                return Ok(());
            }
            if attributes.nothing_harmless || !self.is_harmless(&message) {
                let mismatch = before_fence(name, &message);
                return Err(self.mismatch(statement, mismatch));
            }
            self.connection(name, statement)?.incoming.take();
        }
    }
}

fn before_fence(name: &str, message: &Message) -> Mismatch {
    let row = Row::differs(name, "nothing before the fence's answer", message.to_string());
    Mismatch { summary: format!("something came on `{name}` before the fence's answer"), rows: vec![row] }
}
