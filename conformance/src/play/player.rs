//! Statements, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gearman_protocol::Magic;
use tokio::time::{Instant, sleep};

use super::connection::{Connection, Ending, arrival};
use super::difference::{Mismatch, Row};
use super::drain::drain;
use super::incoming::Message;
use super::matching::{Matched, Matcher};
use super::outgoing::{self, Outgoing};
use super::served::Served;
use super::timeline::{Timeline, Way};
use super::variables::Variables;
use super::{Failure, FailureKind, Outcome, Played, Stage, USUAL_WAIT};
use crate::language::{Action, Attributes, Input, Receive, Send, ServerVerb, Statement, Transcript, Variant};
use crate::profile::Tolerance;

/// How long a server may take to close its side after the transcript has closed its own.
const CLOSING_WAIT: Duration = Duration::from_millis(500);

/// Plays a transcript once and cleans up behind it.
pub async fn play(transcript: &Transcript, stage: Stage<'_>) -> Played {
    let timeline = Timeline::new();
    let mut player = Player {
        usual_wait: stage.stretch(transcript.header.within.unwrap_or(USUAL_WAIT)),
        stage,
        variables: Variables::fresh(),
        connections: BTreeMap::new(),
        expected_ends: BTreeSet::new(),
        functions: BTreeSet::new(),
        outcomes: Vec::new(),
        deviations: BTreeSet::new(),
        endings: Vec::new(),
        closed_by_server: false,
        fences: 0,
        served: Served::default(),
        crashed: None,
        log: Vec::new(),
        timeline: timeline.clone(),
    };
    let (body, last) = match transcript.body.split_last() {
        Some((Statement { action: Action::Finally(last), .. }, body)) => (body, last.as_slice()),
        _ => (transcript.body.as_slice(), [].as_slice()),
    };
    let mut failure = player.block(body).await.err();
    // The heads are told when the failure happens, so what `finally` does cannot blur them.
    let finally = player.block(last).await.err();
    failure = failure.or(finally);
    let took = timeline.elapsed();
    player.finish().await;
    let leftovers = drain(&player.stage, &player.functions).await;
    Played {
        failure: failure.map(|failure| *failure),
        outcomes: player.outcomes,
        deviations: player.deviations,
        endings: player.endings,
        moments: timeline.moments(),
        took,
        closed_by_server: player.closed_by_server,
        leftovers,
        crashed: player.crashed,
        log: player.log,
    }
}

/// The state of one playing.
pub(super) struct Player<'s> {
    pub(super) stage: Stage<'s>,
    pub(super) variables: Variables,
    pub(super) connections: BTreeMap<String, Connection>,
    /// The connections whose end the transcript asked for.
    expected_ends: BTreeSet<String>,
    /// The functions that may have jobs left in their queues.
    functions: BTreeSet<Vec<u8>>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) deviations: BTreeSet<Tolerance>,
    endings: Vec<(String, Ending)>,
    /// Whether the server ended a connection before the transcript did.
    closed_by_server: bool,
    /// How many fences were set, so that each asks for another handle.
    pub(super) fences: u32,
    pub(super) usual_wait: Duration,
    /// Where clients under test connect, and the programs that are under test.
    pub(super) served: Served,
    /// How a program under test crashed.
    crashed: Option<String>,
    /// What programs under test wrote last.
    log: Vec<String>,
    pub(super) timeline: Timeline,
}

/// Failures are large and rare, so they travel boxed.
pub(super) type Step = Result<(), Box<Failure>>;

