//! Servers that the tool starts itself.

mod process;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use process::Process;

use crate::breakage::{Breakage, Proxy};
use crate::language::ServerVerb;
use crate::profile::Profile;

/// How long a server may take until it accepts connections. One that has ended is noticed at once, so this is only for
/// machines so busy that a program in Python takes long to begin.
const READY_WAIT: Duration = Duration::from_secs(60);

/// How long a server may take to end after SIGTERM.
const END_WAIT: Duration = Duration::from_secs(5);

/// How long a process may take from closing its connections to its end; a core dump takes its time.
const DYING_WAIT: Duration = Duration::from_secs(1);

/// GET_STATUS for a handle that does not exist: some servers answer no text, and some no ECHO_REQ.
const QUESTION: &[u8] = b"\0REQ\0\0\0\x0f\0\0\0\x07nowhere";

/// How many ports are tried.
const ATTEMPTS: u32 = 5;

/// How many lines of a server's output are kept.
const LOG_LINES: usize = 200;

/// The ports that are given to servers: outside the range from which Linux takes the ports of outgoing
/// connections, so that no connection of a test sits on one.
const PORTS: std::ops::Range<u16> = 10_240..32_768;

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Launch {
    command: String,
    /// How the server is made to misbehave.
    breakage: Option<Breakage>,
}

/// Why a server could not be started.
#[derive(Debug)]
pub enum LaunchError {
    /// A case needs a setting that the profile does not know.
    NoSetting(String),
    /// The command could not be run.
    Spawn(io::Error),
    /// The server ended before it accepted a connection.
    Ended {
        /// How.
        status: ExitStatus,
        /// What it wrote last.
        log: Vec<String>,
    },
    /// The server did not accept a connection in time.
    NotReady(Duration),
    /// The server accepted a connection and did not answer in time.
    Mute(Duration),
    /// The signal could not be sent.
    Signal(io::Error),
    /// The server still runs.
    Lives(Duration),
    /// The server ended in another way than expected.
    EndedSo(ExitStatus),
    /// The server still accepts connections.
    Accepts(Duration),
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSetting(name) => write!(f, "the profile does not say how to set `{name}`"),
            Self::Spawn(error) => write!(f, "the launch command cannot be run: {error}"),
            Self::Ended { status, log } => {
                write!(f, "the server ended before it accepted a connection ({status})")?;
                match log.last() {
                    Some(line) => write!(f, "; its last words: {line}"),
                    None => write!(f, "; it wrote nothing"),
                }
            }
            Self::NotReady(wait) => write!(f, "the server accepts no connection after {wait:?}"),
            Self::Mute(wait) => {
                write!(f, "the server accepts connections and answers nothing after {wait:?}")
            }
            Self::Signal(error) => write!(f, "the signal cannot be sent: {error}"),
            Self::Lives(wait) => write!(f, "the server still runs after {wait:?}"),
            Self::EndedSo(status) => write!(f, "the server ended otherwise: {status}"),
            Self::Accepts(wait) => write!(f, "the server still accepts connections after {wait:?}"),
        }
    }
}

impl std::error::Error for LaunchError {}

/// A running server; it is killed with all that it has started when this is dropped.
#[derive(Debug)]
pub struct Server {
    command: String,
    port: u16,
    process: Process,
    log: Log,
    /// Whether a case has ended, stopped or restarted it, so that no other case should get it.
    touched: bool,
    /// Whoever stands between it and the cases.
    front: Option<Proxy>,
    /// Where it may keep files, which go with it.
    _folder: Option<TempDir>,
}

/// The last lines that a server or a program wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<VecDeque<String>>>);

impl Launch {
    /// With a shell command that stays in the foreground, and `{port}` where the port belongs.
    ///
    /// # Errors
    ///
    /// The command has no `{port}` in it: one line that says so.
    pub fn new(command: String) -> Result<Self, String> {
        if command.contains("{port}") {
            return Ok(Self { command, breakage: None });
        }
        Err(format!(
            "the launch command `{command}` has no {{port}} in it: write that where the port belongs"
        ))
    }

