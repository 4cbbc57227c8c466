//! From lines to statements.

use std::ops::Range;

use super::attributes::Allowed;
use super::diagnostic::Diagnostic;
use super::document::{Document, Line, Section};
use super::header;
use super::message::{self, nearest};
use super::token::{Token, TokenKind};
use super::transcript::{Action, Alternative, Grade, Header, Input, Receive, Send, ServerVerb, Statement};
use super::words::{Words, missing, wrong};
use crate::vocabulary;

/// What a document says; only complete when nothing was found.
pub(super) struct Read {
    pub(super) header: Header,
    pub(super) body: Vec<Statement>,
    pub(super) found: Vec<Diagnostic>,
}

/// Reads a whole document and goes on after each mistake.
pub(super) fn read(document: &Document, found: Vec<Diagnostic>) -> Read {
    let of = |section| document.lines.iter().filter(move |line| line.section == section);
    let mut parser = Parser {
        lines: of(Section::Body).filter(|line| !line.tokens.is_empty()).collect(),
        numbers: document.lines.iter().map(|line| line.start).collect(),
        at: 0,
        found,
    };
    parser.version(of(Section::Version).find(|line| !line.tokens.is_empty()));
    let lines: Vec<&Line> = of(Section::Header).collect();
    let entries = header::entries(&lines, &mut parser.found);
    let rule = of(Section::Rule).next();
    let header =
        Header::read(&entries, rule.map_or(0..0, |line| line.start..line.content_end()), &mut parser.found);
    if rule.is_none() {
        let end = document.lines.iter().map(Line::content_end).max().unwrap_or(0);
        parser.found.push(missing("`---`, which ends the header,", end));
    }
    let body = parser.file();
    Read { header, body, found: parser.found }
}

struct Parser<'d> {
    /// The lines that say something, below `---`.
    lines: Vec<&'d Line>,
    /// Where every line of the document begins.
    numbers: Vec<usize>,
    at: usize,
    found: Vec<Diagnostic>,
}

/// The line that ended a block.
enum Ended<'d> {
    End,
    Else,
    Alternative(&'d Line),
    File,
}

impl<'d> Parser<'d> {
    fn version(&mut self, line: Option<&Line>) {
        let text = line.and_then(|line| line.tokens.first()).map(|token| (token.text.as_str(), token.span()));
        match text {
            Some(("gtx 1", _)) => {}
            Some((other, span)) if other.starts_with("gtx ") => self.found.push(
                Diagnostic::error(
                    format!("`{other}` is a version of the language this tool does not know"),
                    span,
                )
                .label("expected `gtx 1`"),
            ),
            Some((_, span)) => {
                self.found.push(
                    Diagnostic::error("a transcript begins with `gtx 1`", span).label("expected `gtx 1`"),
                );
            }
            None => self.found.push(missing("`gtx 1`", 0)),
        }
    }

    fn file(&mut self) -> Vec<Statement> {
        let mut body = Vec::new();
        loop {
            let (statements, ended) = self.block();
            body.extend(statements);
            let line = match ended {
                Ended::File => return body,
                Ended::End | Ended::Else => self.lines[self.at - 1],
                Ended::Alternative(line) => line,
            };
            let token = &line.tokens[0];
            self.found.push(
                Diagnostic::error(format!("`{}` without a block", token.text), token.span())
                    .label("nothing is open here"),
            );
        }
    }

    /// Statements up to the line that ends their block.
    fn block(&mut self) -> (Vec<Statement>, Ended<'d>) {
        let mut body = Vec::new();
        while let Some(&line) = self.lines.get(self.at) {
            self.at += 1;
            if line.tokens.iter().any(|token| token.kind == TokenKind::Verbatim) {
                // What could not be cut into tokens has been reported.
                continue;
            }
            let first = &line.tokens[0];
            match first.text.as_str() {
                "end" => return (body, self.bare(line, Ended::End)),
                "else" => return (body, self.bare(line, Ended::Else)),
                "alt" => return (body, Ended::Alternative(line)),
                _ => match self.statement(line) {
                    Ok(statement) => body.push(statement),
                    Err(finding) => self.found.push(finding),
                },
            }
        }
        (body, Ended::File)
    }

