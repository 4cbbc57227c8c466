//! What travels between peers and a server, written down as a legal transcript while it travels.
//!
//! Each line is written as soon as its message is whole, in one write, and each line that is there makes the transcript
//! legal: whoever dies, what was recorded until then can be played.
//! Connections are named by their first verb: `c` submits and asks, `w` works, `a` speaks the text protocol.
//! Handles become variables, functions carry `${ns}`, and long workloads are made by rule instead of being written out.

pub(crate) mod capture;
pub(crate) mod proxy;
mod spelling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use gearman_protocol::{Magic, PacketType};

use crate::language::LineEnd;
use crate::language::feature_of;
use crate::play::{Ended, Message, RawPacket};
use spelling::Spelling;

/// Writes one transcript.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: File,
    id: String,
    /// What stands below the header.
    body: String,
    spelling: Spelling,
    /// How many connections have each first letter.
    names: BTreeMap<char, u32>,
    actors: Vec<Actor>,
    needs: BTreeSet<&'static str>,
    counts: BTreeMap<(&'static str, u32), u64>,
}

/// One connection.
#[derive(Debug, Default)]
struct Actor {
    /// What it is called, once it has said something.
    name: Option<String>,
    /// The answers in text that are still to come: whether each is a table.
    awaited: VecDeque<bool>,
    /// The lines of a table that is on its way.
    table: Vec<Vec<u8>>,
    peer_has_ended: bool,
    server_has_ended: bool,
}

impl Recorder {
    /// Begins a transcript with this id.
    pub(crate) fn new(file: File, id: String) -> io::Result<Self> {
        let mut recorder = Self {
            file,
            id,
            body: String::new(),
            spelling: Spelling::default(),
            names: BTreeMap::new(),
            actors: Vec::new(),
            needs: BTreeSet::new(),
            counts: BTreeMap::new(),
        };
        let header = recorder.header();
        recorder.file.write_all(header.as_bytes())?;
        Ok(recorder)
    }

    /// A peer has connected; the number stands for it from now on.
    pub(crate) fn opened(&mut self) -> usize {
        self.actors.push(Actor::default());
        self.actors.len() - 1
    }

    /// A message from a peer to the server.
    pub(crate) fn peer_says(&mut self, at: usize, message: &Message) -> io::Result<()> {
        self.count("REQ", message);
        let line = match message {
            Message::Packet(packet) => self.request(packet),
            Message::Line { text, end } => {
                self.actors[at].awaited.push_back(is_table(text));
                self.needs.extend(spelling::text_feature(text));
                let end = match end {
                    LineEnd::Lf => " {eol=lf}",
                    LineEnd::CrLf | LineEnd::None => "",
                };
                format!("text {}{end}", self.spelling.command(text))
            }
            Message::Partial(bytes) => format!("raw {}", spelling::text(bytes)),
            Message::End(ended) => return self.peer_ended(at, *ended),
        };
        let name = self.name(at, message)?;
        self.line(&format!("{name} > {line}"))
    }

    /// A message from the server to a peer.
    pub(crate) fn server_says(&mut self, at: usize, message: &Message) -> io::Result<()> {
        self.count("RES", message);
        if let Message::End(ended) = message {
            return self.server_ended(at, *ended);
        }
        let name = self.name(at, message)?;
        let line = match message {
            Message::Packet(packet) => format!("< {}", self.response(packet)),
            Message::Line { text, .. } => match self.text(at, text) {
                Some(line) => line,
                None => return Ok(()),
            },
            // The language expects whole messages; what the server has begun and not ended is seen by people.
            Message::Partial(_) | Message::End(_) => {
                return self.line(&format!("# {name} is sent a message without its end"));
            }
        };
        self.line(&format!("{name} {line}"))
    }

    fn request(&mut self, packet: &RawPacket) -> String {
        let (Some(packet_type), Some(Magic::Request)) = (packet.packet_type(), magic(packet)) else {
            return self.odd("REQ", packet);
        };
        let names = packet_type.arguments();
        let Some(arguments) = packet.arguments(names.len()) else { return self.odd("REQ", packet) };
        self.needs.extend(feature_of(packet_type));
        let spelled = names.iter().zip(&arguments).map(|(name, bytes)| self.spelling.value(name, bytes));
        let list: Vec<String> = spelled.collect();
        [vec![packet_type.name().to_owned()], list].concat().join(" ")
    }

    fn response(&mut self, packet: &RawPacket) -> String {
        let (Some(packet_type), Some(Magic::Response)) = (packet.packet_type(), magic(packet)) else {
            return self.odd("RES", packet);
        };
        let names = packet_type.arguments();
        let Some(arguments) = packet.arguments(names.len()) else { return self.odd("RES", packet) };
        let names_job = matches!(
            packet_type,
            PacketType::JobCreated
                | PacketType::JobAssign
                | PacketType::JobAssignUniq
                | PacketType::JobAssignAll
        );
        let spelled = names.iter().zip(&arguments).map(|(name, bytes)| {
            let is_new = names_job && *name == "handle";
            self.spelling.pattern(name, bytes, is_new)
        });
        let list: Vec<String> = spelled.collect();
        [vec![packet_type.name().to_owned()], list].concat().join(" ")
    }