    /// The same server, misbehaving.
    #[must_use]
    pub fn broken(self, breakage: Breakage) -> Self {
        Self { breakage: Some(breakage), ..self }
    }

    /// Whether the profile knows how to make these settings.
    #[must_use]
    pub fn can_set(profile: &Profile, settings: &BTreeMap<String, String>) -> bool {
        settings.keys().all(|name| profile.settings.contains_key(name))
    }

    /// Starts a server with these settings on a free port and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// The command cannot be run, or no server comes of it.
    pub async fn start(
        &self,
        profile: &Profile,
        settings: &BTreeMap<String, String>,
    ) -> Result<Server, LaunchError> {
        let mut command = self.command.clone();
        let settings = self.breakage.map_or_else(|| settings.clone(), |breakage| breakage.settings(settings));
        for (name, value) in &settings {
            let template = profile.settings.get(name).ok_or_else(|| LaunchError::NoSetting(name.clone()))?;
            command = format!("{command} {}", template.replace("{value}", value));
        }
        if let Some(breakage) = self.breakage {
            command = breakage.command(&command);
        }
        let mut attempt = 1;
        let mut server = loop {
            match Server::start(&command, free_port(attempt)).await {
                // Somebody may have taken the port in between; a server that cannot start at all ends each time.
                Err(LaunchError::Ended { .. }) if attempt < ATTEMPTS => attempt += 1,
                result => break result?,
            }
        };
        if let Some(breakage) = self.breakage {
            server.front = Some(Proxy::start(breakage, server.port).await.map_err(LaunchError::Spawn)?);
        }
        Ok(server)
    }
}

/// Puts the path of a fresh folder in the place of `{folder}`, if the command wants one.
fn in_folder(command: &str) -> io::Result<(String, Option<TempDir>)> {
    if !command.contains("{folder}") {
        return Ok((command.to_owned(), None));
    }
    let folder = tempfile::tempdir()?;
    Ok((command.replace("{folder}", &folder.path().display().to_string()), Some(folder)))
}

/// A port that nobody listens on at this moment.
fn free_port(attempt: u32) -> u16 {
    let chance = RandomState::new();
    let span = u64::from(PORTS.end - PORTS.start);
    let candidates = (0..1000).map(|at| {
        let offset = chance.hash_one((attempt, at)) % span;
        PORTS.start + u16::try_from(offset).unwrap_or(0)
    });
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    candidates.into_iter().find(is_free).unwrap_or(PORTS.start)
}

impl Server {
    async fn start(command: &str, port: u16) -> Result<Self, LaunchError> {
        let log = Log::default();
        let (command, folder) = in_folder(command).map_err(LaunchError::Spawn)?;
        let process = spawn(&command, port, &log)?;
        let mut server = Self { command, port, process, log, touched: false, front: None, _folder: folder };
        server.ready().await?;
        Ok(server)
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        self.front.as_ref().map_or_else(|| format!("127.0.0.1:{}", self.port), Proxy::address)
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.process.id()
    }

    /// How the server ended, if it did. A zombie counts as ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Gives a server that has stopped working the time to end, if that is what it is about to do.
    pub async fn wait_for_end(&mut self) {
        // The time passing says that it hangs, which the caller finds out by itself.
        let _ = timeout(DYING_WAIT, self.process.wait()).await;
    }

