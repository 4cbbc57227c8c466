//! Statements of one line, and the first lines of blocks.

use super::attributes::Allowed;
use super::diagnostic::Diagnostic;
use super::message::{self, nearest};
use super::token::{Token, TokenKind};
use super::transcript::{Action, Grade, Receive, Send, ServerVerb};
use super::words::{Words, missing, wrong};
use crate::vocabulary;

const CONNECTION: &str = "the name of a connection";

pub(super) fn is_arrow(text: &str) -> bool {
    matches!(text, ">" | "<" | "<~" | "<lines" | "<rest")
}

/// A statement without a block; `first` has been taken from the line.
pub(super) fn simple(first: &Token, words: &mut Words<'_>) -> Result<Action, Diagnostic> {
    let action = match first.text.as_str() {
        "open" => Action::Open(words.names(CONNECTION)?),
        "close" => Action::Close(words.names(CONNECTION)?),
        "accept" => Action::Accept(words.names(CONNECTION)?),
        "start" => Action::Start(words.names("the name of a program")?),
        "shutdown" => Action::Shutdown(words.name(CONNECTION)?),
        "reset" => Action::Reset(words.name(CONNECTION)?),
        "listen" => Action::Listen(words.name(CONNECTION)?),
        "sleep" => Action::Sleep(words.duration()?),
        "server" => Action::Server(server(words)?),
        "quiet" => quiet(words)?,
        "fence" => {
            Action::Fence { on: words.names(CONNECTION)?, attributes: words.attributes(Allowed::FENCE)? }
        }
        _ => return Err(unknown_statement(first, words)),
    };
    words.finish()?;
    Ok(action)
}

/// `A > ...` and its relatives; the arrow has been seen.
pub(super) fn message(first: &Token, words: &mut Words<'_>) -> Result<Action, Diagnostic> {
    let mut connection = Words::single(first);
    let name = connection.name(CONNECTION)?;
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
    let on: Result<Vec<String>, Diagnostic> = (0..count).map(|_| words.name(CONNECTION)).collect();
    let (on, time) = (on?, words.duration()?);
    if on.is_empty() {
        return Err(missing("the name of a connection, before the time,", words.end()));
    }
    Ok(Action::Quiet { on, time })
}

/// The feature behind `when`.
pub(super) fn feature(words: &mut Words<'_>) -> Result<String, Diagnostic> {
    let token = words.expect("the name of a feature")?;
    words.finish()?;
    vocabulary::check_feature(&token.text)
        .map(|()| token.text.clone())
        .map_err(|help| wrong(token, "a feature").help(help))
}

/// How often, and the variable that counts.
pub(super) fn repeat_head(words: &mut Words<'_>) -> Result<(u32, Option<String>), Diagnostic> {
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

/// Grade and name behind `alt`.
pub(super) fn alternative_head(words: &mut Words<'_>) -> Result<(Grade, String), Diagnostic> {
    let word = words.expect("a grade")?;
    let grade =
        Grade::from_word(&word.text).ok_or_else(|| wrong(word, "a grade: ok, info, non-strict or wrong"))?;
    let name = words.name("the outcome's name")?;
    words.finish()?;
    Ok((grade, name))
}
