//! `gearmand`: the job server as a program.

mod logging;
mod options;

use gearman_engine::Engine;
use gearman_net::{MachineClock, Tcp};
use gearman_protocol::Limits;
use gearman_server::{Config, Control, serve};
use options::{Options, Unusable};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    match Options::parse(std::env::args_os()) {
        Ok(options) => start(&options).unwrap_or_else(|error| refuse(&error)),
        Err(Unusable::Told(text)) => {
            // Whoever closed our stdout does not want to read it.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(Unusable::Refused(line)) => refuse(&line),
    }
}

/// One line that says why there is no server.
fn refuse(line: &str) -> ExitCode {
    say(line);
    ExitCode::FAILURE
}

fn say(line: &str) {
    // Whoever closed our stderr does not want to read it.
    let _ = writeln!(io::stderr(), "gearmand: {line}");
}

fn start(options: &Options) -> Result<ExitCode, String> {
    abort_on_panic();
    logging::start(options.logging.verbosity());
    for warning in options.warnings() {
        say(warning);
    }
    let runtime = runtime(options).map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(run(options))
}

/// A panic is a fault of ours, after which nothing that the engine holds can be trusted: whoever supervises
/// the process shall start it anew, rather than find it alive and deaf.
fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}

fn runtime(options: &Options) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(threads) = options.process.threads() {
        builder.worker_threads(threads);
    }
    builder.enable_all().build()
}

async fn run(options: &Options) -> Result<ExitCode, String> {
    // They are caught before anybody can know that we are here.
    let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let hash_seed = RandomState::new().hash_one(0);
    let engine = Engine::new(options.engine(), hash_seed);
    let config = Config {
        listen: options.listening.addresses(),
        limits: Limits::default(),
        liveness: Some(options.listening.liveness()),
    };
    let network = Tcp::with_backlog(options.listening.backlog);
    let control = serve(&network, MachineClock::new(), engine, config).await.map_err(cannot_listen)?;
    for address in control.addresses() {
        say(&format!("listening on {address}"));
    }
    tokio::spawn(signals.obey(control.clone()));
    Ok(ExitCode::from(control.finished().await.code()))
}

fn cannot_listen(error: io::Error) -> String {
    let hints = [
        (io::ErrorKind::AddrInUse, "stop what listens there, or choose another --port"),
        (
            io::ErrorKind::PermissionDenied,
            "choose a --port of 1024 or more, or grant the right to use this one",
        ),
        (io::ErrorKind::AddrNotAvailable, "--listen takes an address of this machine"),
    ];
    let hint = hints.iter().find(|(kind, _)| *kind == error.kind());
    let advice = hint.map_or("see --listen and --port", |(_, advice)| advice);
    format!("cannot listen on {error}; {advice}")
}

/// The signals that mean something to us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    drain: Signal,
    hang_up: Signal,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            drain: signal(SignalKind::user_defined1())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn obey(mut self, control: Control) {
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => control.stop(),
                _ = self.interrupt.recv() => control.stop(),
                _ = self.drain.recv() => control.drain(),
                _ = self.hang_up.recv() => tracing::info!("SIGHUP: stderr needs no reopening"),
            }
        }
    }
}
