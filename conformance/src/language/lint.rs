//! The rules of the suite, beyond what the language asks.

use std::ops::Range;
use std::time::Duration;

use gearman_protocol::PacketType;

use super::diagnostic::{Diagnostic, Findings};
use super::document::Document;
use super::format::format;
use super::include::{self, Files, NO_FILES, Source};
use super::template::{Part, Template};
use super::transcript::{Action, Kind, Output, Statement, Transcript};
use super::value::{Made, Value};

/// Requests that not every server takes, and the feature that stands for each.
const OPTIONAL: &[(PacketType, &str)] = &[
    (PacketType::EchoReq, "ECHO_REQ"),
    (PacketType::OptionReq, "OPTION_REQ"),
    (PacketType::SubmitJobHighBg, "SUBMIT_JOB_HIGH_BG"),
    (PacketType::SubmitJobLow, "SUBMIT_JOB_LOW"),
    (PacketType::SubmitJobLowBg, "SUBMIT_JOB_LOW_BG"),
    (PacketType::SubmitJobEpoch, "SUBMIT_JOB_EPOCH"),
    (PacketType::SubmitReduceJob, "SUBMIT_REDUCE_JOB"),
    (PacketType::SubmitReduceJobBackground, "SUBMIT_REDUCE_JOB"),
    (PacketType::GrabJob, "GRAB_JOB"),
    (PacketType::GrabJobUniq, "GRAB_JOB_UNIQ"),
    (PacketType::GrabJobAll, "GRAB_JOB_ALL"),
    (PacketType::GetStatusUnique, "GET_STATUS_UNIQUE"),
    (PacketType::WorkData, "WORK_DATA"),
    (PacketType::WorkWarning, "WORK_WARNING"),
];

/// From how long a wait on it is the subject of a case.
const LONG: Duration = Duration::from_secs(1);

/// Reads a transcript and reports what is wrong with it and what should not be written so.
///
/// # Errors
///
/// The findings, if there are any.
pub fn lint(path: &str, text: &str) -> Result<Transcript, Findings> {
    lint_with(path, text, NO_FILES)
}

/// As [`lint`], with the files that it includes.
///
/// # Errors
///
/// As [`lint`].
pub fn lint_with(path: &str, text: &str, files: Files<'_>) -> Result<Transcript, Findings> {
    let (transcript, mut list) = super::read(path, text, files);
    if list.is_empty() {
        header(&transcript, &mut list);
        block(&transcript, &transcript.body.iter().collect::<Vec<_>>(), &mut list);
        if !transcript.plays_server() {
            needs(&transcript, &mut list);
        }
        list.extend(unformatted(text));
        list.sort_by_key(|finding| finding.span.start);
    }
    ended(path, text, list).map(|()| transcript)
}

/// Reads a file that others include, and reports what is wrong with it as far as it can be known without them.
///
/// # Errors
///
/// The findings, if there are any.
pub fn lint_included(path: &str, text: &str, files: Files<'_>) -> Result<(), Findings> {
    let (_, mut list) = include::read(text, &Source::part(path, files));
    if list.is_empty() {
        list.extend(unformatted(text));
    }
    ended(path, text, list)
}

fn ended(path: &str, text: &str, list: Vec<Diagnostic>) -> Result<(), Findings> {
    if list.is_empty() {
        return Ok(());
    }
    Err(Findings { path: path.to_owned(), text: text.to_owned(), list })
}

/// Every statement of a block; what is found in an included file is told where it is included.
fn block(transcript: &Transcript, body: &[&Statement], list: &mut Vec<Diagnostic>) {
    for &statement in body {
        self::statement(transcript, statement, list);
        let before = list.len();
        block(transcript, &statement.inner(), list);
        if let Action::Include(included) = &statement.action {
            for finding in &mut list[before..] {
                *finding = included.outside(finding, statement.span.clone());
            }
        }
    }
}

fn header(transcript: &Transcript, list: &mut Vec<Diagnostic>) {
    let header = &transcript.header;
    let at = key(&transcript.text, "id");
    if header.explain.is_empty() {
        list.push(
            Diagnostic::warning("the case does not explain itself", at.clone())
                .label("no `explain:` block")
                .help("say why the case exists and what goes wrong for people where a server does something else"),
        );
    }
    // The statements are about servers; where the tool is the server, they bind nobody.
    if header.spec.is_empty() && !transcript.plays_server() {
        list.push(
            Diagnostic::warning("the case names no statement of the protocol", at.clone())
                .label("no `spec:`"),
        );
    }
    if header.title.ends_with('.') {
        list.push(Diagnostic::warning("a title has no full stop", key(&transcript.text, "title")));
    }
    if !transcript.path.ends_with(&format!("{}.gtx", header.id)) {
        list.push(
            Diagnostic::warning("the id does not say where the file is", at)
                .label(format!("expected a file {}.gtx", header.id)),
        );
    }
}

