//! The server that the clients and workers meet at.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Failure;
use super::language::LANGUAGES;
use super::process::{Running, run, wait_until};

/// A started server; dropping it ends it.
pub(super) struct Server {
    pub(super) port: u16,
    process: Running,
}

/// A line of the text command `status`.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    jobs: u64,
    workers: u64,
}

impl Server {
    /// Starts `command`, or our own server, on a free loopback port and waits until it answers.
    pub(super) fn start(root: &Path, command: Option<&str>, scratch: &Path) -> Result<Self, Failure> {
        let port = free_port().map_err(|error| Failure::io("server", "no free port", &error))?;
        let command = match command {
            Some(command) => command.replace("{port}", &port.to_string()),
            None => format!("'{}' --listen=127.0.0.1 --port={port}", build(root)?),
        };
        let mut shell = Command::new("sh");
        let process =
            Running::start("server".to_owned(), shell.arg("-c").arg(format!("exec {command}")), scratch)?;
        let mut server = Self { port, process };
        server.wait_until_ready()?;
        println!("peers: {command}");
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let mut ended = None;
        let ready = wait_until(|| {
            ended = self.process.check_alive("start").err();
            ended.is_some() || self.status().is_ok()
        });
        match (ended, ready) {
            (Some(failure), _) => Err(failure),
            (None, Err(late)) => Err(self.process.failure(format!("did not answer `status` {late}"))),
            (None, Ok(())) => Ok(()),
        }
    }

    /// Waits until each language's worker has registered its function.
    pub(super) fn wait_for_workers(&self, workers: &mut [Running]) -> Result<(), Failure> {
        for (language, worker) in LANGUAGES.iter().zip(workers) {
            let registered = || {
                self.status()
                    .is_ok_and(|table| table.get(&language.function()).is_some_and(|row| row.workers == 1))
            };
            let mut ended = None;
            let waited = wait_until(|| {
                ended = worker.check_alive("start").err();
                ended.is_some() || registered()
            });
            if let Some(failure) = ended {
                return Err(failure);
            }
            waited
                .map_err(|late| worker.failure(format!("did not register {} {late}", language.function())))?;
        }
        Ok(())
    }

    /// `gearadmin`, the C administration tool, reads our tables.
    pub(super) fn check_with_gearadmin(&self) -> Result<(), Failure> {
        for table in ["--status", "--workers", "--server-version"] {
            let mut command = Command::new("gearadmin");
            let outcome = run(command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), table]), b"")
                .map_err(|what| Failure::new(format!("gearadmin {table}"), what))?;
            let said = String::from_utf8_lossy(&outcome.stdout);
            let complete =
                table == "--server-version" || LANGUAGES.iter().all(|one| said.contains(&one.function()));
            if outcome.code != Some(0) || said.is_empty() || !complete {
                return Err(Failure::new(
                    format!("gearadmin {table}"),
                    format!("{outcome}, it says: {said}"),
                ));
            }
        }
        Ok(())
    }

    /// Waits until no job is left in any table: whatever was accepted has ended, and was forgotten.
    pub(super) fn wait_until_empty(&self) -> Result<(), Failure> {
        let empty = || self.status().is_ok_and(|table| table.values().all(|row| row.jobs == 0));
        wait_until(empty).map_err(|late| self.process.failure(format!("`status` still counts jobs, {late}")))
    }

    fn status(&self) -> io::Result<BTreeMap<String, Status>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"status\n")?;
        let mut reply = Vec::new();
        let mut chunk = [0; 4096];
        while !reply.ends_with(b".\n") {
            match stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => reply.extend_from_slice(&chunk[..n]),
            }
        }
        Ok(String::from_utf8_lossy(&reply).lines().filter_map(parse_row).collect())
    }
}

/// `FUNCTION TOTAL RUNNING WORKERS`, separated by tabs.
fn parse_row(line: &str) -> Option<(String, Status)> {
    let mut columns = line.split('\t');
    let function = columns.next()?.to_owned();
    let jobs = columns.next()?.parse().ok()?;
    let workers = columns.nth(1)?.parse().ok()?;
    Some((function, Status { jobs, workers }))
}

/// A port that was free a moment ago; whoever takes it in between makes the server fail to start, and say so.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Builds our server and returns its path, which is beside this program's own.
fn build(root: &Path) -> Result<String, Failure> {
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
    Ok(this.with_file_name("gearmand").display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_status_is_read() {
        let row = ("upper-php".to_owned(), Status { jobs: 3, workers: 2 });
        assert_eq!(parse_row("upper-php\t3\t1\t2"), Some(row));
        assert_eq!(parse_row("."), None);
    }
}
