//! Whether every connection is open and every variable captured where it is used.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostic;
use super::transcript::{Action, Input, Kind, Output, Statement, Word};
use super::value::{Pattern, Value};

/// The variable that holds the run's random prefix.
const PREFIX: &str = "ns";

/// Reports what is used before it exists.
pub(super) fn check(body: &[Statement], found: &mut Vec<Diagnostic>) {
    let mut scope =
        Scope { open: BTreeMap::new(), known: BTreeSet::from([PREFIX.to_owned()]), has_listened: false };
    let mut checker = Checker { found, outcomes: BTreeSet::new() };
    checker.block(body, &mut scope);
    let last = body.len().saturating_sub(1);
    for statement in body.iter().take(last) {
        if matches!(statement.action, Action::Finally(_)) {
            checker.report(
                statement,
                "`finally` is the last statement of a transcript",
                "more follows behind it",
            );
        }
    }
    for inner in body.iter().flat_map(Statement::inner) {
        inner.walk(&mut |statement| {
            if matches!(statement.action, Action::Finally(_)) {
                checker.report(statement, "`finally` does not stand inside a block", "move it to the end");
            }
        });
    }
}

/// What exists at a point of the transcript; after a branch, what may exist.
#[derive(Clone)]
struct Scope {
    open: BTreeMap<String, End>,
    known: BTreeSet<String>,
    /// Whether there is an address at which a program under test can be let loose.
    has_listened: bool,
}

/// What an open name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A connection to a server.
    Server,
    /// A connection from a client or a worker.
    Client,
    /// Where clients and workers connect.
    Listener,
    /// A program under test, with which lines of words are exchanged.
    Program,
}

impl Scope {
    fn merge(&mut self, other: Self) {
        self.open.extend(other.open);
        self.known.extend(other.known);
        self.has_listened |= other.has_listened;
    }
}

struct Checker<'f> {
    found: &'f mut Vec<Diagnostic>,
    outcomes: BTreeSet<String>,
}

