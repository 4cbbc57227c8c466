//! The fuzzers' dictionary comes from the one table.

use gearman_protocol::{Direction, HEADER_LENGTH, Magic, PacketType};
use std::fmt::Write;
use std::path::Path;

/// Words and numbers that mean something to a server, or did to one once.
const WORDS: &[&str] = &[
    "status\\n",
    "prioritystatus\\n",
    "workers\\r\\n",
    "show jobs\\n",
    "show unique jobs\\n",
    "cancel job H:1\\n",
    "create function lap\\n",
    "drop function lap\\n",
    "maxqueue lap 1 2 3\\n",
    "version\\n",
    "getpid\\n",
    "verbose\\n",
    "shutdown graceful\\n",
    "exceptions",
    "H:1",
    "lap",
    "-",
    "-1",
];

/// Type numbers, and so first halves of headers, that are none: the neighbours of those that are.
///
/// The fuzzer finds the rest by itself; a file of ready packets that no server expects is not for publishing.
const NUMBERS: &[u32] = &[0, 43];

fn line(text: &mut String, name: &str, bytes: &[u8]) {
    let bytes: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    writeln!(text, "{name}=\"{bytes}\"").expect("a string grows");
}

fn header(magic: Magic, number: u32, size: u32) -> Vec<u8> {
    let header = [magic.bytes(), number.to_be_bytes(), size.to_be_bytes()].concat();
    assert_eq!(header.len(), HEADER_LENGTH);
    header
}

fn dictionary() -> String {
    let mut text = String::from("# Made from the table of packet types by a test of gearman-protocol.\n");
    for &packet_type in PacketType::ALL {
        let (name, number) = (packet_type.name().to_lowercase(), packet_type.number());
        // Room for the arguments' NULs, so that the shortest packet is a good one.
        let size = u32::try_from(packet_type.arguments().len().saturating_sub(1)).expect("few arguments");
        let body = vec![0; size as usize];
        if packet_type.direction() != Direction::Response {
            line(&mut text, &name, &[header(Magic::Request, number, size), body.clone()].concat());
        }
        if packet_type.direction() != Direction::Request {
            line(&mut text, &format!("{name}_res"), &[header(Magic::Response, number, size), body].concat());
        }
    }
    for &number in NUMBERS {
        line(&mut text, &format!("type_{number}"), &header(Magic::Request, number, 0));
    }
    line(&mut text, "size_largest", &header(Magic::Request, PacketType::EchoReq.number(), u32::MAX));
    WORDS.iter().for_each(|word| writeln!(text, "\"{}\"", escape(word)).expect("a string grows"));
    text
}

/// As libFuzzer reads it: control characters by their numbers.
fn escape(word: &str) -> String {
    word.replace("\\n", "\\x0a").replace("\\r", "\\x0d")
}

#[test]
fn is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/packets.dict");
    if std::env::var_os("UPDATE_DICTIONARY").is_some() {
        std::fs::write(&path, dictionary()).expect("the dictionary can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == dictionary(), "fuzz/packets.dict is old: run the test with UPDATE_DICTIONARY=1");
}