    /// A packet that its name cannot stand for.
    fn odd(&mut self, magic: &str, packet: &RawPacket) -> String {
        let body = match packet.body.len() {
            0 => String::new(),
            _ => format!(" {}", self.spelling.blob(&packet.body)),
        };
        let is_usual = Magic::from_bytes(packet.magic) == Some(packet.usual);
        let other = if is_usual || magic == "RES" {
            String::new()
        } else {
            format!(" {{magic={}}}", spelling::text(&packet.magic))
        };
        format!("{magic}({}){body}{other}", packet.number)
    }

    /// A line of text from the server; a table is one line of the transcript, when it is whole.
    fn text(&mut self, at: usize, text: &[u8]) -> Option<String> {
        let actor = &mut self.actors[at];
        if actor.awaited.front() != Some(&true) {
            actor.awaited.pop_front();
            return Some(format!("< text {}", self.spelling.answer(text)));
        }
        // A command that has no table here is answered by one line.
        let is_refusal = actor.table.is_empty() && text.starts_with(b"ERR ");
        if text != b"." && !is_refusal {
            actor.table.push(text.to_vec());
            return None;
        }
        actor.awaited.pop_front();
        if is_refusal {
            return Some(format!("< text {}", self.spelling.answer(text)));
        }
        let table = std::mem::take(&mut actor.table);
        let rows: Vec<String> = table.iter().filter_map(|row| self.spelling.row(row)).collect();
        let order = if rows.len() > 1 { " {order=any}" } else { "" };
        Some(format!("<lines {}{order}", rows.join(" ")).replace("<lines  ", "<lines ").trim_end().to_owned())
    }

    fn peer_ended(&mut self, at: usize, ended: Ended) -> io::Result<()> {
        let Some(name) = self.actors[at].name.clone() else { return Ok(()) };
        if std::mem::replace(&mut self.actors[at].peer_has_ended, true) {
            return Ok(());
        }
        match (ended, self.actors[at].server_has_ended) {
            (_, true) => self.line(&format!("close {name}")),
            (Ended::Fin, false) => self.line(&format!("shutdown {name}")),
            (Ended::Reset, false) => {
                self.actors[at].server_has_ended = true;
                self.line(&format!("reset {name}"))
            }
        }
    }

    fn server_ended(&mut self, at: usize, _: Ended) -> io::Result<()> {
        let Some(name) = self.actors[at].name.clone() else { return Ok(()) };
        if std::mem::replace(&mut self.actors[at].server_has_ended, true) {
            return Ok(());
        }
        self.line(&format!("{name} < closed"))
    }

    /// What a connection is called; it is opened in the transcript when it first says something.
    fn name(&mut self, at: usize, message: &Message) -> io::Result<String> {
        if let Some(name) = &self.actors[at].name {
            return Ok(name.clone());
        }
        let letter = letter(message);
        let count = self.names.entry(letter).or_default();
        *count += 1;
        let name = if *count == 1 { letter.to_string() } else { format!("{letter}{count}") };
        self.actors[at].name = Some(name.clone());
        self.line(&format!("open {name}"))?;
        Ok(name)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.body.push_str(line);
        self.body.push('\n');
        self.file.write_all(format!("{line}\n").as_bytes())
    }

    fn count(&mut self, magic: &'static str, message: &Message) {
        if let Message::Packet(packet) = message {
            *self.counts.entry((magic, packet.number)).or_default() += 1;
        }
    }

    /// How many packets of each type went each way, a line for each: `REQ` to the server, `RES` from it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = String> {
        self.counts.iter().map(|((magic, number), count)| {
            let name = PacketType::from_number(*number).map_or("unknown", PacketType::name);
            format!("{magic} {number} {count} {name}")
        })
    }

    /// Writes the header anew, with what the transcript has turned out to need.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let text = self.header() + &self.body;
        self.file.seek(io::SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }

    fn header(&self) -> String {
        let needs: Vec<&str> = self.needs.iter().copied().collect();
        let needs = if needs.is_empty() { String::new() } else { format!("needs: {}\n", needs.join(" ")) };
        format!(
            "gtx 1\nid: {}\ntitle: what was recorded\nlevel: info\n{needs}explain:\n  As it was recorded; trim it, and say here why the case exists.\n---\n",
            self.id
        )
    }
}

fn magic(packet: &RawPacket) -> Option<Magic> {
    Magic::from_bytes(packet.magic)
}

/// Whether a command of the text protocol is answered by a table.
fn is_table(command: &[u8]) -> bool {
    let command = command.to_ascii_lowercase();
    [&b"status"[..], b"workers", b"prioritystatus", b"show"]
        .iter()
        .any(|word| command.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with(b" ")))
}

/// The letter that a connection with this first message is called by.
fn letter(message: &Message) -> char {
    let Message::Packet(packet) = message else { return 'a' };
    match packet.packet_type().map(PacketType::name) {
        Some(name) if name.starts_with("SUBMIT") || name.starts_with("GET_STATUS") => 'c',
        Some("ECHO_REQ" | "OPTION_REQ") | None => 'p',
        Some(_) => 'w',
    }
}
