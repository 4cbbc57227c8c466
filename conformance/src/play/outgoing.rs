//! What a transcript sends, as bytes and as the writes they are cut into.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use gearman_protocol::{HEADER_LENGTH, Magic, PacketType, UnixMillis};

use super::incoming::shown;
use super::variables::Variables;
use super::words::packed;
use crate::language::{Attributes, Kind, LineEnd, Output, Send, Value, Variant, Word};

/// How much of a message is written byte by byte; the rest of a large one follows in one write.
const BYTEWISE: usize = 2048;

/// The pause between two writes of the split variant: long enough for the server to see the first alone.
const SPLIT_GAP: Duration = Duration::from_millis(1);

/// One message to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Bytes,
    /// As transcripts write it, with the values filled in.
    pub(super) shown: String,
    /// The function it names, if it is a packet that names one.
    pub(super) function: Option<Vec<u8>>,
    /// Where the line asks for write boundaries.
    split: Option<Vec<usize>>,
    gap: Duration,
}

impl Outgoing {
    /// The bytes of a line as a peer of this kind sends it, to a worker that grabs so; the error is the name of a
    /// variable without a value.
    pub(super) fn new(
        send: &Send,
        variables: &Variables,
        usual: Magic,
        grab: PacketType,
    ) -> Result<Self, String> {
        let attributes = &send.attributes;
        let (bytes, shown, function) = match &send.output {
            Output::Packet { kind, arguments } => {
                let kind = kind.for_worker(grab);
                packet(kind, &taken_by(kind, arguments), attributes, variables, usual)?
            }
            Output::Words(words) => {
                let line = spoken(words, variables)?;
                let text = super::words::shown_line(line.as_bytes());
                (format!("{line}\n").into(), text, None)
            }
            Output::Text(line) => {
                let line = bytes(line, variables)?;
                let end = attributes.line_end.unwrap_or(LineEnd::CrLf);
                ([&line, end.bytes()].concat().into(), format!("text {}", shown(&line)), None)
            }
            Output::Raw(values) => {
                let values: Result<Vec<_>, _> = values.iter().map(|value| bytes(value, variables)).collect();
                let whole = values?.concat();
                let text = format!("raw {}", shown(&whole));
                (whole.into(), text, None)
            }
            Output::Hex(bytes) => (Bytes::from(bytes.clone()), format!("raw {}", shown(bytes)), None),
        };
        let gap = attributes.gap.unwrap_or_default();
        Ok(Self { bytes, shown, function, split: attributes.split.clone(), gap })
    }

    /// The writes that carry it, and the pause between them.
    pub(super) fn writes(&self, variant: Variant) -> (Vec<Bytes>, Duration) {
        if let Some(split) = &self.split {
            return (cut(&self.bytes, split.iter().copied()), self.gap);
        }
        match variant {
            Variant::AsWritten | Variant::Merged => (vec![self.bytes.clone()], self.gap),
            Variant::Bytes => {
                let until = self.bytes.len().min(BYTEWISE);
                (cut(&self.bytes, 1..=until), self.gap)
            }
            Variant::Split => (cut(&self.bytes, [self.boundary()]), self.gap.max(SPLIT_GAP)),
        }
    }

    /// Behind a packet's header; in the middle of anything shorter.
    fn boundary(&self) -> usize {
        if self.bytes.len() > HEADER_LENGTH { HEADER_LENGTH } else { self.bytes.len() / 2 }
    }
}

/// Several messages in one write.
pub(super) fn merged(messages: &[Outgoing], variant: Variant) -> (Vec<Bytes>, Duration) {
    let whole: Bytes = messages.iter().flat_map(|message| message.bytes.iter().copied()).collect();
    match variant {
        Variant::AsWritten | Variant::Merged => (vec![whole], Duration::ZERO),
        Variant::Bytes => {
            let until = whole.len().min(BYTEWISE);
            (cut(&whole, 1..=until), Duration::ZERO)
        }
        Variant::Split => {
            // Each write ends behind a header, so it carries the end of one message and the head of the next.
            let mut start = 0;
            let mut boundaries = Vec::new();
            for message in messages {
                boundaries.push(start + message.boundary());
                start += message.bytes.len();
            }
            (cut(&whole, boundaries), SPLIT_GAP)
        }
    }
}

