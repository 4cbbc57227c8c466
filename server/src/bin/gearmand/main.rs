//! `gearmand`: the job server as a program.

mod capacity;
mod daemon;
mod logging;
mod manual;
mod options;
mod pid_file;
mod signals;
mod supervisor;
mod system_limits;
mod user;

use gearman_engine::Engine;
use gearman_net::{MachineClock, Sockets};
use gearman_server::{Config, Control, serve, serve_metrics};
use logging::{Log, say};
use options::{Options, Unusable};
use pid_file::PidFile;
use signals::Signals;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tracing::Level;

/// It gives back what a peak of jobs has taken; the system's keeps most of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// What must happen before there are threads, in this order: what needs root's rights, then giving them up,
/// then what shall belong to the user.
fn start(options: &Options) -> Result<ExitCode, String> {
    let process = &options.process;
    if process.check_args {
        return Ok(ExitCode::SUCCESS);
    }
    if process.daemon && !daemon::is_detached() {
        return daemon::launch();
    }
    abort_on_panic();
    system_limits::take_small_pages();
    let network = Sockets::new(options.listening.backlog);
    let inherited = supervisor::inherited()?;
    let addresses = options.listening.addresses(inherited.len());
    if process.daemon {
        daemon::detach()?;
    }
    if let Some(count) = process.file_descriptors {
        system_limits::set_descriptors(count)?;
    }
    if let Some(name) = &process.user {
        user::switch(name)?;
    }
    if process.coredump {
        system_limits::allow_core_dumps()?;
    }
    let log = logging::start(options.logging.destinations(process.daemon), options.logging.verbose)?;
    for warning in options.warnings() {
        log.announce(Level::WARN, warning);
    }
    let _pid_file = process.pid_file.as_deref().map(PidFile::create).transpose()?;
    let runtime = runtime(options).map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(run(options, network.with_inherited(inherited), addresses, log))
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
    match options.process.threads() {
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

async fn run(
    options: &Options,
    network: Sockets,
    listen: Vec<String>,
    log: Arc<Log>,
) -> Result<ExitCode, String> {
    // They are caught before anybody can know that we are here.
    let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let hash_seed = RandomState::new().hash_one(0);
    let engine = Engine::new(options.engine(), hash_seed);
    let liveness = Some(options.listening.liveness());
    let config = Config { listen, limits: options.limits.of_messages(), liveness };
    let control = serve(&network, MachineClock::new(), engine, config).await.map_err(cannot_listen)?;
    let metrics = metrics(options, &network, &control).await?;
    tell_where(&control, metrics.as_deref(), &log, options)?;
    tokio::spawn(signals.obey(control.clone(), log, options.clone()));
    let finish = control.finished().await;
    supervisor::stopping();
    Ok(ExitCode::from(finish.code()))
}

/// Serves metrics, if that was asked for; says where.
async fn metrics(options: &Options, network: &Sockets, control: &Control) -> Result<Option<String>, String> {
    let Some(address) = options.metrics.address() else { return Ok(None) };
    let served = serve_metrics(network, &address, control.clone(), options.metrics.metrics_functions).await;
    served.map(Some).map_err(|error| format!("cannot serve metrics at {error}; see --metrics"))
}

/// Peers can come: whoever waits for that is told.
fn tell_where(control: &Control, metrics: Option<&str>, log: &Log, options: &Options) -> Result<(), String> {
    for address in control.addresses() {
        log.announce(Level::INFO, &format!("listening on {address}"));
    }
    if let Some(address) = metrics {
        log.announce(Level::INFO, &format!("metrics at {address}"));
    }
    supervisor::ready();
    if options.process.daemon { daemon::ready() } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    /// In this process if it is the one that shall die, and otherwise in one like it.
    #[test]
    fn a_panic_in_any_thread_ends_the_process() {
        const DIES: &str = "GEARMAND_TEST_DIES";
        const ABORTED: i32 = 6;
        if std::env::var_os(DIES).is_some() {
            super::abort_on_panic();
            let _ = std::thread::spawn(|| panic!("as it shall")).join();
            return;
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "tests::a_panic_in_any_thread_ends_the_process", "--nocapture"]).env(DIES, "");
        let died = again.output().unwrap();
        assert_eq!(died.status.signal(), Some(ABORTED), "{died:?}");
        assert!(String::from_utf8_lossy(&died.stderr).contains("as it shall"), "it says why");
    }
}
