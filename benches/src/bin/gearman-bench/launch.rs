//! Servers that are started for a run, each in a process of its own on a port of its own.

use crate::children::Running;
use crate::failure::{Failure, Result};
use crate::machine::Machine;
use crate::packet::{Packet, request};
use crate::process::Process;
use crate::sample::Target;
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use clap::{Args, ValueEnum};
use gearman_protocol::{Outward, PacketType};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// How long a server may take to answer.
const PATIENCE: Nanos = 20 * SECOND;

/// A server that can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Make {
    /// This project's, at its defaults.
    Ours,
    /// gearmand-c at the flags that are best for speed.
    CBest,
    /// gearmand-c at its defaults.
    CDefault,
    Floor,
}

impl Make {
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::CBest, Self::CDefault, Self::Floor];

    /// As on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::CBest => "c-best",
            Self::CDefault => "c-default",
            Self::Floor => "floor",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::CBest => "gearmand-c, best flags",
            Self::CDefault => "gearmand-c, defaults",
            Self::Floor => "floor",
        }
    }
}

/// Where the servers are.
#[derive(Args, Clone, Debug)]
pub(crate) struct Programs {
    /// Our server [default: gearmand beside this program].
    #[arg(long, value_name = "PATH")]
    ours: Option<PathBuf>,
    /// A flag for our server, as in --ours-flag=--threads=1; may be given several times.
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    ours_flag: Vec<String>,
    /// gearmand of gearmand.org, written in C.
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/gearmand")]
    gearmand_c: PathBuf,
}

/// Among the flags of a row: our server shall serve metrics, at a free port.
pub(crate) const METRICS: &str = "--metrics=FREE";

/// A server in a process of its own, which ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    running: Running,
    address: SocketAddr,
    /// Where it serves metrics.
    metrics: Option<SocketAddr>,
    /// From the start of the process to its first answer.
    pub(crate) start: Nanos,
}

impl Programs {
    /// Where they run, and against what.
    pub(crate) fn machine(&self) -> Machine {
        Machine::here(&self.gearmand_c)
    }

    /// Starts our server on some of the processors, given as to `taskset`; `flags` come after those of the command line.
    ///
    /// # Errors
    /// If the program is not there, or ends, or does not answer.
    pub(crate) fn start_on(&self, processors: &str, flags: &[&str]) -> Result<Server> {
        let own = std::env::current_exe().map_err(Failure::at("this program"))?;
        let address = free_address()?;
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", processors])
            .arg(self.ours.clone().unwrap_or_else(|| beside(&own, "gearmand")));
        command.args(["--listen=127.0.0.1", &format!("--port={}", address.port())]);
        command.args(&self.ours_flag).args(flags);
        Server::start(&mut command, address)
    }

    /// Starts our server in a process that tells at `told_at` how long its engine was held.
    ///
    /// # Errors
    /// If the program is not there, or ends, or does not answer.
    pub(crate) fn start_timed(&self, told_at: SocketAddr) -> Result<Server> {
        let own = std::env::current_exe().map_err(Failure::at("this program"))?;
        let address = free_address()?;
        let mut command = Command::new(own);
        command.args(["timed", &address.to_string(), &told_at.to_string()]);
        Server::start(&mut command, address)
    }

    /// Starts a server; `flags` are for all but the floor, whose own are `floor_flags`.
    ///
    /// # Errors
    /// If the program is not there, or ends, or does not answer.
    pub(crate) fn start(&self, make: Make, flags: &[&str], floor_flags: &[&str]) -> Result<Server> {
        let own = std::env::current_exe().map_err(Failure::at("this program"))?;
        let address = free_address()?;
        let port = format!("--port={}", address.port());
        let metrics = flags.contains(&METRICS).then(free_address).transpose()?;
        let mut command = match make {
            Make::Ours => {
                let mut command = Command::new(self.ours.clone().unwrap_or_else(|| beside(&own, "gearmand")));
                command.args(["--listen=127.0.0.1", &port]).args(&self.ours_flag);
                command.args(flags.iter().filter(|&&flag| flag != METRICS));
                command.args(metrics.map(|address| format!("--metrics={address}")));
                command
            }
            Make::CBest | Make::CDefault => {
                let mut command = Command::new(&self.gearmand_c);
                command.args(["--listen=127.0.0.1", &port, "--log-file=none"]).args(flags);
                if make == Make::CBest {
                    command.args(["--threads=0", "--hashtable-buckets=1000003"]);
                }
                command
            }
            Make::Floor => {
                let mut command = Command::new(own);
                command.arg("floor").arg(address.to_string()).args(floor_flags);
                command
            }
        };
        Ok(Server { metrics, ..Server::start(&mut command, address)? })
    }
}

fn beside(program: &Path, name: &str) -> PathBuf {
    program.with_file_name(name)
}

/// An address on which nobody listens now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::at("a free port"))?;
    listener.local_addr().map_err(Failure::at("a free port"))
}

impl Server {
    fn start(command: &mut Command, address: SocketAddr) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = command.get_program().to_string_lossy().into_owned();
        let watch = Stopwatch::new();
        let mut server = Self { running: Running::start(command)?, address, metrics: None, start: 0 };
        while !answers(address) {
            if let Some(status) = server.running.ended() {
                let shown = format!("{command:?}");
                return Err(Failure::says(format!("{shown} ended at its start: {status}")));
            }
            if watch.now() > PATIENCE {
                return Err(Failure::says(format!("{program} does not answer at {address}")));
            }
            thread::yield_now();
        }
        server.start = watch.now();
        Ok(server)
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            addresses: vec![self.address],
            metrics: self.metrics,
            processes: vec![Process::of(self.running.pid())],
        }
    }
}

/// Whether a server echoes.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut out = Outward::new();
    request(&mut out, PacketType::EchoReq, &[b"there?"]);
    let mut answer = vec![0; out.len()];
    let heard = stream.write_all(&out.to_vec()).and_then(|()| stream.read_exact(&mut answer));
    heard.is_ok() && matches!(Packet::cut(&mut &answer[..]), Ok(Some(_)))
}
