//! Statements, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connection::{Connection, arrival};
use super::difference::{Mismatch, Row};
use super::drain::drain;
use super::ends::Ends;
use super::incoming::Message;
use super::matching::{Matched, Matcher};
use super::sending::neighbours;
use super::served::Served;
use super::timeline::{Timeline, Way};
use super::variables::Variables;
use super::{Failure, FailureKind, Outcome, Played, Stage, USUAL_WAIT};
use crate::language::{Action, Attributes, Input, Receive, ServerVerb, Statement, Transcript};
use crate::profile::Tolerance;

/// Plays a transcript once and cleans up behind it.
pub async fn play(transcript: &Transcript, stage: Stage<'_>) -> Played {
    let timeline = Timeline::new();
    let mut player = Player {
        usual_wait: stage.stretch(transcript.header.within.unwrap_or(USUAL_WAIT)),
        stage,
        variables: Variables::fresh(),
        connections: BTreeMap::new(),
        ends: Ends::default(),
        functions: BTreeSet::new(),
        outcomes: Vec::new(),
        deviations: BTreeSet::new(),
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
        endings: player.ends.seen,
        moments: timeline.moments(),
        took,
        closed_by_server: player.ends.by_server,
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
    pub(super) ends: Ends,
    /// The functions that may have jobs left in their queues.
    pub(super) functions: BTreeSet<Vec<u8>>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) deviations: BTreeSet<Tolerance>,
    /// How many fences were set, so that each asks for another handle.
    pub(super) fences: u32,
    pub(super) usual_wait: Duration,
    /// Where clients under test connect, and the programs that are under test.
    pub(super) served: Served,
    /// How a program under test crashed.
    pub(super) crashed: Option<String>,
    /// What programs under test wrote last.
    pub(super) log: Vec<String>,
    pub(super) timeline: Timeline,
}

/// Failures are large and rare, so they travel boxed.
pub(super) type Step = Result<(), Box<Failure>>;

impl Player<'_> {
    /// Statements nest, and a future cannot hold itself, so this one is boxed.
    pub(super) fn block<'p>(
        &'p mut self,
        body: &'p [Statement],
    ) -> Pin<Box<dyn Future<Output = Step> + Send + 'p>> {
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
            let opened = Connection::open(&self.stage, name, self.timeline.clone(), deadline).await;
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
                        self.ends.expect(&receive.from);
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