impl Checker<'_> {
    fn report(&mut self, statement: &Statement, message: impl Into<String>, label: &str) {
        self.found.push(Diagnostic::error(message, statement.span.clone()).label(label));
    }

    fn block(&mut self, body: &[Statement], scope: &mut Scope) {
        body.iter().for_each(|statement| self.statement(statement, scope));
    }

    fn statement(&mut self, statement: &Statement, scope: &mut Scope) {
        match &statement.action {
            Action::Open(names) => {
                names.iter().for_each(|name| self.opened(statement, name, End::Server, scope));
            }
            Action::Listen(name) => {
                if scope.open.values().any(|end| *end == End::Listener) {
                    self.report(statement, "the transcript listens already", "`close` the other first");
                }
                scope.has_listened = true;
                self.opened(statement, name, End::Listener, scope);
            }
            Action::Accept(names) => {
                if !scope.open.values().any(|end| *end == End::Listener) {
                    self.report(statement, "nobody can connect here", "`listen` first");
                }
                names.iter().for_each(|name| self.opened(statement, name, End::Client, scope));
            }
            Action::Start(names) => {
                if !scope.has_listened {
                    self.report(statement, "a program would not know where to connect", "`listen` first");
                }
                names.iter().for_each(|name| self.opened(statement, name, End::Program, scope));
            }
            Action::Close(names) => names.iter().for_each(|name| self.closed(statement, name, scope)),
            Action::Reset(name) => self.closed(statement, name, scope),
            Action::Shutdown(name) => self.used(statement, name, scope),
            Action::Fence { on, .. } => {
                on.iter().for_each(|name| self.used(statement, name, scope));
                if on.iter().any(|name| scope.open.get(name).is_some_and(|end| *end != End::Server)) {
                    self.report(statement, "a fence asks a server", "wait for something, or use `quiet`");
                }
            }
            Action::Quiet { on, .. } => on.iter().for_each(|name| self.used(statement, name, scope)),
            Action::Send(send) => {
                self.used(statement, &send.to, scope);
                self.spoken(statement, &send.to, matches!(send.output, Output::Words(_)), scope);
                self.output(statement, &send.output, scope);
            }
            Action::Receive(receive) => {
                self.used(statement, &receive.from, scope);
                match &receive.input {
                    Input::Words(_) => self.spoken(statement, &receive.from, true, scope),
                    Input::Packet { .. } | Input::Text(_) => {
                        self.spoken(statement, &receive.from, false, scope);
                    }
                    Input::End(_) => {}
                }
                self.direction(statement, &receive.from, &receive.input, scope);
                self.input(statement, &receive.input, scope);
            }
            Action::Lines { from, patterns, .. } => {
                self.used(statement, from, scope);
                patterns.iter().for_each(|pattern| self.pattern(statement, pattern, scope));
            }
            Action::Rest { from, pattern, .. } => {
                self.used(statement, from, scope);
                self.pattern(statement, pattern, scope);
            }
            Action::Batch { sends: body, .. }
            | Action::Unordered(body)
            | Action::Until { body, .. }
            | Action::Finally(body) => {
                self.block(body, scope);
            }
            Action::Either(alternatives) => {
                let before = scope.clone();
                for alternative in alternatives {
                    if !self.outcomes.insert(alternative.name.clone()) {
                        let message = format!("the outcome `{}` is named twice", alternative.name);
                        let finding = Diagnostic::error(message, alternative.span.clone())
                            .label("profiles could not tell them apart");
                        self.found.push(finding);
                    }
                    let mut inside = before.clone();
                    self.block(&alternative.body, &mut inside);
                    scope.merge(inside);
                }
            }
            Action::Repeat { counter, body, .. } => {
                let mut inside = scope.clone();
                inside.known.extend(counter.clone());
                self.block(body, &mut inside);
                // Captures of one round are gone in the next, and after the last.
                scope.open = inside.open;
            }
            Action::When { then, otherwise, .. } => {
                let mut other = scope.clone();
                self.block(then, scope);
                self.block(otherwise, &mut other);
                scope.merge(other);
            }
            Action::Include(included) => {
                let before = self.found.len();
                self.block(&included.body, scope);
                for finding in &mut self.found[before..] {
                    *finding = included.outside(finding, statement.span.clone());
                }
            }
            Action::Sleep(_) | Action::Server(_) => {}
        }
    }

    fn opened(&mut self, statement: &Statement, name: &str, end: End, scope: &mut Scope) {
        if scope.open.insert(name.to_owned(), end).is_some() {
            self.report(statement, format!("`{name}` is open already"), "close it first or use another name");
        }
    }

    fn closed(&mut self, statement: &Statement, name: &str, scope: &mut Scope) {
        self.used(statement, name, scope);
        scope.open.remove(name);
    }

    fn used(&mut self, statement: &Statement, name: &str, scope: &Scope) {
        if !scope.open.contains_key(name) {
            self.report(statement, format!("`{name}` is not open here"), "`open` it first");
        }
    }

    /// Lines of words go to and come from programs, and nothing else does.
    fn spoken(&mut self, statement: &Statement, name: &str, are_words: bool, scope: &Scope) {
        match scope.open.get(name) {
            Some(End::Program) if !are_words => self.report(
                statement,
                format!("`{name}` is a program"),
                "it is told and says `words`; packets travel on what `accept` takes",
            ),
            Some(End::Server | End::Client) if are_words => self.report(
                statement,
                format!("`{name}` is a connection, not a program"),
                "`words` are for what `start` starts",
            ),
            Some(End::Listener) => self.report(
                statement,
                format!("nothing travels on `{name}`, where others connect"),
                "use a connection that `accept` takes",
            ),
            _ => {}
        }
    }

    /// A server sends no requests, and a client no responses.
    fn direction(&mut self, statement: &Statement, name: &str, input: &Input, scope: &Scope) {
        let from_client = scope.open.get(name) == Some(&End::Client);
        let Input::Packet { kind, .. } = input else { return };
        match kind {
            Kind::Request(number) if !from_client => {
                let message = format!("`REQ({number})` is not something a server sends");
                self.report(statement, message, "write `RES(n)`");
            }
            Kind::Response(number) if from_client => {
                let message = format!("`RES({number})` is not something a client sends");
                self.report(statement, message, "write `REQ(n)`");
            }
            Kind::Named(_) | Kind::Request(_) | Kind::Response(_) | Kind::Grab | Kind::Assign => {}
        }
    }

    fn variables(&mut self, statement: &Statement, names: &[&str], scope: &Scope) {
        for name in names {
            if !scope.known.contains(*name) {
                self.report(
                    statement,
                    format!("`${name}` has no value here"),
                    "it is captured nowhere above",
                );
            }
        }
    }

    fn output(&mut self, statement: &Statement, output: &Output, scope: &Scope) {
        let values: Vec<&Value> = match output {
            Output::Packet { arguments, .. } => arguments.iter().collect(),
            Output::Text(value) => vec![value],
            Output::Raw(values) => values.iter().collect(),
            Output::Hex(_) => Vec::new(),
            Output::Words(words) => words.iter().filter_map(Word::bytes).collect(),
        };
        values.iter().for_each(|value| self.variables(statement, &value.variables(), scope));
        if let Output::Packet { kind: Kind::Named(_), arguments } = output {
            self.nul_free(statement, arguments);
        }
    }

    /// A NUL inside an argument that is not the last would be read as its end.
    fn nul_free(&mut self, statement: &Statement, arguments: &[Value]) {
        let Some((_, terminated)) = arguments.split_last() else { return };
        let has_nul = |value: &Value| match value {
            Value::Text(text) => text.fill(|_| Some(b"")).is_ok_and(|bytes| bytes.contains(&0)),
            Value::Variable(_) | Value::Made(_) | Value::Unix(_) => false,
        };
        if terminated.iter().any(has_nul) {
            self.report(
                statement,
                "an argument that is not the last one holds a NUL",
                "it would end there: write `REQ(n)` if that is meant",
            );
        }
    }

    fn input(&mut self, statement: &Statement, input: &Input, scope: &mut Scope) {
        match input {
            Input::Packet { patterns, .. } => {
                patterns.iter().for_each(|pattern| self.pattern(statement, pattern, scope));
            }
            Input::Text(pattern) => self.pattern(statement, pattern, scope),
            Input::Words(words) => {
                let patterns = words.iter().filter_map(Word::bytes);
                patterns.for_each(|pattern| self.pattern(statement, pattern, scope));
            }
            Input::End(_) => {}
        }
    }

    fn pattern(&mut self, statement: &Statement, pattern: &Pattern, scope: &mut Scope) {
        self.variables(statement, &pattern.variables(), scope);
        if let Pattern::Capture { name, .. } = pattern {
            scope.known.insert(name.clone());
        }
    }
}