impl Player<'_> {
    /// Statements nest, and a future cannot hold itself, so this one is boxed.
    pub(super) fn block<'p>(
        &'p mut self,
        body: &'p [Statement],
    ) -> Pin<Box<dyn Future<Output = Step> + std::marker::Send + 'p>> {
        Box::pin(async move {
            let mut at = 0;
            while let Some(statement) = body.get(at) {
                at += match neighbours(&body[at..], self.stage.variant) {
                    Some(sends) => {
                        self.batch(sends, statement).await?;
                        sends.len()
                    }
                    None => {
                        self.statement(statement).await?;
                        1
                    }
                };
            }
            Ok(())
        })
    }

    async fn statement(&mut self, statement: &Statement) -> Step {
        match &statement.action {
            Action::Open(names) => self.open(names, statement).await,
            Action::Close(names) => {
                for name in names {
                    self.close(name).await;
                }
                Ok(())
            }
            Action::Listen(name) => self.listen(name, statement).await,
            Action::Accept(names) => self.accept(names, statement).await,
            Action::Start(names) => self.start(names, statement),
            Action::Reset(name) => {
                self.let_go(name, Connection::reset);
                Ok(())
            }
            Action::Shutdown(name) => {
                self.connection(name, statement)?.shutdown().await;
                Ok(())
            }
            Action::Send(send) => self.send(send, statement).await,
            Action::Receive(receive) => self.receive(receive, statement).await,
            Action::Lines { from, patterns, attributes } => {
                self.lines(from, patterns, attributes, statement).await
            }
            Action::Rest { from, pattern, attributes } => {
                self.rest(from, pattern, attributes, statement).await
            }
            Action::Fence { on, attributes } => self.fence(on, attributes, statement).await,
            Action::Quiet { on, time } => self.quiet(on, *time, statement).await,
            Action::Sleep(time) => {
                sleep(*time).await;
                Ok(())
            }
            Action::Batch { sends, .. } => self.batch(sends, statement).await,
            Action::Unordered(body) => self.unordered(body, statement).await,
            Action::Until { body, attributes } => self.until(body, attributes).await,
            Action::Either(alternatives) => self.either(alternatives, statement).await,
            Action::Repeat { times, counter, body } => self.repeat(*times, counter.as_deref(), body).await,
            Action::When { feature, then, otherwise } => {
                let able = self.stage.profile.features.contains(feature);
                self.block(if able { then } else { otherwise }).await
            }
            Action::Server(verb) => self.control(verb, statement).await,
            Action::Include(included) => self.include(included, statement).await,
            Action::Finally(_) => {
                unreachable!("the parser lets `finally` stand at the end only, and it was taken off there")
            }
        }
    }

    async fn open(&mut self, names: &[String], statement: &Statement) -> Step {
        for name in names {
            let deadline = Instant::now() + self.usual_wait;
            let opened = Connection::open(&self.stage.address, name, self.timeline.clone(), deadline).await;
            match opened {
                Ok(connection) => self.connections.insert(name.clone(), connection),
                Err(error) => {
                    let summary = format!("`{name}` cannot connect to {}: {error}", self.stage.address);
                    return Err(self.failure(statement, FailureKind::Unreachable, summary, Vec::new()));
                }
            };
        }
        Ok(())
    }

    /// Lets go of a connection, stops listening, or ends a program.
    async fn close(&mut self, name: &str) {
        if !self.served.close(name) {
            self.let_go(name, Connection::close);
            let crashed = self.served.end(name).await;
            self.crashed = self.crashed.take().or(crashed);
        }
    }

    fn let_go(&mut self, name: &str, end: impl FnOnce(Connection) -> Ending) {
        if let Some(mut connection) = self.connections.remove(name) {
            self.closed_by_server |= connection.is_ended();
            let ending = end(connection);
            self.endings.push((name.to_owned(), self.excused(name, ending)));
        }
    }

    /// A close by the server that the transcript asked for is no fault.
    fn excused(&self, name: &str, ending: Ending) -> Ending {
        let expected = ending == Ending::WrongSide && self.expected_ends.contains(name);
        if expected { Ending::Clean } else { ending }
    }

    /// Lets go of every connection that is still there.
    async fn finish(&mut self) {
        let wait = self.stage.stretch(CLOSING_WAIT);
        let (crashed, log) = self.served.finish().await;
        self.crashed = self.crashed.take().or(crashed);
        self.log = log;
        if self.stage.program.is_some() {
            // Whoever was at the other end has been killed, so how these end says nothing.
            self.connections.clear();
        }
        for (name, mut connection) in std::mem::take(&mut self.connections) {
            self.closed_by_server |= connection.is_ended();
            let expected = self.expected_ends.contains(&name);
            let ending = connection.finish(expected, Instant::now() + wait).await;
            self.endings.push((name, ending));
        }
    }

    pub(super) fn connection(
        &mut self,
        name: &str,
        statement: &Statement,
    ) -> Result<&mut Connection, Box<Failure>> {
        if !self.connections.contains_key(name) {
            // Only a transcript whose branches open different connections comes here.
            let summary = format!("`{name}` is not open");
            return Err(self.failure(statement, FailureKind::Unreachable, summary, Vec::new()));
        }
        Ok(self.connections.get_mut(name).unwrap_or_else(|| unreachable!("`{name}` was there a moment ago")))
    }

    pub(super) async fn send(&mut self, send: &Send, statement: &Statement) -> Step {
        let outgoing = self.outgoing(send, statement)?;
        let (pieces, gap) = outgoing.writes(self.stage.variant);
        self.write(&send.to, &[outgoing], &pieces, gap, statement).await
    }

    /// Several lines in one write: those of a `batch`, or neighbours in the merged variant.
    async fn batch(&mut self, sends: &[Statement], statement: &Statement) -> Step {
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
        pieces: &[bytes::Bytes],
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

    /// How long a statement waits.
    pub(super) fn wait(&self, attributes: &Attributes) -> Duration {
        attributes.within.map_or(self.usual_wait, |within| self.stage.stretch(within))
    }

    pub(super) fn matcher(&self) -> Matcher<'_> {
        Matcher { variables: &self.variables, profile: self.stage.profile }
    }

    pub(super) fn is_harmless(&self, message: &Message) -> bool {
        match message {
            Message::Packet(packet) => packet
                .packet_type()
                .is_some_and(|packet_type| self.stage.profile.harmless.contains(&packet_type)),
            Message::Line { .. } | Message::Partial(_) | Message::End(_) => false,
        }
    }

    pub(super) async fn receive(&mut self, receive: &Receive, statement: &Statement) -> Step {
        let wait = self.wait(&receive.attributes);
        let deadline = Instant::now() + wait;
        loop {
            let Some(message) = self.connection(&receive.from, statement)?.head(deadline).await else {
                return Err(self.silence(statement, &receive.input, wait));
            };
            match self.matcher().input(&receive.input, &receive.attributes, &message) {
                Ok(matched) => {
                    self.keep(matched);
                    if matches!(receive.input, Input::End(_)) {
                        self.expected_end(&receive.from);
                    }
                    self.connection(&receive.from, statement)?.incoming.take();
                    return Ok(());
                }
                Err(_) if receive.skip_harmless && self.is_harmless(&message) => {
                    self.connection(&receive.from, statement)?.incoming.take();
                }
                Err(mismatch) => return Err(self.mismatch(statement, mismatch)),
            }
        }
    }

    /// The transcript asked for the end of this connection.
    pub(super) fn expected_end(&mut self, name: &str) {
        self.expected_ends.insert(name.to_owned());
    }

    /// Remembers what a match brought.
    pub(super) fn keep(&mut self, matched: Matched) {
        matched.captured.into_iter().for_each(|(name, value)| self.variables.set(&name, value));
        self.deviations.extend(matched.deviations);
    }

    async fn quiet(&mut self, on: &[String], time: Duration, statement: &Statement) -> Step {
        let deadline = Instant::now() + self.stage.stretch(time);
        loop {
            let mut list = self.all(on);
            let in_time = arrival(&mut list, deadline).await;
            let loud = list.iter().find(|connection| !connection.incoming.is_quiet());
            if let Some(connection) = loud {
                let got = connection.incoming.head().map_or_else(
                    || format!("{} bytes of an unfinished message", connection.incoming.unfinished()),
                    ToString::to_string,
                );
                let summary = format!("`{}` is not quiet", connection.name);
                let row = Row::differs(&connection.name, "nothing", got);
                return Err(self.failure(statement, FailureKind::Noise, summary, vec![row]));
            }
            if !in_time {
                return Ok(());
            }
        }
    }

    /// The open connections of these names.
    pub(super) fn all(&mut self, names: &[String]) -> Vec<&mut Connection> {
        self.connections
            .iter_mut()
            .filter(|(name, _)| names.contains(name))
            .map(|(_, connection)| connection)
            .collect()
    }

    async fn repeat(&mut self, times: u32, counter: Option<&str>, body: &[Statement]) -> Step {
        let before = self.variables.clone();
        for round in 0..times {
            if let Some(counter) = counter {
                self.variables.set(counter, round.to_string().into_bytes());
            }
            self.block(body).await?;
            self.variables.back_to(&before);
        }
        Ok(())
    }

    async fn control(&mut self, verb: &ServerVerb, statement: &Statement) -> Step {
        let Some(server) = self.stage.server.as_mut() else {
            unreachable!("cases that need control are skipped without it");
        };
        self.timeline.note("server", Way::Own, &statement.text);
        let done = server.control(verb).await;
        done.map_err(|error| self.failure(statement, FailureKind::Control, error.to_string(), Vec::new()))
    }

    pub(super) fn silence(&mut self, statement: &Statement, input: &Input, wait: Duration) -> Box<Failure> {
        let expected = match input {
            Input::Packet { kind, .. } => kind.to_string(),
            Input::Text(pattern) => format!("text {}", self.matcher().shown(pattern)),
            Input::Words(words) => self.matcher().shown_words(words),
            Input::End(end) => end.to_string(),
        };
        let got = format!("nothing within {wait:?}");
        let row = Row::differs("message", expected, got);
        // A client or a worker under test that is waited for in vain hangs, or waits for something else.
        let kind = if self.stage.program.is_some() { FailureKind::Mute } else { FailureKind::Silence };
        self.failure(statement, kind, "nothing came".to_owned(), vec![row])
    }

    pub(super) fn mismatch(&mut self, statement: &Statement, mismatch: Mismatch) -> Box<Failure> {
        self.failure(statement, FailureKind::Mismatch, mismatch.summary, mismatch.rows)
    }

    /// A failure with what waits on every open connection at this moment.
    pub(super) fn failure(
        &mut self,
        statement: &Statement,
        kind: FailureKind,
        summary: String,
        rows: Vec<Row>,
    ) -> Box<Failure> {
        let heads = self.connections.values_mut().map(head_of).collect();
        Box::new(Failure {
            line: statement.line,
            span: statement.span.clone(),
            included: None,
            statement: statement.text.clone(),
            kind,
            summary,
            rows,
            heads,
        })
    }
}

/// A connection's name and what waits on it.
fn head_of(connection: &mut Connection) -> (String, String) {
    connection.read();
    let incoming = &connection.incoming;
    let more = match incoming.messages().len() {
        0 | 1 => String::new(),
        count => format!("  (and {} more)", count - 1),
    };
    let head = match incoming.head() {
        Some(message) => format!("{message}{more}"),
        None if incoming.unfinished() > 0 => {
            format!("{} bytes of an unfinished message", incoming.unfinished())
        }
        None => "nothing".to_owned(),
    };
    (connection.name.clone(), head)
}

/// In the merged variant, the lines from here on that send on one connection without anything between them.
fn neighbours(body: &[Statement], variant: Variant) -> Option<&[Statement]> {
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
