//! Lines that send, and the writes that carry them.

use std::time::Duration;

use bytes::Bytes;
use gearman_protocol::Magic;
use tokio::time::Instant;

use super::connection::Connection;
use super::outgoing::{self, Outgoing};
use super::player::{Player, Step};
use super::timeline::Way;
use super::{Failure, FailureKind};
use crate::language::{Send, Statement, Variant};

impl Player<'_> {
    pub(super) async fn send(&mut self, send: &Send, statement: &Statement) -> Step {
        let outgoing = self.outgoing(send, statement)?;
        let (pieces, gap) = outgoing.writes(self.stage.variant);
        self.write(&send.to, &[outgoing], &pieces, gap, statement).await
    }

    /// Several lines in one write: those of a `batch`, or neighbours in the merged variant.
    pub(super) async fn batch(&mut self, sends: &[Statement], statement: &Statement) -> Step {
        let mut messages = Vec::new();
        let mut to = "";
        for inner in sends {
            if let Some(send) = inner.action.as_send() {
                to = &send.to;
                messages.push(self.outgoing(send, inner)?);
            }
        }
        let (pieces, gap) = outgoing::merged(&messages, self.stage.variant);
        self.write(to, &messages, &pieces, gap, statement).await
    }

    fn outgoing(&mut self, send: &Send, statement: &Statement) -> Result<Outgoing, Box<Failure>> {
        let is_server = self.connections.get(&send.to).is_some_and(Connection::is_accepted);
        let usual = if is_server { Magic::Response } else { Magic::Request };
        self.variables.now = self.stage.wall();
        let built = Outgoing::new(send, &self.variables, usual, self.stage.profile.grab);
        let outgoing = built.map_err(|name| {
            let summary = format!("`${name}` has no value: the branch that captures it was not taken");
            self.failure(statement, FailureKind::Mismatch, summary, Vec::new())
        })?;
        if !is_server {
            self.functions.extend(outgoing.function.clone());
        }
        Ok(outgoing)
    }

    async fn write(
        &mut self,
        to: &str,
        messages: &[Outgoing],
        pieces: &[Bytes],
        gap: Duration,
        statement: &Statement,
    ) -> Step {
        for message in messages {
            self.timeline.note_bytes(to, Way::Out, &message.shown, &message.bytes);
        }
        let deadline =
            Instant::now() + self.usual_wait + gap * u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        let connection = self.connection(to, statement)?;
        if connection.send(pieces, gap, deadline).await {
            return Ok(());
        }
        let summary = format!("the server does not read what is sent on `{to}`");
        Err(self.failure(statement, FailureKind::NotRead, summary, Vec::new()))
    }
}

/// In the merged variant, the lines from here on that send on one connection without anything between them.
pub(super) fn neighbours(body: &[Statement], variant: Variant) -> Option<&[Statement]> {
    if variant != Variant::Merged {
        return None;
    }
    let first = mergeable(body.first()?)?;
    let count = body.iter().take_while(|statement| mergeable(statement) == Some(first)).count();
    (count > 1).then_some(&body[..count])
}

/// The connection that a line sends on, unless the line says itself how it is written.
fn mergeable(statement: &Statement) -> Option<&str> {
    let send = statement.action.as_send()?;
    (send.attributes.split.is_none() && send.attributes.gap.is_none()).then_some(send.to.as_str())
}