    /// A line that may hold one word only.
    fn bare(&mut self, line: &Line, ended: Ended<'d>) -> Ended<'d> {
        let mut words = Words::new(line);
        words.next();
        self.found.extend(words.finish().err());
        ended
    }

    /// A block that ends with `end` and nothing else.
    fn closed(&mut self, opened: &Line) -> Vec<Statement> {
        let (mut body, mut ended) = self.block();
        loop {
            match ended {
                Ended::End => return body,
                Ended::File => {
                    self.unclosed(opened);
                    return body;
                }
                Ended::Else | Ended::Alternative(_) => {
                    let stray = &self.lines[self.at - 1].tokens[0];
                    let message = format!("`{}` does not belong to this block", stray.text);
                    self.found.push(
                        Diagnostic::error(message, stray.span())
                            .label(format!("`{}` has no `{}`", opened.tokens[0].text, stray.text)),
                    );
                    let more;
                    (more, ended) = self.block();
                    body.extend(more);
                }
            }
        }
    }

    fn unclosed(&mut self, opened: &Line) {
        let token = &opened.tokens[0];
        self.found.push(
            Diagnostic::error(format!("`{}` is never closed", token.text), token.span())
                .label("no `end` follows"),
        );
    }

    fn statement(&mut self, line: &'d Line) -> Result<Statement, Diagnostic> {
        let mut words = Words::new(line);
        let first = words.expect("a statement")?;
        let is_message = line.tokens.get(1).is_some_and(|token| is_arrow(&token.text));
        let action =
            if is_message { message(first, &mut words)? } else { self.action(first, &mut words, line)? };
        let text: Vec<&str> = line.tokens.iter().map(|token| token.text.as_str()).collect();
        Ok(Statement { line: self.number(line), span: span(line), text: text.join(" "), action })
    }

    fn number(&self, line: &Line) -> usize {
        self.numbers.partition_point(|&start| start <= line.start)
    }

    fn action(&mut self, first: &Token, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        const CONNECTION: &str = "the name of a connection";
        let action = match first.text.as_str() {
            "open" => Action::Open(words.names(CONNECTION)?),
            "close" => Action::Close(words.names(CONNECTION)?),
            "accept" => Action::Accept(words.names(CONNECTION)?),
            "start" => Action::Start(words.names("the name of a program")?),
            "shutdown" => Action::Shutdown(words.name(CONNECTION)?),
            "reset" => Action::Reset(words.name(CONNECTION)?),
            "listen" => Action::Listen(words.name(CONNECTION)?),
            "sleep" => Action::Sleep(words.duration()?),
            "include" => Action::Include(words.expect("a path")?.text.clone()),
            "server" => Action::Server(server(words)?),
            "quiet" => quiet(words)?,
            "fence" => {
                Action::Fence { on: words.names(CONNECTION)?, attributes: words.attributes(Allowed::FENCE)? }
            }
            "batch" => return self.batch(words, line),
            "unordered" => return self.unordered(words, line),
            "until" => return self.until(words, line),
            "either" => return self.either(words, line),
            "repeat" => return self.repeat(words, line),
            "when" => return self.when(words, line),
            "finally" => {
                self.head(words);
                return Ok(Action::Finally(self.closed(line)));
            }
            _ => return Err(unknown_statement(first, words)),
        };
        words.finish()?;
        Ok(action)
    }

    /// The rest of a block's first line must be empty; a mistake there does not lose the block.
    fn head(&mut self, words: &mut Words<'_>) {
        self.found.extend(words.finish().err());
    }

    fn batch(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        let to = words.name("the name of a connection");
        self.head(words);
        let sends = self.closed(line);
        let to = to?;
        for statement in &sends {
            if !matches!(&statement.action, Action::Send(send) if send.to == to) {
                self.found.push(
                    Diagnostic::error(
                        format!("a batch on `{to}` only holds `{to} > ...`"),
                        statement.span.clone(),
                    )
                    .label("does not belong here"),
                );
            }
        }
        Ok(Action::Batch { to, sends })
    }

    fn unordered(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        self.head(words);
        let body = self.closed(line);
        for statement in &body {
            if !matches!(statement.action, Action::Receive(_)) {
                self.found.push(
                    Diagnostic::error(
                        "`unordered` only holds `A < ...` and `A <~ ...`",
                        statement.span.clone(),
                    )
                    .label("does not belong here"),
                );
            }
        }
        Ok(Action::Unordered(body))
    }

    fn until(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        let attributes = words.attributes(Allowed::WAIT);
        let body = self.closed(line);
        for statement in &body {
            let allowed = matches!(statement.action, Action::Send(_)) || is_answer(&statement.action);
            if !allowed {
                let message = "`until` only holds questions, `A > ...`, and their answers";
                self.found.push(
                    Diagnostic::error(message, statement.span.clone())
                        .label("neither the one nor the other")
                        .help("an answer is `A < ...`, `A <~ ...` or `A <lines ...`, and not an end"),
                );
            }
        }
        let asks = matches!(body.first().map(|first| &first.action), Some(Action::Send(_)));
        if !asks || !body.last().is_some_and(|last| is_answer(&last.action)) {
            return Err(Diagnostic::error(
                "`until` begins with a question and ends with an answer",
                span(line),
            )
            .label("there would be nothing to ask again"));
        }
        Ok(Action::Until { body, attributes: attributes? })
    }

    fn repeat(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        let head = repeat_head(words);
        let body = self.closed(line);
        let (times, counter) = head?;
        Ok(Action::Repeat { times, counter, body })
    }

    fn when(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        let feature = feature(words);
        let (then, ended) = self.block();
        let otherwise = match ended {
            Ended::End => Vec::new(),
            Ended::Else => self.closed(line),
            Ended::Alternative(stray) => {
                self.found.push(
                    Diagnostic::error("`alt` belongs to `either`", stray.tokens[0].span())
                        .label("`when` has no alternatives"),
                );
                self.closed(line)
            }
            Ended::File => {
                self.unclosed(line);
                Vec::new()
            }
        };
        Ok(Action::When { feature: feature?, then, otherwise })
    }

    fn either(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        self.head(words);
        let (before, mut ended) = self.block();
        if let Some(statement) = before.first() {
            self.found.push(
                Diagnostic::error("`either` begins with an `alt`", statement.span.clone())
                    .label("expected `alt GRADE NAME`"),
            );
        }
        let mut alternatives: Vec<Alternative> = Vec::new();
        let is_empty = matches!(ended, Ended::End);
        loop {
            match ended {
                Ended::Alternative(head) => {
                    let (body, next) = self.block();
                    ended = next;
                    match alternative(head, self.number(head), body) {
                        Ok(alternative) => alternatives.push(alternative),
                        Err(finding) => self.found.push(finding),
                    }
                }
                Ended::Else => {
                    let stray = &self.lines[self.at - 1].tokens[0];
                    self.found
                        .push(Diagnostic::error("`else` belongs to `when`", stray.span()).label("not here"));
                    (_, ended) = self.block();
                }
                Ended::File => {
                    self.unclosed(line);
                    break;
                }
                Ended::End => break,
            }
        }
        if is_empty {
            return Err(Diagnostic::error("`either` has no alternatives", span(line))
                .label("expected `alt GRADE NAME`"));
        }
        Ok(Action::Either(alternatives))
    }
}

fn span(line: &Line) -> Range<usize> {
    line.content_start()..line.content_end()
}

/// Whether a statement reads one answer, which the next round can ask for again.
fn is_answer(action: &Action) -> bool {
    let is_message = |receive: &Receive| !matches!(receive.input, Input::End(_));
    matches!(action, Action::Lines { .. }) || action.as_receive().is_some_and(is_message)
}

fn is_arrow(text: &str) -> bool {
    matches!(text, ">" | "<" | "<~" | "<lines" | "<rest")
}

/// `A > ...` and its relatives; the arrow has been seen.
fn message(first: &Token, words: &mut Words<'_>) -> Result<Action, Diagnostic> {
    let mut connection = Words::single(first);
    let name = connection.name("the name of a connection")?;
    let arrow = words.expect("an arrow")?;
    match arrow.text.as_str() {
        ">" => {
            let (output, allowed) = message::output(words)?;
            Ok(Action::Send(Send { to: name, output, attributes: words.attributes(allowed)? }))
        }
        "<lines" => {
            let patterns = message::patterns(words)?;
            Ok(Action::Lines { from: name, patterns, attributes: words.attributes(Allowed::TABLE)? })
        }
        "<rest" => {
            let pattern = message::pattern(words.expect("a pattern")?)?;
            Ok(Action::Rest { from: name, pattern, attributes: words.attributes(Allowed::WAIT)? })
        }
        skipping => {
            let (input, allowed) = message::input(words)?;
            let attributes = words.attributes(allowed)?;
            Ok(Action::Receive(Receive { from: name, skip_harmless: skipping == "<~", input, attributes }))
        }
    }
}

fn unknown_statement(first: &Token, words: &Words<'_>) -> Diagnostic {
    const STATEMENTS: [&str; 20] = [
        "open",
        "close",
        "shutdown",
        "reset",
        "fence",
        "quiet",
        "sleep",
        "batch",
        "unordered",
        "until",
        "either",
        "alt",
        "repeat",
        "when",
        "finally",
        "include",
        "server",
        "listen",
        "accept",
        "start",
    ];
    let help = match nearest(&first.text, STATEMENTS) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            format!("a line begins with a connection and an arrow, or with one of {}", STATEMENTS.join(", "))
        }
    };
    match words.peek() {
        Some(token) if token.kind == TokenKind::Word && token.text.starts_with(['<', '>']) => {
            Diagnostic::error(format!("`{}` is not an arrow", token.text), token.span())
                .label("expected `>`, `<`, `<~`, `<lines` or `<rest`")
        }
        _ => Diagnostic::error(format!("`{}` is not a statement", first.text), first.span())
            .label("unknown")
            .help(help),
    }
}

