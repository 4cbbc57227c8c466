//! The servers as processes of this machine.

use crate::history::ServerId;
use crate::machine::signal;
use crate::workload::{DRAINS_FOR, Knobs, Scheduling};
use gearman_protocol::Time;
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// On so many threads a server serves.
const THREADS: u32 = 4;
/// A server that does not listen after so long will not, on however busy a machine.
const LONG: Duration = Duration::from_secs(20);
/// So many of the last lines that a server has said are kept: what a panic says is not its last one.
const LINES: usize = 50;
/// For so long the last words of one that has ended are waited for, should somebody else hold its stderr open.
const BREATH: Duration = Duration::from_secs(1);
/// What a server says when it listens.
const LISTENS: &str = "listening on ";

/// Those that are alive: whoever ends this process before its time ends them first.
static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn alive() -> MutexGuard<'static, BTreeSet<u32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all servers that this process has started.
pub(crate) fn end_all() {
    for process in std::mem::take(&mut *alive()) {
        // One that has ended by itself needs no end.
        let _ = signal(process, "-KILL");
    }
}

/// One life of a server.
pub(super) struct Process {
    child: Child,
    come_up: Receiver<()>,
    /// The last lines that it has said on stderr.
    said: Arc<Mutex<VecDeque<String>>>,
    stopped_until: Option<Time>,
    is_told_to_end: bool,
}

impl Process {
    /// Starts a server; it is not there yet.
    ///
    /// # Errors
    /// There is no such program: one line that says what to do.
    pub(super) fn start(gearmand: &Path, flags: &[String]) -> Result<Self, String> {
        let mut command = Command::new(gearmand);
        // A group of its own, so that Ctrl-C at the terminal is ours alone.
        command.args(flags).process_group(0);
        // Of this process's surroundings what would set the server up otherwise is none of its business.
        ["GEARMAND_PORT", "LISTEN_FDS", "NOTIFY_SOCKET"].iter().for_each(|name| {
            command.env_remove(name);
        });
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", gearmand.display()))?;
        alive().insert(child.id());
        let (tell, come_up) = channel();
        let said = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stderr) = child.stderr.take() {
            let into = Arc::clone(&said);
            thread::spawn(move || listen(stderr, &tell, &into));
        }
        Ok(Self { child, come_up, said, stopped_until: None, is_told_to_end: false })
    }

    /// Its process's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it listens.
    pub(super) fn wait(&self) -> Result<(), String> {
        self.come_up.recv_timeout(LONG).map_err(|_| self.complaint())
    }

    /// Whether it listens; asked again, it does not say so again.
    pub(super) fn has_come_up(&self) -> bool {
        self.come_up.try_recv().is_ok()
    }

    fn complaint(&self) -> String {
        match self.last_words() {
            words if words.is_empty() => "the server has not come up, and says nothing".to_owned(),
            words => format!("the server has not come up: {words}"),
        }
    }

    /// A line each.
    fn last_words(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).make_contiguous().join("\n  ")
    }

    /// SIGUSR1: it shall end, and may wait for what it has.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        self.is_told_to_end = true;
        self.signal("-USR1")
    }

    /// Whether it has ended as it was told to: with nothing left, or when its time was up.
    pub(super) fn has_drained(&mut self) -> bool {
        let status = self.child.try_wait().ok().flatten().and_then(|status| status.code());
        self.is_told_to_end && matches!(status, Some(0 | 3))
    }

    /// How it has ended, if it has and was not told to, in words.
    pub(super) fn end(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        if self.has_drained() {
            return None;
        }
        // Whoever reads its stderr lets go of this when there is no more.
        while self.come_up.recv_timeout(BREATH).is_ok() {}
        Some(match self.last_words() {
            words if words.is_empty() => format!("{status}, without a word"),
            words => format!("{status}; its last words were\n  {words}"),
        })
    }

    /// Whether each of its threads waits for something to happen, or stands still although it was let on: a server that
    /// has something to do and only is not let on by a busy machine has one that could run.
    pub(super) fn sleeps(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.id())) else { return false };
        let mut states = threads.map(|one| fs::read_to_string(one?.path().join("stat")));
        states.all(|stat| stat.is_ok_and(|stat| is_asleep(&stat)))
    }

    /// SIGSTOP, until then or longer if it stands still for longer already.
    pub(super) fn pause(&mut self, until: Time) -> Result<(), String> {
        self.stopped_until = self.stopped_until.max(Some(until));
        self.signal("-STOP")
    }

    /// SIGCONT, unless it is to stand still for longer than this.
    pub(super) fn resume(&mut self, until: Time) -> Result<(), String> {
        if self.stopped_until.is_none_or(|latest| latest > until) {
            return Ok(());
        }
        self.stopped_until = None;
        self.signal("-CONT")
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        signal(self.id(), name).map_err(|error| format!("the server cannot be signalled: {error}"))
    }
}

