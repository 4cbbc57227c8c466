//! `either` and `unordered`: what comes decides.

use tokio::time::Instant;

use super::connection::arrival;
use super::difference::Mismatch;
use super::incoming::Message;
use super::player::{Player, Step};
use super::{FailureKind, Outcome};
use crate::language::{Action, Alternative, Attributes, Pattern, Receive, Statement};

/// What the first line of an alternative says at some moment.
enum Verdict {
    /// This is the one.
    Chosen,
    /// It may still become the one.
    Open,
    /// It cannot become the one any more, because of this.
    Out(Option<Mismatch>),
}

impl Player<'_> {
    /// Takes the alternative whose first line comes true first.
    pub(super) async fn either(&mut self, alternatives: &[Alternative], statement: &Statement) -> Step {
        let began = Instant::now();
        let deadline = began + self.longest_wait(alternatives);
        loop {
            let mut mismatch = None;
            let mut is_open = false;
            for alternative in alternatives {
                match self.judge(&alternative.body[0], began) {
                    Verdict::Chosen => return self.take(alternative).await,
                    Verdict::Open => is_open = true,
                    Verdict::Out(why) => mismatch = mismatch.or(why),
                }
            }
            if !is_open {
                let mut mismatch = mismatch.unwrap_or_else(nothing_fits);
                mismatch.summary = format!("none of the {} alternatives begins so", alternatives.len());
                return Err(self.mismatch(statement, mismatch));
            }
            let next =
                self.next_silence(alternatives, began).map_or(deadline, |silence| silence.min(deadline));
            let names = connections_of(alternatives);
            let in_time = arrival(&mut self.all(&names), next).await;
            if !in_time && next == deadline && self.next_silence(alternatives, began).is_none() {
                return self.nothing_came(alternatives, statement, deadline - began);
            }
        }
    }

    async fn take(&mut self, alternative: &Alternative) -> Step {
        self.outcomes.push(Outcome {
            name: alternative.name.clone(),
            grade: alternative.grade,
            line: alternative.line,
        });
        // A `quiet` that chose has had its time already.
        let done = usize::from(matches!(alternative.body[0].action, Action::Quiet { .. }));
        self.block(&alternative.body[done..]).await
    }

    fn judge(&mut self, first: &Statement, began: Instant) -> Verdict {
        if let Some(receive) = first.action.as_receive() {
            return self.judge_receive(receive);
        }
        if let Action::Lines { from, patterns, attributes } = &first.action {
            return self.judge_lines(from, patterns, attributes);
        }
        let Some((on, time)) = first.action.as_quiet() else {
            unreachable!("the parser lets alternatives begin with `<`, `<~`, `<lines` and `quiet` only")
        };
        let quiet = self.all(on).iter().all(|connection| connection.incoming.is_quiet());
        match (quiet, began.elapsed() >= self.stage.stretch(time)) {
            (true, true) => Verdict::Chosen,
            (true, false) => Verdict::Open,
            (false, _) => Verdict::Out(None),
        }
    }

    fn judge_receive(&self, receive: &Receive) -> Verdict {
        let Some(connection) = self.connections.get(&receive.from) else { return Verdict::Out(None) };
        let mut mismatch = None;
        for message in connection.incoming.messages() {
            match self.matcher().input(&receive.input, &receive.attributes, message) {
                Ok(_) => return Verdict::Chosen,
                Err(_) if receive.skip_harmless && self.is_harmless(message) => {}
                Err(wrong) => {
                    mismatch = Some(wrong);
                    break;
                }
            }
        }
        match mismatch {
            Some(mismatch) => Verdict::Out(Some(mismatch)),
            None => Verdict::Open,
        }
    }

    /// A table chooses when all of it is there.
    fn judge_lines(&self, from: &str, patterns: &[Pattern], attributes: &Attributes) -> Verdict {
        let Some(connection) = self.connections.get(from) else { return Verdict::Out(None) };
        let mut lines = Vec::new();
        for message in connection.incoming.messages() {
            match message {
                Message::Line { text, .. } if &text[..] == b"." => {
                    let compared = self.compare_table(lines, patterns, attributes);
                    return compared.map_or_else(|wrong| Verdict::Out(Some(wrong)), |_| Verdict::Chosen);
                }
                Message::Line { text, .. } => lines.push(text.to_vec()),
                Message::Packet(_) | Message::Partial(_) | Message::End(_) => return Verdict::Out(None),
            }
        }
        Verdict::Open
    }

    fn longest_wait(&self, alternatives: &[Alternative]) -> std::time::Duration {
        let wait = |first: &Action| match first.as_quiet() {
            Some((_, time)) => self.stage.stretch(time),
            None => first.patience().map_or(self.usual_wait, |attributes| self.wait(attributes)),
        };
        let waits = alternatives.iter().map(|alternative| wait(&alternative.body[0].action));
        waits.max().unwrap_or(self.usual_wait)
    }

    /// When the first `quiet` that is not over yet will have had its time.
    fn next_silence(&self, alternatives: &[Alternative], began: Instant) -> Option<Instant> {
        let ends = alternatives.iter().filter_map(|alternative| {
            alternative.body[0].action.as_quiet().map(|(_, time)| began + self.stage.stretch(time))
        });
        ends.filter(|end| *end > Instant::now()).min()
    }

    fn nothing_came(
        &mut self,
        alternatives: &[Alternative],
        statement: &Statement,
        wait: std::time::Duration,
    ) -> Step {
        let names: Vec<&str> = alternatives.iter().map(|alternative| alternative.name.as_str()).collect();
        let summary = format!("nothing came within {wait:?} that begins one of {}", names.join(", "));
        Err(self.failure(statement, FailureKind::Silence, summary, Vec::new()))
    }

    /// Waits for all of the lines, in whatever order they come.
    pub(super) async fn unordered(&mut self, body: &[Statement], statement: &Statement) -> Step {
        let mut pending: Vec<(&Statement, &Receive)> = body
            .iter()
            .filter_map(|inner| inner.action.as_receive().map(|receive| (inner, receive)))
            .collect();
        let wait = pending
            .iter()
            .map(|(_, receive)| self.wait(&receive.attributes))
            .max()
            .unwrap_or(self.usual_wait);
        let deadline = Instant::now() + wait;
        while !pending.is_empty() {
            if self.take_any(&mut pending, statement)? {
                continue;
            }
            let names: Vec<String> = pending.iter().map(|(_, receive)| receive.from.clone()).collect();
            if !arrival(&mut self.all(&names), deadline).await && !self.take_any(&mut pending, statement)? {
                let (inner, receive) = pending[0];
                return Err(self.silence(inner, &receive.input, wait));
            }
        }
        Ok(())
    }

    /// Takes one message that is waited for; false when there is none yet.
    fn take_any(
        &mut self,
        pending: &mut Vec<(&Statement, &Receive)>,
        statement: &Statement,
    ) -> Result<bool, Box<super::Failure>> {
        let names: Vec<String> = pending.iter().map(|(_, receive)| receive.from.clone()).collect();
        for name in names {
            let Some(message) = self.connection(&name, statement)?.incoming.head().cloned() else { continue };
            let mut first_wrong = None;
            for at in 0..pending.len() {
                let (inner, receive) = pending[at];
                if receive.from != name {
                    continue;
                }
                match self.matcher().input(&receive.input, &receive.attributes, &message) {
                    Ok(matched) => {
                        self.keep(matched);
                        self.connection(&name, statement)?.incoming.take();
                        pending.remove(at);
                        return Ok(true);
                    }
                    Err(wrong) => first_wrong = first_wrong.or(Some((inner, wrong))),
                }
            }
            let skips = pending.iter().any(|(_, receive)| receive.from == name && receive.skip_harmless);
            if skips && self.is_harmless(&message) {
                self.connection(&name, statement)?.incoming.take();
                return Ok(true);
            }
            if let Some((inner, wrong)) = first_wrong {
                return Err(self.mismatch(inner, wrong));
            }
        }
        Ok(false)
    }
}

fn nothing_fits() -> Mismatch {
    Mismatch { summary: String::new(), rows: Vec::new() }
}

/// The connections that the first lines look at.
fn connections_of(alternatives: &[Alternative]) -> Vec<String> {
    let firsts = alternatives.iter().map(|alternative| &alternative.body[0].action);
    let names = firsts.flat_map(|first| match first.as_quiet() {
        Some((on, _)) => on.to_vec(),
        None => first.source().map(str::to_owned).into_iter().collect(),
    });
    names.collect()
}