fn server(words: &mut Words<'_>) -> Result<ServerVerb, Diagnostic> {
    let verb = words.expect("what is done to the server")?;
    match verb.text.as_str() {
        "kill" => {
            let signal = words.expect("a signal")?;
            let known =
                ["TERM", "INT", "KILL", "HUP", "USR1", "USR2", "QUIT"].contains(&signal.text.as_str());
            known.then(|| ServerVerb::Kill(signal.text.clone())).ok_or_else(|| {
                wrong(signal, "a signal").help("signals are TERM, INT, KILL, HUP, USR1, USR2 and QUIT")
            })
        }
        "stop" => Ok(ServerVerb::Stop),
        "cont" => Ok(ServerVerb::Continue),
        "start" => Ok(ServerVerb::Start),
        "restart" => Ok(ServerVerb::Restart),
        "ready" => Ok(ServerVerb::Ready),
        "refuses" => Ok(ServerVerb::Refuses),
        "ended" => Ok(ServerVerb::Ended(words.number("an exit code")?)),
        _ => Err(wrong(verb, "kill, stop, cont, start, restart, ready, refuses or ended")),
    }
}

/// `quiet A... dur`: the last word is the time.
fn quiet(words: &mut Words<'_>) -> Result<Action, Diagnostic> {
    let count = words.left().len().saturating_sub(1);
    let on: Result<Vec<String>, Diagnostic> =
        (0..count).map(|_| words.name("the name of a connection")).collect();
    let (on, time) = (on?, words.duration()?);
    if on.is_empty() {
        return Err(missing("the name of a connection, before the time,", words.end()));
    }
    Ok(Action::Quiet { on, time })
}