/// The pieces between the boundaries; boundaries outside the bytes cut nothing.
fn cut(bytes: &Bytes, boundaries: impl IntoIterator<Item = usize>) -> Vec<Bytes> {
    let mut rest = bytes.clone();
    let mut pieces = Vec::new();
    let mut start = 0;
    for boundary in boundaries {
        if boundary > start && boundary < bytes.len() {
            pieces.push(rest.split_to(boundary - start));
            start = boundary;
        }
    }
    pieces.push(rest);
    pieces
}

fn bytes(value: &Value, variables: &Variables) -> Result<Vec<u8>, String> {
    let get = |name: &str| variables.get(name);
    match value {
        Value::Text(text) => text.fill(get),
        Value::Variable(name) => get(name).map(<[u8]>::to_vec).ok_or_else(|| name.clone()),
        Value::Made(made) => made.bytes(get),
        Value::Unix(ahead) => Ok(unix(variables.now, *ahead)),
    }
}

/// The second that begins so many seconds after the current one began.
fn unix(now: UnixMillis, ahead: u32) -> Vec<u8> {
    let seconds = now.get().div_euclid(1000);
    (seconds + i64::from(ahead)).to_string().into_bytes()
}

/// The line that tells a program these words.
fn spoken(words: &[Word<Value>], variables: &Variables) -> Result<String, String> {
    let words: Result<Vec<String>, String> = words
        .iter()
        .map(|word| match word {
            Word::Plain(plain) => Ok(plain.clone()),
            Word::Bytes(Value::Variable(name)) => {
                let value = variables.get(name).ok_or_else(|| name.clone())?;
                Ok(String::from_utf8_lossy(value).into_owned())
            }
            Word::Bytes(value) => Ok(packed(&bytes(value, variables)?)),
        })
        .collect();
    words.map(|words| words.join(" "))
}

/// The arguments of an assignment that a worker hears: JOB_ASSIGN has no unique.
fn taken_by(kind: Kind, arguments: &[Value]) -> Vec<&Value> {
    let is_whole = arguments.len() == PacketType::JobAssignUniq.arguments().len();
    let without_unique = kind == Kind::Named(PacketType::JobAssign) && is_whole;
    let kept = arguments.iter().enumerate().filter(|(at, _)| !(without_unique && *at == 2));
    kept.map(|(_, value)| value).collect()
}

fn packet(
    kind: Kind,
    arguments: &[&Value],
    attributes: &Attributes,
    variables: &Variables,
    usual: Magic,
) -> Result<(Bytes, String, Option<Vec<u8>>), String> {
    let arguments: Vec<Vec<u8>> =
        arguments.iter().map(|argument| bytes(argument, variables)).collect::<Result<_, _>>()?;
    let body = arguments.join(&0);
    let usual = match kind {
        Kind::Named(_) | Kind::Grab | Kind::Assign => usual,
        Kind::Request(_) => Magic::Request,
        Kind::Response(_) => Magic::Response,
    };
    // A body of 4 GiB cannot be written down in a transcript, so the length always fits.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut wire = BytesMut::with_capacity(HEADER_LENGTH + body.len());
    wire.put_slice(&attributes.magic.unwrap_or_else(|| usual.bytes()));
    wire.put_u32(attributes.number.unwrap_or_else(|| kind.number()));
    wire.put_u32(attributes.length.unwrap_or(length));
    wire.put_slice(&body);
    let list: Vec<String> = arguments.iter().map(|argument| format!(" {}", shown(argument))).collect();
    let function = match kind {
        Kind::Named(packet_type) => position(packet_type, "function").map(|at| arguments[at].clone()),
        Kind::Request(_) | Kind::Response(_) | Kind::Grab | Kind::Assign => None,
    };
    Ok((wire.freeze(), format!("{kind}{}", list.concat()), function))
}

fn position(packet_type: PacketType, argument: &str) -> Option<usize> {
    packet_type.arguments().iter().position(|name| *name == argument)
}
