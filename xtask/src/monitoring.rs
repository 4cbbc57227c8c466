//! The files for Prometheus, and what the server tells it, checked with Prometheus' own tool.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

/// Runs every check; the first failure ends the run.
pub(crate) fn run(root: &Path) -> ExitCode {
    match run_all(root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("monitoring: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(root: &Path) -> Result<(), String> {
    let files = root.join("docs/monitoring");
    promtool(&["check", "rules", "alerts.yml"], &files, "")?;
    promtool(&["test", "rules", "alerts_test.yml"], &files, "")?;
    let text = Server::start(root)?.metrics()?;
    promtool(&["check", "metrics"], &files, &text)?;
    println!(
        "monitoring: alerts, their tests and {} lines of metrics are as promtool wants them",
        text.lines().count()
    );
    Ok(())
}

/// Runs promtool in a directory with something to read.
fn promtool(arguments: &[&str], directory: &Path, input: &str) -> Result<(), String> {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(directory).stdin(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        format!("promtool is needed ({error}): apt-get install prometheus, or see prometheus.io/download")
    })?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(input.as_bytes()).map_err(|error| format!("promtool does not read: {error}"))?;
    drop(stdin);
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        outcome => Err(format!("promtool {}: {outcome:?}", arguments.join(" "))),
    }
}

/// Our server; dropping it ends it.
struct Server {
    process: Child,
    port: String,
    metrics: String,
}

impl Server {
    fn start(root: &Path) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--package", "gearman-server", "--bin", "gearmand", "--"]);
        command.args(["--listen", "127.0.0.1", "--port", "0", "--metrics", "0"]);
        let spawned = command.current_dir(root).stderr(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|error| format!("cannot start gearmand: {error}"))?;
        let mut said = BufReader::new(process.stderr.take().expect("it is a pipe")).lines();
        let (mut port, mut metrics) = (None, None);
        while port.is_none() || metrics.is_none() {
            let line = said.next().ok_or("gearmand ended")?.map_err(|error| format!("gearmand: {error}"))?;
            port = port.or_else(|| line.strip_prefix("gearmand: listening on ").map(str::to_owned));
            metrics = metrics.or_else(|| line.strip_prefix("gearmand: metrics at ").map(str::to_owned));
        }
        Ok(Self { process, port: port.unwrap_or_default(), metrics: metrics.unwrap_or_default() })
    }

    /// What it tells once it knows functions with awkward names.
    fn metrics(&self) -> Result<String, String> {
        let names = [&b"a\"b"[..], br"c\d", b"\xff\xfe", "größe".as_bytes(), b"other", b"{x=\"1\"}"];
        let mut create = Vec::new();
        for name in names {
            create.extend([b"create function ", name, b"\r\n"].concat());
        }
        let told = ask(&self.port, &create, names.len() * "OK\r\n".len());
        if told.as_deref() != Ok("OK\r\n".repeat(names.len()).as_str()) {
            return Err(format!("gearmand answers {told:?}"));
        }
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.metrics);
        let answer = ask(&self.metrics, request.as_bytes(), usize::MAX)?;
        let (_, text) = answer.split_once("\r\n\r\n").ok_or("the metrics have no head")?;
        Ok(text.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails only when the server has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Says something and reads the answer to its end, or so many bytes of it.
fn ask(address: &str, words: &[u8], most: usize) -> Result<String, String> {
    let about = |error| format!("{address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(about)?;
    stream.write_all(words).map_err(about)?;
    let mut answer = String::new();
    stream.take(most as u64).read_to_string(&mut answer).map_err(about)?;
    Ok(answer)
}
