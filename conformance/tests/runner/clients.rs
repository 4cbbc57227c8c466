//! Programs under test, among them some that hang, crash and lie.

use super::exits::exits;

/// A driver in bash that submits nothing and tells of everything as it is told to: it answers `run` with `ran` once a
/// packet has come, which is all that the case below asks.
const HONEST: &str = "bash -c 'exec 3<>/dev/tcp/{host}/{port}; read -r line; printf \"\\\\0REQ\\\\0\\\\0\\\\0\\\\20\\\\0\\\\0\\\\0\\\\2hi\" >&3; head -c 14 <&3 >/dev/null; echo \"# a remark\"; echo ran $line =6869; read -r line'";

/// A case that a driver need hardly do anything for.
const CASE: &str = "gtx 1\nid: test/echo\ntitle: a program echoes\nlevel: must\n---\nlisten s\nstart d\nd > words go\naccept c\nc < ECHO_REQ \"hi\"\nc > ECHO_RES \"hi\"\nd < words ran go \"hi\"\n";

#[track_caller]
fn clients(command: &str, more: &[&str], code: i32, words: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.gtx");
    std::fs::write(&path, CASE).unwrap();
    let fixed = ["clients", path.to_str().unwrap(), "--launch-client", command, "--time-scale", "0.7"];
    exits(&[&fixed, more].concat(), code, words)
}

#[test]
fn a_program_that_does_as_it_should_passes_in_every_variant() {
    clients(HONEST, &["--variants", "all"], 0, "4 of 4 met");
}

#[test]
fn a_program_that_says_something_else_fails() {
    let text = clients(&HONEST.replace("ran $line", "lost $line"), &[], 1, "the program says something else");
    assert!(text.contains("lost go \"hi\"\n           ^^^          ^^^^\n"), "{text}");
    assert!(text.contains("gearman-conformance clients"), "{text}");
}

#[test]
fn a_program_that_sends_something_else_fails() {
    clients(&HONEST.replace("2hi", "2ho"), &[], 1, "the data differs");
}

#[test]
fn a_program_that_says_nothing_hangs() {
    clients("sh -c 'read line; read line' {port}", &[], 4, "HANG");
}

#[test]
fn a_program_that_a_signal_ends_crashes() {
    clients("sh -c 'kill -SEGV $$' {port}", &[], 4, "CRASH");
}

#[test]
fn a_program_that_ends_by_itself_fails() {
    clients("sh -c 'exit 3' {port}", &[], 1, "the program ended without a connection");
}

#[test]
fn what_plays_the_server_is_told_from_what_plays_its_peers() {
    exits(&["clients", "--client", "gearwright", "no-such"], 2, "no case is called `no-such`");
    exits(&["clients", "--launch-client", "true"], 2, "has no {port}");
    exits(&["clients"], 2, "name a client");
    exits(&["clients", "--client", "strict"], 2, "does not say how its driver is started");
    exits(&["clients", "--list"], 0, "client/roundtrip");
    exits(&["show", "client/roundtrip"], 0, "listen s");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.gtx");
    std::fs::write(&path, CASE).unwrap();
    exits(&["run", path.to_str().unwrap(), "--target", "127.0.0.1:1"], 2, "plays the server");
    std::fs::write(&path, "gtx 1\nid: x/y\ntitle: t\nlevel: must\n---\nopen c\n").unwrap();
    let server_case = ["clients", path.to_str().unwrap(), "--client", "gearwright"];
    exits(&server_case, 2, "is a case for servers");
}