/// SIGKILL, in whatever state it is.
impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        alive().remove(&self.id());
    }
}

/// A line says `number (name) state ..`, and a name may have any character.
fn is_asleep(stat: &str) -> bool {
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['S', 'T']))
}

/// Reads what it says, to the end: a full pipe would stop it.
fn listen(stderr: ChildStderr, tell: &Sender<()>, said: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if line.contains(LISTENS) {
            // Who asks no more has ended it.
            let _ = tell.send(());
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_back(line);
        while said.len() > LINES {
            said.pop_front();
        }
    }
}

/// What a server is told on its command line, so that it does what a plan's knobs say, and nothing that this machine
/// has set up for others.
pub(super) fn flags(knobs: &Knobs, server: ServerId, at: SocketAddr) -> Vec<String> {
    let config = knobs.config(server);
    let retries = knobs.job_retries.map_or_else(|| "-1".to_owned(), |count| count.to_string());
    let mut flags = vec![
        "--config-file=/dev/null".to_owned(),
        format!("--listen={}", at.ip()),
        format!("--port={}", at.port()),
        format!("--threads={THREADS}"),
        format!("--job-handle-prefix={}", config.handle_prefix),
        format!("--job-retries={retries}"),
        format!("--worker-wakeup={}", knobs.worker_wakeup.unwrap_or(0)),
        format!("--wakeup-timeout={}", knobs.wakeup_timeout_ms),
        format!("--min-job-timeout={}", knobs.min_job_timeout_ms),
        format!("--drain-timeout={}", DRAINS_FOR.as_secs()),
        // A run may take minutes on a busy machine, and the judge knows of no such limit.
        "--packet-timeout=86400".to_owned(),
    ];
    if knobs.exceptions {
        flags.push("--exceptions".to_owned());
    }
    let scheduling: &[&str] = match knobs.scheduling {
        Scheduling::Version2 => &[],
        Scheduling::Version1_1 => &["--compat=1.1"],
        Scheduling::Version1_1RoundRobin => &["--compat=1.1", "--round-robin"],
    };
    flags.extend(scheduling.iter().map(|&flag| flag.to_owned()));
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knobs() -> Knobs {
        Knobs {
            job_retries: None,
            worker_wakeup: None,
            wakeup_timeout_ms: 700,
            min_job_timeout_ms: 40,
            exceptions: false,
            store: true,
            scheduling: Scheduling::Version2,
        }
    }

    #[test]
    fn each_knob_is_a_flag() {
        let at = SocketAddr::from(([127, 0, 0, 1], 4730));
        let told = flags(&knobs(), ServerId::new(0), at);
        for flag in [
            "--config-file=/dev/null",
            "--listen=127.0.0.1",
            "--port=4730",
            "--threads=4",
            "--job-handle-prefix=H:sim",
            "--job-retries=-1",
            "--worker-wakeup=0",
            "--wakeup-timeout=700",
            "--min-job-timeout=40",
            "--drain-timeout=1",
            "--packet-timeout=86400",
        ] {
            assert!(told.iter().any(|one| one == flag), "{flag} is not among {told:?}");
        }
        let scheduling = Scheduling::Version1_1RoundRobin;
        let other =
            Knobs { job_retries: Some(3), worker_wakeup: Some(2), exceptions: true, scheduling, ..knobs() };
        let told = flags(&other, ServerId::new(1), at);
        for flag in [
            "--job-handle-prefix=H:sim-2",
            "--job-retries=3",
            "--worker-wakeup=2",
            "--exceptions",
            "--compat=1.1",
            "--round-robin",
        ] {
            assert!(told.iter().any(|one| one == flag), "{flag} is not among {told:?}");
        }
    }

    #[test]
    fn who_is_no_server_is_told_of_by_its_last_words() {
        let nobody = Process::start(Path::new("/nonexistent/gearmand"), &[]).err().unwrap();
        assert!(nobody.starts_with("/nonexistent/gearmand: "), "{nobody}");
        let refuses = ["-c".to_owned(), "echo 'the port is taken' >&2".to_owned()];
        let process = Process::start(Path::new("/bin/sh"), &refuses).unwrap();
        assert_eq!(process.wait(), Err("the server has not come up: the port is taken".to_owned()));
    }

    #[test]
    fn of_one_that_has_ended_all_last_words_are_told() {
        let said =
            "echo 'x: listening on here' >&2; printf '%b\\n' 'a panic' '\\0377' 'note: none' >&2; exit 7";
        let mut process = Process::start(Path::new("/bin/sh"), &["-c".to_owned(), said.to_owned()]).unwrap();
        let end = loop {
            if let Some(end) = process.end() {
                break end;
            }
            thread::yield_now();
        };
        assert!(end.starts_with("exit status: 7; its last words were\n"), "{end}");
        assert!(end.ends_with("\n  a panic\n  \u{fffd}\n  note: none"), "{end}");
    }

    /// How a process ends with this code: as a drain, or in words.
    fn ends(code: u8, is_told: bool) -> (bool, Option<String>) {
        let waits = if is_told { "while :; do sleep 0.01; done" } else { "kill -USR1 $$" };
        let script = format!("trap 'exit {code}' USR1; echo 'x: listening on here' >&2; {waits}");
        let mut process = Process::start(Path::new("/bin/sh"), &["-c".to_owned(), script]).unwrap();
        process.wait().unwrap();
        if is_told {
            process.drain().unwrap();
        }
        loop {
            let (drained, end) = (process.has_drained(), process.end());
            if drained || end.is_some() {
                return (drained, end);
            }
            thread::yield_now();
        }
    }

    #[test]
    fn one_that_was_told_to_end_may_end_with_nothing_left_or_when_its_time_is_up() {
        assert_eq!(ends(0, true), (true, None));
        assert_eq!(ends(3, true), (true, None));
        let (drained, end) = ends(7, true);
        assert!(!drained && end.unwrap().starts_with("exit status: 7"));
        let (drained, end) = ends(0, false);
        assert!(!drained && end.unwrap().starts_with("exit status: 0"));
    }

    #[test]
    fn who_waits_is_asleep_and_who_could_run_is_not() {
        assert!(is_asleep("7 (a) R) S 1 1 1") && is_asleep("7 (a) T 1 1 1"));
        assert!(!is_asleep("7 (a) S) R 1 1 1") && !is_asleep("7 (a) D 1 1 1") && !is_asleep(""));
        let script = ["-c".to_owned(), "echo 'x: listening on here' >&2; exec sleep 600".to_owned()];
        let process = Process::start(Path::new("/bin/sh"), &script).unwrap();
        process.wait().unwrap();
        while !process.sleeps() {
            thread::yield_now();
        }
    }

    #[test]
    fn one_that_listens_has_come_up_and_is_ended_with_its_handle() {
        let script = ["-c".to_owned(), "echo 'x: listening on here' >&2; exec sleep 600".to_owned()];
        let mut process = Process::start(Path::new("/bin/sh"), &script).unwrap();
        assert_eq!((process.wait(), process.end()), (Ok(()), None));
        let id = process.id();
        assert!(alive().contains(&id));
        drop(process);
        assert!(!alive().contains(&id) && signal(id, "-0").is_err());
    }
}