    /// Whether a case has ended, stopped or restarted it.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.touched
    }

    /// The last lines that it wrote.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// Does what a transcript asks.
    ///
    /// # Errors
    ///
    /// The server cannot be signalled or started.
    pub async fn control(&mut self, verb: &ServerVerb) -> Result<(), LaunchError> {
        self.touched = true;
        match verb {
            ServerVerb::Kill(name) => self.signal(signal(name)),
            ServerVerb::Stop => {
                self.signal(Signal::STOP)?;
                self.stopped().await
            }
            ServerVerb::Continue => self.signal(Signal::CONT),
            ServerVerb::Ready => self.ready().await,
            ServerVerb::Refuses => self.refuses().await,
            ServerVerb::Ended(code) => self.has_ended(*code).await,
            ServerVerb::Start => self.start_again().await,
            ServerVerb::Restart => {
                self.signal(Signal::TERM)?;
                self.start_again().await
            }
        }
    }

    /// Waits for the end of the process and starts it on the same port.
    async fn start_again(&mut self) -> Result<(), LaunchError> {
        // What does not end by itself is killed: the transcript asked for a new server, not for a wait.
        if timeout(END_WAIT, self.process.wait()).await.is_err() {
            self.process.kill().await.map_err(LaunchError::Signal)?;
        }
        self.process = spawn(&self.command, self.port, &self.log)?;
        self.ready().await?;
        self.answered().await
    }

    /// Waits until it answers a question: what it has stored may end it after it has begun to listen.
    async fn answered(&mut self) -> Result<(), LaunchError> {
        let asked = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
            stream.write_all(QUESTION).await?;
            stream.read_u8().await
        };
        match timeout(READY_WAIT, asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => self.ready().await,
            Err(_) => Err(LaunchError::Mute(READY_WAIT)),
        }
    }

    /// Waits until it accepts no connection any more.
    async fn refuses(&self) -> Result<(), LaunchError> {
        let deadline = Instant::now() + END_WAIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
            if Instant::now() >= deadline {
                return Err(LaunchError::Accepts(END_WAIT));
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Waits for its end, which must have this exit code.
    async fn has_ended(&mut self, code: u32) -> Result<(), LaunchError> {
        let ended = timeout(END_WAIT, self.process.wait()).await.map_err(|_| LaunchError::Lives(END_WAIT))?;
        let status = ended.map_err(LaunchError::Signal)?;
        let is_it = status.code().is_some_and(|ended| u32::try_from(ended) == Ok(code));
        if is_it { Ok(()) } else { Err(LaunchError::EndedSo(status)) }
    }

    fn signal(&mut self, signal: Signal) -> Result<(), LaunchError> {
        self.process.signal(signal).map_err(LaunchError::Signal)
    }

    /// Waits until every thread has stopped: the signal has been sent before it is obeyed.
    async fn stopped(&self) -> Result<(), LaunchError> {
        let deadline = Instant::now() + DYING_WAIT;
        while !self.process.id().is_some_and(|id| all_stopped(id).unwrap_or(false)) {
            if Instant::now() >= deadline {
                return Err(LaunchError::Signal(io::Error::other("the server does not stop")));
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Waits until it accepts connections.
    async fn ready(&mut self) -> Result<(), LaunchError> {
        let deadline = Instant::now() + READY_WAIT;
        let mut pause = Duration::from_millis(1);
        loop {
            let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok();
            // Asked after the connection was made: if the process has ended, somebody else accepted it.
            if let Some(status) = self.ended() {
                sleep(Duration::from_millis(20)).await;
                return Err(LaunchError::Ended { status, log: self.log() });
            }
            if connected {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(LaunchError::NotReady(READY_WAIT));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn spawn(command: &str, port: u16, log: &Log) -> Result<Process, LaunchError> {
    let mut command = Process::command(&command.replace("{port}", &port.to_string()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(command).map_err(LaunchError::Spawn)?;
    let (output, errors) = process.pipes();
    log.follow(output);
    log.follow(errors);
    Ok(process)
}

/// Whether the state of every thread of a process is "stopped".
fn all_stopped(process: u32) -> io::Result<bool> {
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let stat = std::fs::read_to_string(thread?.path().join("stat"))?;
        // The state follows the name, which stands in parentheses and may hold anything.
        let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
        if state != Some("T") {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Keeps reading, so that who writes never waits on a full pipe.
    pub(crate) fn follow(&self, pipe: Option<impl AsyncRead + Unpin + Send + 'static>) {
        let Some(pipe) = pipe else { return };
        let log = self.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
                log.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        });
    }

    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// The parser knows these names and no others.
fn signal(name: &str) -> Signal {
    match name {
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "HUP" => Signal::HUP,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "QUIT" => Signal::QUIT,
        _ => Signal::TERM,
    }
}
