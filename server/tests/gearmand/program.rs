//! Running the program.

use bytes::Bytes;
use gearman_protocol::{FunctionName, Mode, Outward, Priority, Request, Submit, Unique};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

/// The program with arguments, in an environment that has nothing else, but for what chooses a change of the program
/// where `cargo xtask mutants` has put changes into it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gearmand"));
    command.args(arguments).env_clear();
    command.envs(std::env::var_os("MUTANT").map(|number| ("MUTANT", number)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program after a command of the shell that changes what it inherits.
pub(crate) fn in_shell(before: &str, arguments: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{before} && exec \"$0\" \"$@\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_gearmand")]).args(arguments);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    shell
}

/// A path of this test's own, where nothing lies.
pub(crate) fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// A file with this text.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = path(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs it to its end; its exit code and what it wrote to stdout.
pub(crate) fn run(arguments: &[&str]) -> (i32, String) {
    let output = command(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Runs an example to its end; what it wrote to stdout.
pub(crate) fn example(name: &str) -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    // It is built already, unless only this test was asked for.
    let arguments = ["run", "--quiet", "--offline", "--manifest-path", manifest, "--example", name];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line in which it refuses to start, with exit code 1.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    refusal_of(&mut command(arguments))
}

/// What it says when it refuses to start. One that serves instead would never end by itself, so it is ended here.
pub(crate) fn refusal_of(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap) {
        if line.starts_with(LISTENING) {
            child.kill().unwrap();
        }
        said.push(line);
    }
    assert_eq!((child.wait().unwrap().code(), said.len()), (Some(1), 1), "{command:?} said {said:?}");
    said.remove(0)
}

/// How the line begins with which it says where it listens.
const LISTENING: &str = "gearmand: listening on ";

/// The program, listening. It is killed when a test fails.
pub(crate) struct Gearmand {
    child: Child,
    address: String,
    said: Vec<String>,
    /// Kept open, so that it can go on saying things.
    stderr: BufReader<ChildStderr>,
}

/// Flags that no test wants to vary: a free port of this machine only.
pub(crate) const LOCAL: [&str; 4] = ["--listen", "127.0.0.1", "--port", "0"];

impl Gearmand {
    /// Starts it at a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut command(&[&LOCAL, arguments].concat()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut gearmand = Self::spawn_until(command, |line| line.starts_with(LISTENING));
        let line = gearmand.said.pop().unwrap();
        gearmand.address = line.trim_start_matches(LISTENING).to_owned();
        gearmand
    }

    /// Starts it and waits for a line on stderr.
    pub(crate) fn spawn_until(command: &mut Command, wanted: impl Fn(&str) -> bool) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut gearmand = Self { child, address: String::new(), said: Vec::new(), stderr };
        gearmand.hear_until(wanted);
        gearmand
    }

    /// Reads what it says on stderr until a line is as `wanted`; that line is the last of those it said.
    pub(crate) fn hear_until(&mut self, wanted: impl Fn(&str) -> bool) -> &[String] {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "it ended and said {:?}", self.said);
            self.said.push(line.trim_end().to_owned());
            if wanted(line.trim_end()) {
                return &self.said;
            }
        }
    }

    /// What it said before it listened.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// Where it said that it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line of the reply to a command of the text protocol.
    pub(crate) fn ask(&self, command: &str) -> String {
        ask(self.connect(), command)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    pub(crate) fn submit_background(&self, function: &str, workload: &str) {
        let mut stream = self.connect();
        stream.write_all(&submit(function, workload.as_bytes())).unwrap();
        let mut header = [0; 12];
        stream.read_exact(&mut header).unwrap();
        assert_eq!(header[..8], *b"\0RES\0\0\0\x08");
    }

    pub(crate) fn signal(&self, name: &str) {
        kill(self.pid(), name);
    }

    /// Sends a signal that ends it, and waits for the exit code; gives what it had still to say.
    pub(crate) fn end(mut self, signal: &str, code: i32) -> String {
        self.signal(signal);
        self.ended(code)
    }

    /// Kills it, as the system does when it has no memory left.
    pub(crate) fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the exit code; gives what it had still to say.
    pub(crate) fn ended(&mut self, code: i32) -> String {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{said}");
        said
    }
}

impl Drop for Gearmand {
    fn drop(&mut self) {
        // It fails when the program has ended, which is what most tests see to.
        let _ = self.child.kill();
    }
}

/// A submit in the background.
pub(crate) fn submit(function: &str, workload: &[u8]) -> Vec<u8> {
    let mut out = Outward::new();
    let submit = Submit {
        function: FunctionName::new(Bytes::copy_from_slice(function.as_bytes())).unwrap(),
        unique: Unique::default(),
        priority: Priority::Normal,
        mode: Mode::Background,
        reducer: None,
        workload: Bytes::copy_from_slice(workload),
    };
    Request::Submit(submit).encode(&mut out);
    out.to_vec()
}

pub(crate) fn kill(pid: u32, signal: &str) {
    let killed = Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

/// A stream that a test speaks over.
pub(crate) trait Stream: Read + Write {}
impl Stream for TcpStream {}
impl Stream for UnixStream {}

/// The first line of the reply to a command of the text protocol.
pub(crate) fn ask(mut stream: impl Stream, command: &str) -> String {
    say(&mut stream, command);
    hear(&mut stream)
}

/// Writes a line.
pub(crate) fn say(stream: &mut impl Stream, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Reads a line, and whatever came with it.
pub(crate) fn hear(stream: &mut impl Stream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

pub(crate) fn write(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
}

/// Everything until the other side closes.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The body of a packet.
pub(crate) fn hear_packet(stream: &mut TcpStream) -> String {
    let mut header = [0; 12];
    stream.read_exact(&mut header).unwrap();
    let mut body = vec![0; usize::from(header[11])];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
