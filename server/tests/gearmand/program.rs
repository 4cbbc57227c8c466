//! Running the program.

use bytes::Bytes;
use gearman_protocol::{FunctionName, Mode, Outward, Priority, Request, Submit, Unique};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gearmand"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end; its exit code and what it wrote to stdout.
pub(crate) fn run(arguments: &[&str]) -> (i32, String) {
    let output = command(arguments, &[]).output().unwrap();
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
    refusal_with(arguments, &[])
}

pub(crate) fn refusal_with(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = command(arguments, environment).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said.trim_end().to_owned()
}

/// The program, listening. It is killed when a test fails.
pub(crate) struct Gearmand {
    child: Child,
    address: String,
    said: Vec<String>,
    /// Kept open, so that it can go on saying things.
    _stderr: BufReader<ChildStderr>,
}

impl Gearmand {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(&mut command(arguments, environment))
    }

    /// Starts it after a command of the shell that changes what it inherits.
    pub(crate) fn start_in_shell(before: &str, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("{before} && exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_gearmand")]).args(arguments);
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::spawn(&mut shell)
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = Vec::new();
        let address = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended and said {said:?}");
            match line.trim_end().strip_prefix("gearmand: listening on ") {
                Some(address) => break address.to_owned(),
                None => said.push(line),
            }
        };
        Self { child, address, said, _stderr: stderr }
    }

    pub(crate) fn said_before_listening(&self) -> &[String] {
        &self.said
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line of the reply to a command of the text protocol.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut stream = self.connect();
        say(&mut stream, command);
        hear(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    pub(crate) fn submit_background(&self, function: &str, workload: &'static str) {
        let mut out = Outward::new();
        let submit = Submit {
            function: FunctionName::new(Bytes::copy_from_slice(function.as_bytes())).unwrap(),
            unique: Unique::default(),
            priority: Priority::Normal,
            mode: Mode::Background,
            reducer: None,
            workload: workload.into(),
        };
        Request::Submit(submit).encode(&mut out);
        let mut stream = self.connect();
        stream.write_all(&out.to_vec()).unwrap();
        let mut header = [0; 12];
        stream.read_exact(&mut header).unwrap();
        assert_eq!(header[..8], *b"\0RES\0\0\0\x08");
    }

    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Sends a signal that ends it, and waits for the exit code.
    pub(crate) fn end(mut self, signal: &str, code: i32) {
        self.signal(signal);
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
    }
}

impl Drop for Gearmand {
    fn drop(&mut self) {
        // It fails when the program has ended, which is what most tests see to.
        let _ = self.child.kill();
    }
}

/// Writes a line.
pub(crate) fn say(stream: &mut TcpStream, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Reads a line, and whatever came with it.
pub(crate) fn hear(stream: &mut TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
