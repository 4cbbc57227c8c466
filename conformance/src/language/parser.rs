//! From lines to blocks of statements.

use std::ops::Range;

use super::attributes::Allowed;
use super::diagnostic::Diagnostic;
use super::document::{Document, Line, Section};
use super::header;
use super::include::Source;
use super::step;
use super::token::{Token, TokenKind};
use super::transcript::{Action, Alternative, Header, Input, Receive, Statement};
use super::words::{Words, missing};

/// What a document says; only complete when nothing was found.
pub(super) struct Read {
    pub(super) header: Header,
    pub(super) body: Vec<Statement>,
    pub(super) found: Vec<Diagnostic>,
}

/// Reads a whole document and goes on after each mistake.
pub(super) fn read(document: &Document, source: &Source<'_>, found: Vec<Diagnostic>) -> Read {
    let mut parser = Parser::new(document, source, found);
    parser.version();
    let lines = parser.header();
    let entries = header::entries(&lines, &mut parser.found);
    let rule = parser.rule();
    let header = Header::read(&entries, rule, &mut parser.found);
    let body = parser.file();
    Read { header, body, found: parser.found }
}

/// Reads a document that others include, which has no header, and no `finally`.
pub(super) fn read_included(
    document: &Document,
    source: &Source<'_>,
    found: Vec<Diagnostic>,
) -> (Vec<Statement>, Vec<Diagnostic>) {
    let mut parser = Parser::new(document, source, found);
    parser.version();
    if let Some(line) = parser.header().iter().find(|line| !line.tokens.is_empty()) {
        parser.found.push(
            Diagnostic::error("a file that is included has no header", span(line))
                .label("`---` follows on `gtx 1`"),
        );
    }
    parser.rule();
    (parser.file(), parser.found)
}

struct Parser<'d> {
    document: &'d Document,
    source: &'d Source<'d>,
    /// The lines that say something, below `---`.
    lines: Vec<&'d Line>,
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
    fn new(document: &'d Document, source: &'d Source<'d>, found: Vec<Diagnostic>) -> Self {
        let says_something = |line: &&Line| line.section == Section::Body && !line.tokens.is_empty();
        let lines = document.lines.iter().filter(says_something).collect();
        Self { document, source, lines, at: 0, found }
    }

    /// The lines of a part of the document.
    fn part(&self, section: Section) -> impl Iterator<Item = &'d Line> + use<'d> {
        self.document.lines.iter().filter(move |line| line.section == section)
    }

    fn header(&self) -> Vec<&'d Line> {
        self.part(Section::Header).collect()
    }

    /// Where `---` stands, which must be there.
    fn rule(&mut self) -> Range<usize> {
        if let Some(line) = self.part(Section::Rule).next() {
            return line.start..line.content_end();
        }
        let end = self.document.lines.iter().map(Line::content_end).max().unwrap_or(0);
        self.found.push(missing("`---`, which ends the header,", end));
        0..0
    }

    fn version(&mut self) {
        let line = self.part(Section::Version).find(|line| !line.tokens.is_empty());
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
        let is_message = line.tokens.get(1).is_some_and(|token| step::is_arrow(&token.text));
        let action = if is_message {
            step::message(first, &mut words)?
        } else {
            self.action(first, &mut words, line)?
        };
        let text: Vec<&str> = line.tokens.iter().map(|token| token.text.as_str()).collect();
        Ok(Statement { line: self.number(line), span: span(line), text: text.join(" "), action })
    }

    fn number(&self, line: &Line) -> usize {
        self.document.lines.partition_point(|other| other.start <= line.start)
    }

    fn action(&mut self, first: &Token, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        match first.text.as_str() {
            "batch" => self.batch(words, line),
            "unordered" => self.unordered(words, line),
            "until" => self.until(words, line),
            "either" => self.either(words, line),
            "repeat" => self.repeat(words, line),
            "when" => self.when(words, line),
            "finally" => {
                self.head(words);
                let body = self.closed(line);
                if self.source.is_included() {
                    let message = "`finally` does not stand in a file that is included";
                    return Err(Diagnostic::error(message, span(line)).label("it ends a transcript"));
                }
                Ok(Action::Finally(body))
            }
            "include" => self.include(words),
            _ => step::simple(first, words),
        }
    }

    fn include(&mut self, words: &mut Words<'_>) -> Result<Action, Diagnostic> {
        let path = words.expect("a path")?;
        words.finish()?;
        let (included, found) = self.source.include(&path.text).map_err(|why| {
            Diagnostic::error(format!("`{}` cannot be included: {why}", path.text), path.span())
                .label("expected a file beside this one")
        })?;
        self.found.extend(found.iter().map(|finding| included.outside(finding, path.span())));
        Ok(Action::Include(included))
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
        let head = step::repeat_head(words);
        let body = self.closed(line);
        let (times, counter) = head?;
        Ok(Action::Repeat { times, counter, body })
    }

    fn when(&mut self, words: &mut Words<'_>, line: &Line) -> Result<Action, Diagnostic> {
        let feature = step::feature(words);
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

fn alternative(line: &Line, number: usize, body: Vec<Statement>) -> Result<Alternative, Diagnostic> {
    let mut words = Words::new(line);
    words.next();
    let (grade, name) = step::alternative_head(&mut words)?;
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