fn feature(words: &mut Words<'_>) -> Result<String, Diagnostic> {
    let token = words.expect("the name of a feature")?;
    words.finish()?;
    vocabulary::check_feature(&token.text)
        .map(|()| token.text.clone())
        .map_err(|help| wrong(token, "a feature").help(help))
}

fn repeat_head(words: &mut Words<'_>) -> Result<(u32, Option<String>), Diagnostic> {
    let times = words.number("how often")?;
    let counter = match words.next() {
        None => None,
        Some(token) if token.text == "as" => {
            let name = words.expect("a variable, as in `$i`")?;
            let plain = name.text.strip_prefix('$').filter(|name| super::template::is_name(name));
            Some(plain.ok_or_else(|| wrong(name, "a variable, as in `$i`"))?.to_owned())
        }
        Some(token) => return Err(wrong(token, "`as $i`")),
    };
    words.finish()?;
    Ok((times, counter))
}

fn alternative(line: &Line, number: usize, body: Vec<Statement>) -> Result<Alternative, Diagnostic> {
    let mut words = Words::new(line);
    words.next();
    let word = words.expect("a grade")?;
    let grade =
        Grade::from_word(&word.text).ok_or_else(|| wrong(word, "a grade: ok, info, non-strict or wrong"))?;
    let name = words.name("the outcome's name")?;
    words.finish()?;
    match body.first().map(|first| &first.action) {
        Some(Action::Receive(_) | Action::Lines { .. } | Action::Quiet { .. }) => {
            Ok(Alternative { line: number, span: span(line), grade, name, body })
        }
        _ => Err(Diagnostic::error(
            "an alternative begins with `A < ...`, `A <~ ...`, `A <lines ...` or `quiet`",
            span(line),
        )
        .label("nothing here tells it from the others")
        .help("the first line of an alternative decides whether it is the one")),
    }
}