/// What a case sends must be among what it needs, or a server without it fails where it should be passed over.
fn needs(transcript: &Transcript, list: &mut Vec<Diagnostic>) {
    let mut missing: Vec<&str> = Vec::new();
    let whatever_happens = transcript.body.iter().filter(|top| !matches!(top.action, Action::When { .. }));
    for top in whatever_happens {
        top.walk(&mut |statement| {
            let feature = statement.action.as_send().and_then(|send| optional(&send.output));
            missing.extend(
                feature.filter(|feature| !transcript.header.needs.iter().any(|need| need == feature)),
            );
        });
    }
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let help = format!("say so in the header: `needs: {}`", missing.join(" "));
        list.push(
            Diagnostic::warning("the case sends what not every server takes", key(&transcript.text, "id"))
                .label("servers without it would fail")
                .help(help),
        );
    }
}

/// The feature that a server must have to take this.
fn optional(output: &Output) -> Option<&'static str> {
    let Output::Packet { kind: Kind::Named(sent), .. } = output else { return None };
    feature_of(*sent)
}

/// The feature that a server must have to take requests of this type, if not every server has it.
pub(crate) fn feature_of(request: PacketType) -> Option<&'static str> {
    OPTIONAL.iter().find(|(packet_type, _)| *packet_type == request).map(|(_, feature)| *feature)
}

fn statement(transcript: &Transcript, statement: &Statement, list: &mut Vec<Diagnostic>) {
    let header = &transcript.header;
    let timed = header.tags.iter().any(|tag| tag == "time");
    let mut warn = |message: &str, label: &str, help: &str| {
        list.push(Diagnostic::warning(message, statement.span.clone()).label(label).help(help));
    };
    let waits = match statement.action.as_quiet() {
        Some((_, time)) => Some(time),
        None => {
            if let Action::Sleep(time) = &statement.action {
                Some(*time)
            } else {
                None
            }
        }
    };
    if waits.is_some_and(|time| time >= LONG) && !timed {
        warn("the case waits for a second or more", "a long wait", "say so in the header: `tags: time`");
    }
    if matches!(statement.action, Action::Server(_)) && !header.needs.iter().any(|need| need == "control") {
        warn(
            "the case controls its server",
            "not possible everywhere",
            "say so in the header: `needs: control`",
        );
    }
    let is_shared = !transcript.plays_server();
    if is_shared && statement.action.as_send().is_some_and(|send| !has_prefix(&send.output)) {
        warn(
            "this function's name does not begin with `${ns}`",
            "it could be one that a live server knows",
            "functions of a case are named `\"${ns}name\"`",
        );
    }
}

/// Whether the function that a packet names carries the run's prefix; packets that name none pass.
fn has_prefix(output: &Output) -> bool {
    let function = match output {
        Output::Packet { kind: Kind::Named(packet_type), arguments } => PacketType::arguments(*packet_type)
            .iter()
            .position(|name| *name == "function")
            .map(|at| &arguments[at]),
        Output::Text(line) => return text_has_prefix(line),
        Output::Packet { .. } | Output::Raw(_) | Output::Hex(_) | Output::Words(_) => None,
    };
    match function {
        None | Some(Value::Variable(_)) => true,
        Some(Value::Text(name)) => name.parts().is_empty() || begins_with_prefix(name),
        Some(Value::Made(Made::Fill { text, .. })) => begins_with_prefix(text),
        Some(Value::Made(_) | Value::Unix(_)) => false,
    }
}

fn begins_with_prefix(name: &Template) -> bool {
    matches!(name.parts().first(), Some(Part::Variable(first)) if first == "ns")
}

/// Text commands that change a function.
fn text_has_prefix(line: &Value) -> bool {
    let Value::Text(line) = line else { return true };
    let start = line.fill(|_| Some(b"")).unwrap_or_default().to_ascii_lowercase();
    let names_function = ["create function ", "drop function ", "maxqueue "]
        .iter()
        .any(|command| start.strip_prefix(command.as_bytes()).is_some_and(|name| !name.is_empty()));
    !names_function || line.variables().any(|name| name == "ns")
}

/// Where a header key stands.
fn key(text: &str, name: &str) -> Range<usize> {
    let start = text.find(&format!("\n{name}:")).map_or(0, |at| at + 1);
    start..start + name.len()
}

/// Marks the first line that `fmt` would change, if there is one.
fn unformatted(text: &str) -> Option<Diagnostic> {
    let formatted = format(&Document::read(text).0);
    if formatted == text {
        return None;
    }
    let mut start = 0;
    for (line, wanted) in text.split_inclusive('\n').zip(formatted.split_inclusive('\n')) {
        if line != wanted {
            break;
        }
        start += line.len();
    }
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let finding = Diagnostic::warning("the transcript is not formatted", start.min(end)..end);
    Some(finding.label("`fmt` changes this").help("run `gearman-conformance fmt` on it"))
}
