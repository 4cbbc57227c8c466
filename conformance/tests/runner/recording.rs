//! The recorder between a client and a server, and what becomes of either; and mutation.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gearman_conformance::language::Transcript;

use super::exits::exits;
use super::{fake, launch};

/// A recorder in front of a server, and its address.
fn recorder(upstream: &str, out: &Path, connections: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gearman-conformance"))
        .args([
            "record",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            upstream,
            "--connections",
            connections,
            "--out",
        ])
        .arg(out)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.split(' ').find(|word| word.starts_with("127.0.0.1:")).unwrap().to_owned();
    (child, address)
}

/// An echo there and back.
fn echo(stream: &mut TcpStream, text: &[u8]) {
    let size = u32::try_from(text.len()).unwrap().to_be_bytes();
    stream.write_all(&[b"\0REQ\0\0\0\x10", &size[..], text].concat()).unwrap();
    let mut answer = vec![0; 12 + text.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer[12..], text);
}

fn legal(path: &Path) -> Transcript {
    let text = std::fs::read_to_string(path).unwrap();
    Transcript::parse("seen.gtx", &text).unwrap_or_else(|findings| panic!("{findings}"))
}

#[test]
fn what_was_recorded_can_be_played() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("seen.gtx");
    let server = fake::serve();
    let (mut child, address) = recorder(&server, &out, "1");
    let mut stream = TcpStream::connect(address).unwrap();
    echo(&mut stream, b"short, with a \0 and a ${");
    echo(&mut stream, &b"long ".repeat(2000));
    drop(stream);
    assert!(child.wait().unwrap().success());
    let lines: Vec<String> = legal(&out).body.into_iter().map(|statement| statement.text).collect();
    assert_eq!(
        lines,
        [
            "open p",
            r#"p > ECHO_REQ "short, with a \0 and a \x24{""#,
            r#"p < ECHO_RES "short, with a \0 and a \x24{""#,
            r#"p > ECHO_REQ @fill(10000,"long ")"#,
            r#"p < ECHO_RES @fill(10000,"long ")"#,
            "shutdown p",
            "p < closed",
        ]
    );
    exits(&["run", out.to_str().unwrap(), "--target", &server], 0, "1 of 1 met");
    // Nothing is written over.
    let again = ["record", "--pcap", "/dev/null", "--out", out.to_str().unwrap()];
    exits(&again, 2, "is there already");
}

#[test]
fn what_was_recorded_before_the_recorder_was_killed_is_legal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("seen.gtx");
    let (mut child, address) = recorder(&fake::serve(), &out, "9");
    let mut stream = TcpStream::connect(address).unwrap();
    echo(&mut stream, b"one");
    // A request is written down before it is handed on, so the first half of another changes nothing.
    stream.write_all(b"\0REQ\0\0").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let transcript = legal(&out);
    assert_eq!(transcript.body.last().unwrap().text, "p < ECHO_RES \"one\"");
}

/// Four libraries and the C tools at gearmand 1.1.20, captured with tcpdump; `cargo xtask tshark` reads it too.
#[test]
fn a_capture_is_read_as_tshark_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("seen.gtx");
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/libraries.pcap");
    let arguments = ["record", "--pcap", capture, "--port", "14741", "--out", out.to_str().unwrap()];
    let told = exits(&arguments, 0, "REQ 7 4 SUBMIT_JOB");
    for line in ["REQ 39 11 GRAB_JOB_ALL", "RES 8 9 JOB_CREATED", "RES 10 12 NO_JOB", "RES 28 4 WORK_DATA"] {
        assert!(told.contains(line), "{told}");
    }
    let transcript = legal(&out);
    assert_eq!(
        transcript.header.needs,
        ["GRAB_JOB", "GRAB_JOB_ALL", "GRAB_JOB_UNIQ", "OPTION_REQ", "WORK_DATA"]
    );
    let table = transcript.body.iter().find(|statement| statement.text.starts_with("a <lines")).unwrap();
    assert!(table.text.contains(r#""${ns}perl\t0\t0\t0""#), "{}", table.text);
}

#[test]
fn what_is_no_capture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("seen.gtx");
    let arguments = ["record", "--pcap", "/etc/passwd", "--out", out.to_str().unwrap()];
    exits(&arguments, 2, "no pcap");
    exits(&["record", "--out", out.to_str().unwrap(), "--force"], 2, "give --listen");
}

#[test]
fn a_server_that_a_variant_ends_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.gtx");
    std::fs::write(
        &path,
        "gtx 1\nid: x/case\ntitle: t\nlevel: must\n---\nopen a b\na > text \"x\"\nb > text \"y\"\n",
    )
    .unwrap();
    let written = folder.path().join("broken.gtx");
    let file = path.to_str().unwrap();
    let arguments = ["mutate", file, "--launch", &launch("exit"), "--count", "20"];
    exits(&arguments, 4, "the server ended");
    assert!(!written.exists());
    exits(&[&arguments[..], &["--write", written.to_str().unwrap()]].concat(), 4, "written to");
    legal(&written);
    exits(&["mutate", file, "--launch", &launch(""), "--count", "20"], 0, "sane after each");
}

#[test]
fn a_server_elsewhere_is_not_harmed_by_a_typing_error() {
    exits(&["mutate", "--target", "192.0.2.1:4730"], 2, "is not on this machine");
}
