//! The server that the clients and workers meet at.

mod text;
mod unique;

pub(super) use self::text::Counts;

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use super::Failure;
use super::actor::Actor;
use super::wait_until;

/// Where a server is, and how it is started if it is ours to start.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    command: Option<String>,
    process: Option<Actor>,
}

impl Server {
    /// A server that somebody else has started, at `HOST:PORT`.
    pub(super) fn elsewhere(address: &str) -> Result<Self, Failure> {
        let wrong = || Failure::new("server", format!("`{address}` is not HOST:PORT"));
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let server = Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
            command: None,
            process: None,
        };
        server.status().map_err(|error| Failure::io(address, "did not answer `status`", &error))?;
        Ok(server)
    }

    /// Starts `command` on a free loopback port and waits until it answers; `{port}` stands for the port.
    pub(super) fn start(command: &str) -> Result<Self, Failure> {
        let port = free_port().map_err(|error| Failure::io("server", "no free port", &error))?;
        let command = format!("exec {}", command.replace("{port}", &port.to_string()));
        let mut server = Self { host: "127.0.0.1".to_owned(), port, command: Some(command), process: None };
        server.restart().map_err(|what| Failure::new("server", what))?;
        Ok(server)
    }

    /// Whether it can be killed and started again.
    pub(super) fn is_ours(&self) -> bool {
        self.command.is_some()
    }

    /// Kills the server if it runs, and starts it on the same port.
    pub(super) fn restart(&mut self) -> Result<(), String> {
        let Some(command) = &self.command else { return Err("is not ours to restart".to_owned()) };
        // What runs ends before the port is asked for again.
        self.process = None;
        let shell = ["sh", "-c", command].map(str::to_owned);
        self.process = Some(Actor::start(&shell).map_err(|error| format!("cannot start: {error}"))?);
        wait_until(|| self.status().is_ok())
            .map_err(|late| format!("did not answer `status` {late}{}", self.said()))
    }

    /// What the server has said, for a failure.
    pub(super) fn said(&self) -> String {
        self.process.as_ref().map(Actor::last_words).unwrap_or_default()
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))?;
        stream.set_read_timeout(Some(super::PATIENCE))?;
        Ok(stream)
    }
}

/// A port that was free a moment ago; whoever takes it in between makes the server fail to start, and say so.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Reads until `complete` says that what has come is whole.
fn read_until(mut stream: TcpStream, complete: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    let mut chunk = [0; 4096];
    while !complete(&reply) {
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => reply.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(reply)
}

/// Builds our server and returns the command that starts it; the binary is beside this program's own.
pub(super) fn build(root: &Path) -> Result<String, Failure> {
    let failure = |what: String| Failure::new("server", what);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "gearman-server", "--bin", "gearmand"])
        .current_dir(root)
        .status()
        .map_err(|error| failure(format!("cannot run cargo: {error}")))?;
    if !status.success() {
        return Err(failure(format!("does not build: {status}")));
    }
    let this =
        std::env::current_exe().map_err(|error| failure(format!("cannot find this program: {error}")))?;
    Ok(format!("'{}' --listen=127.0.0.1 --port={{port}}", this.with_file_name("gearmand").display()))
}
