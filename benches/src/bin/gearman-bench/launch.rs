//! Servers that are started for a run, each in a process of its own on a port of its own.

use crate::failure::{Failure, Result};
use crate::packet::{Packet, request};
use crate::process::Process;
use crate::sample::Target;
use crate::stopwatch::{Nanos, SECOND, Stopwatch};
use clap::{Args, ValueEnum};
use gearman_protocol::{Outward, PacketType};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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

/// A server in a process of its own, which ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) start: Nanos,
}

impl Programs {
    /// Starts a server; `flags` are for all but the floor, whose own are `floor_flags`.
    ///
    /// # Errors
    /// If the program is not there, or ends, or does not answer.
    pub(crate) fn start(&self, make: Make, flags: &[&str], floor_flags: &[&str]) -> Result<Server> {
        let own = std::env::current_exe().map_err(Failure::at("this program"))?;
        let address = free_address()?;
        let port = format!("--port={}", address.port());
        let mut command = match make {
            Make::Ours => {
                let mut command = Command::new(self.ours.clone().unwrap_or_else(|| beside(&own, "gearmand")));
                command.args(["--listen=127.0.0.1", &port]).args(&self.ours_flag).args(flags);
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
        Server::start(&mut command, address)
    }
}

fn beside(program: &Path, name: &str) -> PathBuf {
    program.with_file_name(name)
}

/// An address on which nobody listens now.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Failure::at("a free port"))?;
    listener.local_addr().map_err(Failure::at("a free port"))
}

impl Server {
    fn start(command: &mut Command, address: SocketAddr) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = command.get_program().to_string_lossy().into_owned();
        let watch = Stopwatch::new();
        let child = command.spawn().map_err(Failure::at(format!("start {program}")))?;
        let mut server = Self { child, address, start: 0 };
        while !answers(address) {
            if let Ok(Some(status)) = server.child.try_wait() {
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
        Target { address: self.address, process: Some(Process::of(self.child.id())) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has no state that it should save, and may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
