//! A driver that plays a client or a worker, and the line protocol that is spoken with it.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ChildStdin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::PATIENCE;
use super::process::Process;

/// How many of a program's last lines a failure shows.
const LAST_LINES: usize = 8;

/// A running driver, or a running server, which is told nothing.
pub(super) struct Actor {
    process: Process,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
    heard: VecDeque<String>,
    last: Arc<Mutex<VecDeque<String>>>,
    /// Whether it has begun a job that it has not been told to end.
    pub(super) busy: bool,
}

impl Actor {
    pub(super) fn start(command: &[String]) -> io::Result<Self> {
        let (process, pipes) = Process::start(command)?;
        let (sender, lines) = mpsc::channel();
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let comments = Arc::clone(&last);
        read_lines(pipes.stdout, move |line| {
            if line.starts_with('#') {
                remember(&comments, line);
            } else {
                // Nobody listens any more when the actor is being dropped.
                drop(sender.send(line));
            }
        });
        let errors = Arc::clone(&last);
        read_lines(pipes.stderr, move |line| remember(&errors, line));
        Ok(Self { process, stdin: pipes.stdin, lines, heard: VecDeque::new(), last, busy: false })
    }

    /// Says one line.
    pub(super) fn tell(&mut self, line: &str) -> Result<(), String> {
        self.stdin
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|error| format!("cannot be told: {error}"))?;
        let verb = line.split(' ').next().unwrap_or_default();
        if matches!(verb, "complete" | "fail" | "exception" | "die") {
            self.busy = false;
        }
        Ok(())
    }

    /// Waits for the next line; the error says why none came.
    pub(super) fn hear(&mut self) -> Result<String, String> {
        if let Some(line) = self.heard.pop_front() {
            return Ok(line);
        }
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(self.note(line)),
            Err(mpsc::RecvTimeoutError::Timeout) => Err("said nothing for two minutes".to_owned()),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(format!("has ended, {}", self.how_it_ended())),
        }
    }

    /// The next line if it is there already.
    pub(super) fn hear_now(&mut self) -> Option<String> {
        self.heard.pop_front().or_else(|| self.lines.try_recv().ok().map(|line| self.note(line)))
    }

    /// Whether there is a next line already.
    pub(super) fn has_spoken(&mut self) -> bool {
        self.hear_now().map(|line| self.unhear(line)).is_some()
    }

    /// Puts back a line that was not what somebody waited for.
    pub(super) fn unhear(&mut self, line: String) {
        self.heard.push_front(line);
    }

    fn note(&mut self, line: String) -> String {
        self.busy |= line.starts_with("job ");
        line
    }

    fn how_it_ended(&mut self) -> String {
        // Its output is closed; what still runs of it is of no use.
        match self.process.end() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// The program's last words that were not for us, each on a line of its own.
    pub(super) fn last_words(&self) -> String {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().map(|line| format!("\n    | {line}")).collect()
    }
}

fn read_lines(pipe: impl Read + Send + 'static, mut take: impl FnMut(String) + Send + 'static) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            take(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn remember(last: &Mutex<VecDeque<String>>, line: String) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.len() == LAST_LINES {
        last.pop_front();
    }
    last.push_back(line);
}
