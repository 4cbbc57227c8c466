//! What a signal leaves behind: nothing.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Who listens for whether what the tool has started still lives.
struct Watch(TcpListener);

/// The end of a connection that something started by the tool holds for as long as it lives.
struct Life(BufReader<TcpStream>);

impl Watch {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// A command that connects here and then does nothing; what it starts holds the connection too, and outlives it.
    fn command(&self) -> String {
        let port = self.0.local_addr().unwrap().port();
        format!(
            "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo alive >&3; sleep 1000 & wait; echo outlived >&3' {{port}}"
        )
    }

    /// Waits until it has connected.
    fn alive(&self) -> Life {
        let mut stream = BufReader::new(self.0.accept().unwrap().0);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert_eq!(line, "alive\n");
        Life(stream)
    }
}

impl Life {
    /// Waits until nobody holds the connection any more.
    fn ends(mut self) {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

fn tool(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gearman-conformance"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for the tool's end, and gives what it has said on standard error.
#[track_caller]
fn interrupted(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_server_is_ended_with_the_tool_whichever_command_has_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("p.toml").display().to_string();
    let strict = gearman_conformance::profile::Profile::embedded_text("strict").unwrap();
    std::fs::write(&profile, strict).unwrap();
    let watch = Watch::new();
    let command = watch.command();
    let commands: [&[&str]; 4] = [
        &["sanity", "--launch", &command],
        &["probe", "--name", "p", "--output", "/dev/null", "--launch", &command],
        &["bless", "--profile", &profile, "--launch", &command],
        &["mutate", "--count", "1", "--launch", &command],
    ];
    for arguments in commands {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            let child = tool(arguments);
            let life = watch.alive();
            send(&child, signal);
            let said = interrupted(child);
            assert_eq!(said.lines().count(), 1, "{arguments:?} {signal:?}: {said}");
            life.ends();
        }
    }
}

/// A case that waits for a client which never comes.
const WAITING: &str =
    "gtx 1\nid: test/waits\ntitle: t\nlevel: must\nwithin: 1000s\n---\nlisten s\nstart d\naccept k\n";

#[test]
fn a_case_that_has_begun_may_end_after_one_interrupt_and_not_after_two() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waits.gtx").display().to_string();
    std::fs::write(&path, WAITING).unwrap();
    let watch = Watch::new();
    let mut child = tool(&["clients", &path, "--launch-client", &watch.command()]);
    let life = watch.alive();
    send(&child, Signal::INT);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "interrupted: waiting for the cases that have begun; once more ends them too\n");
    send(&child, Signal::INT);
    let said = interrupted(child);
    assert_eq!(said, "gearman-conformance: ended by SIGINT, and all that it had started\n");
    life.ends();
}
